"""Parrot mode on simulated time: what a client sends is said, exactly, and nothing else is."""

import asyncio
import base64

import numpy as np
import pytest

from tests.conversation.simulation import SimulatedCall, World, silence, simulate, speech, world
from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.conversation.interactions import MAX_AUDIO_BYTES
from visavis.replica import Emotion


class Listener(SimulatedCall):
    """Keeps the sound itself."""

    def __init__(self) -> None:
        super().__init__()
        self.pcm: list[Pcm] = []

    def send_audio(self, pcm: Pcm, position: int) -> None:
        super().send_audio(pcm, position)
        self.pcm.append(pcm.copy())

    @property
    def heard(self) -> Pcm:
        """All that was heard, from the first sample that is not silent to the last."""
        whole = np.concatenate(self.pcm)
        loud = np.flatnonzero(whole)
        return whole[loud[0] : loud[-1] + 1] if len(loud) else whole[:0]

    def echo(self, pcm: Pcm, rate_hz: int = 48_000, **properties) -> None:
        """Send a chunk of sound."""
        self.type(
            "conversation.echo",
            modality="audio",
            audio=base64.b64encode(pcm.astype("<i2").tobytes()).decode(),
            sample_rate=rate_hz,
            **properties,
        )


def parrot(**flow) -> tuple[World, Listener]:
    here = world([], [], mode="echo", **flow)
    here.call = Listener()
    return here, here.call


def tone(seconds: float, rate_hz: int = 48_000, hertz: float = 200) -> Pcm:
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return (8000 * np.cos(2 * np.pi * hertz * time)).astype(np.int16)


def said(call: SimulatedCall, event_type: str) -> list[tuple]:
    return [
        (e.get("inference_id"), e["properties"]["duration"], e["properties"]["interrupted"])
        for e in call.said(event_type)
    ]


def test_streamed_sound_is_heard_sample_by_sample_with_a_mouth():
    whole = tone(2.0)

    async def work():
        here, call = parrot()

        async def client():
            await asyncio.sleep(1)
            for start in range(0, len(whole), 4800):
                call.echo(whole[start : start + 4800], inference_id="u1")
                await asyncio.sleep(0.1)
            call.echo(np.zeros(1920, np.int16), inference_id="u1", done=True)

        sending = asyncio.create_task(client())
        await here.run_for(5)
        await sending
        return call

    call = simulate(work)
    assert np.array_equal(call.heard[: len(whole) - 1], whole[: len(call.heard)][: len(whole) - 1])
    first = call.sounding()[0]
    assert 1.0 < first <= 1.0 + 0.12
    mouth = [at for at, _, open_ in call.frames if open_]
    assert mouth[0] == first
    assert said(call, "conversation.replica.started_speaking") == [("u1", None, False)]
    assert said(call, "conversation.replica.stopped_speaking") == [("u1", 2.04, False)]
    assert not call.said("conversation.utterance")


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100])
def test_chunks_of_any_size_and_rate_join_without_a_click(rate_hz):
    whole = tone(1.5, rate_hz)
    rng = np.random.default_rng(rate_hz)

    async def work():
        here, call = parrot()

        async def client():
            start = 0
            while start < len(whole):
                size = int(rng.integers(1, rate_hz // 5))
                call.echo(whole[start : start + size], rate_hz, inference_id="u1")
                start += size
                await asyncio.sleep(size / rate_hz * 0.9)
            call.type("conversation.echo", modality="audio", inference_id="u1", done=True)

        sending = asyncio.create_task(client())
        await here.run_for(4)
        await sending
        return call

    heard = simulate(work).heard.astype(float)
    expected = 8000 * np.cos(2 * np.pi * 200 * np.arange(len(heard)) / PLAYOUT_RATE_HZ)
    fade = PLAYOUT_RATE_HZ * 5 // 1000
    assert abs(len(heard) - 1.5 * PLAYOUT_RATE_HZ) <= fade + 10
    assert np.abs(heard - expected)[960 : -960 - fade].max() < 20
