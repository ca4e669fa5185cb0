"""Offset between sound and picture as the browser receives them, over two minutes, and whether it drifts.

The server is the real one with its real face, but it speaks beeps, and paints a white square over a corner of the
picture while one sounds. In the browser, the beginnings of both are taken on one clock.
"""

import asyncio
import dataclasses
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import cv2
import numpy as np
import uvicorn

from benchmarks.report import PLAIN, QUICK, figures, table
from tests.visitor import Visitor, loud_spans, visitor
from visavis.api.app import create_app
from visavis.api.auth import Gatekeeper
from visavis.audio import PLAYOUT_RATE_HZ
from visavis.config import Settings
from visavis.conversation.persona import Persona
from visavis.hosting.answering import answerer
from visavis.hosting.calls import Calls
from visavis.hosting.hosting import Hosting, open_hosting
from visavis.hosting.plan import Plan
from visavis.layers import Layers
from visavis.layers.builtin import start_layers
from visavis.layers.tts import Speech, Word
from visavis.replica import Attitude, Background, Emotion, Frame
from visavis.replica.stock import stock
from visavis.store.configured import configured_store

SECONDS = 20 if QUICK else 120
PERIOD_S, BEEP_S = 1.0, 0.12
_CORNER = (0.02, 0.02, 0.1, 0.1)  # x, y, width, height as shares of the picture


class Beeper:
    """A voice that beeps once a second, whatever it is asked to say."""

    async def stream(self, text: str) -> AsyncIterator[Speech]:
        """Beep for `SECONDS`."""
        beep = (12_000 * np.sin(2 * np.pi * 1000 * np.arange(int(BEEP_S * PLAYOUT_RATE_HZ)) / PLAYOUT_RATE_HZ)).astype(
            np.int16
        )
        pcm = np.zeros(int(PERIOD_S * PLAYOUT_RATE_HZ), np.int16)
        pcm[: len(beep)] = beep
        for _ in range(SECONDS):
            yield Speech(pcm, (Word("beep", 0.0, BEEP_S),), ())


class SquareFace:
    """A replica with a square in its corner while it beeps."""

    def __init__(self) -> None:
        self._replica = stock()
        self.name = self._replica.name

    def renderer(self, background: Background | None = None) -> "SquareRenderer":
        """Its face for one call."""
        return SquareRenderer(self._replica.renderer(background))


class SquareRenderer:
    """Renders the face of another renderer, and the square."""

    def __init__(self, renderer) -> None:
        self._renderer = renderer
        self.size = renderer.size

    def plan(self, speech: Speech) -> Sequence[tuple[bool, object]]:
        """Motion of the face, and whether the square is there."""
        size = PLAYOUT_RATE_HZ // 25
        return [
            (bool(np.abs(speech.pcm[index * size : (index + 1) * size]).max() > 0), motion)
            for index, motion in enumerate(self._renderer.plan(speech))
        ]

    def follow_sound(self) -> NoReturn:
        """The voice's phonemes are known."""
        raise NotImplementedError

    def express(self, emotion: Emotion) -> None:
        """As the face does."""
        self._renderer.express(emotion)

    def render(self, motion: tuple[bool, object] | None, attitude: Attitude) -> Frame:
        """The next frame."""
        square, face = motion or (False, None)
        frame = self._renderer.render(face, attitude)
        height, width = frame.shape[:2]
        corner = (int(0.15 * width), int(0.15 * height))
        cv2.rectangle(frame, (0, 0), corner, (255, 255, 255) if square else (0, 0, 0), -1)
        return frame


class BeepingEngines:
    """What every conversation of this benchmark is made of."""

    def __init__(self, layers: Layers) -> None:
        self._layers = dataclasses.replace(layers, voice=Beeper())

    @asynccontextmanager
    async def layers(self, plan: Plan) -> AsyncIterator[Layers]:
        """The real engines, but for the voice."""
        yield self._layers

    async def replica(self, plan: Plan) -> SquareFace:
        """The face with the square."""
        return SquareFace()


async def serve() -> None:
    """The server of this benchmark."""
    persona = Persona(persona_name="Beeper", system_prompt="Beep.")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        settings = Settings(port=0, quality="tiny", ice_addresses=["127.0.0.1"], dev=True, data=folder)
        store = await stack.enter_async_context(configured_store(settings))
        engines = BeepingEngines(await stack.enter_async_context(start_layers(settings, None)))
        hosting = Hosting(store, lambda tell: Calls(engines, answerer(settings), tell))
        await stack.enter_async_context(open_hosting(hosting))
        app = create_app(settings, persona, store, Gatekeeper(store.keys, settings), hosting)
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        await uvicorn.Server(uvicorn.Config(app, log_level="error")).serve(sockets=[listener])


def main() -> None:
    """Measure and report."""
    server = subprocess.Popen([sys.executable, "-m", __spec__.name, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline())
        with visitor(**PLAIN) as person:
            person.join(f"http://127.0.0.1:{port}/demo")
            person.page.evaluate(f"visitor.watch({', '.join(map(str, _CORNER))})")
            person.wait(2)
            person.page.evaluate(
                "visitor.send(JSON.stringify({event_type: 'conversation.echo', properties: {text: 'beep'}}))"
            )
            estimates = []
            for _ in range(round(SECONDS * PERIOD_S) + 2):
                person.wait(1)
                estimates += _browser_estimate(person)
            recording, frames = person.recording(), person.frames()
    finally:
        server.terminate()
        server.wait(20)
    beeps = np.array([recording.start + start for start, _ in loud_spans(recording.replica, floor=0.02)])
    bright = frames[:, 2] > 128
    flashes = frames[1:, 0][bright[1:] & ~bright[:-1]]
    pairs = [(flash, beeps[np.abs(beeps - flash).argmin()]) for flash in flashes if len(beeps)]
    offsets = np.array([(flash, 1000 * (beep - flash)) for flash, beep in pairs if abs(beep - flash) < PERIOD_S / 2])
    drift = np.polyfit(offsets[:, 0] / 60, offsets[:, 1], 1)[0] if len(offsets) > 2 else float("nan")
    estimated = np.array(estimates[5:] or [np.nan])  # the first seconds are the jitter buffers finding their length
    values = offsets[:, 1] if len(offsets) else np.array([np.nan])
    table(
        "Sound after picture, in the browser",
        ("", "ms"),
        [
            ("median", float(np.median(values))),
            ("5 % / 95 %", f"{np.percentile(values, 5):.1f} / {np.percentile(values, 95):.1f}"),
            ("largest", float(np.abs(values).max())),
            ("drift a minute", float(drift)),
            ("median, the browser's own estimate", float(np.median(estimated))),
            ("largest, the browser's own estimate", float(np.abs(estimated).max())),
        ],
    )
    figures(
        {
            "pairs": len(offsets),
            "offset_median_ms": float(np.median(values)),
            "offset_max_abs_ms": float(np.abs(values).max()),
            "drift_ms_per_min": float(drift),
            "estimate_median_ms": float(np.median(estimated)),
            "estimate_max_abs_ms": float(np.abs(estimated).max()),
            "frames_per_s": float((len(frames) - 1) / (frames[-1, 0] - frames[0, 0])),
        }
    )


def _browser_estimate(person: Visitor) -> list[float]:
    """How much later than its picture the sound plays, in ms, by the media times that the browser says it plays now."""
    playing = {
        report["kind"]: report["estimatedPlayoutTimestamp"]
        for report in person.statistics("inbound-rtp")
        if report.get("estimatedPlayoutTimestamp")
    }
    return [playing["video"] - playing["audio"]] if len(playing) == 2 else []


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        main()
