"""What visavis adds to the delay of a voice-to-voice model.

A server on this machine speaks the OpenAI Realtime protocol and stands for the model. Two ways are timed, with the
stock face, the real voice activity and a real WebSocket: from 20 ms of the person's sound until the model has it, and
from the model's first message with sound until that sound is handed to the network towards the person. Their sum is
what visavis adds; the network to the person and to the model, and the model itself, come on top.
"""

import asyncio
import base64
import random
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.report import QUICK, figures, percentile, table
from tests.realtime_server import RealtimeServer, realtime_server
from visavis.audio import Pcm, Samples
from visavis.conversation.clock import LoopClock
from visavis.conversation.conversation import Conversation
from visavis.conversation.persona import Persona
from visavis.layers import Layers
from visavis.layers.realtime.openai_realtime import OpenAIRealtime
from visavis.layers.settings import RealtimeSettings
from visavis.layers.turn.silero import Silero
from visavis.outbound import Outbound, PrivateAddresses
from visavis.replica import Frame
from visavis.replica.stock import stock

_TURNS = 8 if QUICK else 40
_PIECE_S = 0.02
_LOUD = 0.05


class _Person:
    """A `visavis.transport.Call`: clicks into the microphone when told to, and notes when sound comes."""

    def __init__(self) -> None:
        self.clicked: list[float] = []
        self.heard_at: float | None = None
        self.hears = asyncio.Event()
        self.frames = 0
        self._click = False
        self._closed = False

    def click(self) -> None:
        """With the next piece."""
        self._click = True

    async def connected(self) -> bool:
        return True

    async def hear(self) -> AsyncIterator[Samples]:
        began, count = time.monotonic(), 0
        while not self._closed:
            count += 1
            await asyncio.sleep(max(0.0, began + count * _PIECE_S - time.monotonic()))
            piece = np.zeros(320, np.float32)
            if self._click:
                self._click = False
                piece[::40] = 0.5
                self.clicked.append(time.monotonic())
            yield piece

    async def messages(self) -> AsyncIterator[Mapping[str, Any]]:
        await asyncio.Event().wait()
        yield {}

    def send_audio(self, pcm: Pcm, position: int) -> None:
        if self.heard_at is None and np.abs(pcm).max() > 0:
            self.heard_at = time.monotonic()
            self.hears.set()

    def send_frame(self, frame: Frame, position: int) -> None:
        self.frames += 1

    def send_event(self, event: Mapping[str, Any]) -> None:
        pass

    async def close(self) -> None:
        self._closed = True


def main() -> None:
    """Measure and report."""
    there, back = asyncio.run(_measured())
    both = [a + b for a, b in zip(there, back, strict=True)]
    rows = [
        (name, percentile(times, 50), percentile(times, 95), max(times))
        for name, times in (("to the model", there), ("to the person", back), ("both", both))
    ]
    table("added delay, ms", ("way", "p50", "p95", "largest"), rows)
    figures({"added_p50_ms": percentile(both, 50), "added_p95_ms": percentile(both, 95), "added_max_ms": max(both)})


async def _measured() -> tuple[list[float], list[float]]:
    async with realtime_server() as server:
        settings = RealtimeSettings(base_url=server.url, model="any")
        model = OpenAIRealtime(settings, Outbound(PrivateAddresses(every=True)))
        layers = Layers(Silero().listen, *(None,) * 4, voice_to_voice=model)  # type: ignore[arg-type]
        persona = Persona.model_validate(
            {"persona_name": "M", "pipeline_mode": "speech-to-speech", "layers": {"sts": settings.model_dump()}}
        )
        person = _Person()
        with ThreadPoolExecutor(1) as threads:
            conversation = Conversation("c", persona, stock(), layers, LoopClock(), threads)
            talking = asyncio.create_task(conversation.run(person))
            await server.until("session.update")
            await asyncio.sleep(1.0)
            there, back = [], []
            for turn in range(_TURNS):
                there.append(await _to_model(server, person))
                back.append(await _to_person(server, person, turn))
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
    return there, back


async def _to_model(server: RealtimeServer, person: _Person) -> float:
    arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def note(message: dict[str, Any]) -> None:
        if message["type"] == "input_audio_buffer.append" and not arrived.done():
            sound = np.frombuffer(base64.b64decode(message["audio"]), "<i2")
            if np.abs(sound).max() > _LOUD * 32768:
                arrived.set_result(time.monotonic())

    server.on = note
    await asyncio.sleep(random.Random(len(person.clicked)).uniform(0, 0.04))
    person.click()
    return 1000 * (await arrived - person.clicked[-1])


async def _to_person(server: RealtimeServer, person: _Person, turn: int) -> float:
    await asyncio.sleep(0.3 + random.Random(1000 + turn).uniform(0, 0.04))
    tone = (8000 * np.cos(2 * np.pi * 200 / 24_000 * np.arange(12_000))).astype(np.int16)
    person.heard_at = None
    person.hears.clear()
    began = time.monotonic()
    server.answer("Hello there.", tone, f"item_{turn}", f"resp_{turn}")
    await person.hears.wait()
    heard_at = person.heard_at or 0.0
    await asyncio.sleep(0.8)
    return 1000 * (heard_at - began)


if __name__ == "__main__":
    main()
