"""Stopping and going on, sample by sample."""

import asyncio

import numpy as np

from tests.conversation.simulation import CountingFace, SimulatedCall, simulate
from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.conversation.clock import LoopClock
from visavis.conversation.playout import FADE, SEGMENT, Playout, Segment


class Tone:
    """An endless loud hum."""

    exhausted = False

    def __init__(self) -> None:
        self.taken = 0

    def take(self) -> Segment:
        time = (np.arange(SEGMENT) + self.taken * SEGMENT) / PLAYOUT_RATE_HZ
        self.taken += 1
        return Segment((10_000 * np.sin(2 * np.pi * 150 * time)).astype(np.int16), 1)


class Listener(SimulatedCall):
    """Keeps the sound itself."""

    def __init__(self) -> None:
        super().__init__()
        self.pcm: list[Pcm] = []

    def send_audio(self, pcm: Pcm, position: int) -> None:
        self.pcm.append(pcm.copy())


def heard(*steps: tuple[float, str]) -> np.ndarray:
    """What is heard when the methods named in `steps` are called at their times."""

    async def work() -> np.ndarray:
        call = Listener()
        playout = Playout(call, CountingFace(), LoopClock())
        playout.play(Tone())
        run = asyncio.create_task(playout.run())
        for at, step in steps:
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            if step == "go on":
                playout.go_on(0.0)
            elif step != "end":
                getattr(playout, step)()
        run.cancel()
        return np.concatenate(call.pcm)

    result: np.ndarray = simulate(work)
    return result


def largest_step(pcm: np.ndarray) -> int:
    return int(np.abs(np.diff(pcm.astype(int))).max())


def test_stopped_speech_falls_to_silence_within_30_ms_without_a_click():
    for stop_at in (0.21, 0.23):  # in the first and in the second half of a segment
        pcm = heard((stop_at, "clear"), (0.5, "end"))
        stopped = round(0.22 * PLAYOUT_RATE_HZ) if stop_at < 0.22 else round(0.24 * PLAYOUT_RATE_HZ)
        assert np.abs(pcm[stopped - 960 : stopped]).max() > 9_000
        assert not pcm[stopped + FADE :].any()
        assert pcm[stopped : stopped + FADE].any()
        assert largest_step(pcm) <= largest_step(pcm[:stopped]) + 1


def test_held_speech_is_silent_until_it_goes_on():
    pcm = heard((0.2, "hold"), (0.6, "go on"), (1.0, "end"))
    silent = pcm[round(0.3 * PLAYOUT_RATE_HZ) : round(0.6 * PLAYOUT_RATE_HZ)]
    assert not silent.any()
    assert np.abs(pcm[round(0.66 * PLAYOUT_RATE_HZ) :]).max() > 9_000


def test_stopping_what_is_held_makes_no_further_sound():
    pcm = heard((0.2, "hold"), (0.4, "clear"), (0.8, "end"))
    assert not pcm[round(0.3 * PLAYOUT_RATE_HZ) :].any()
