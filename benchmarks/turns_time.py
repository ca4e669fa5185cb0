"""The sound's own time: an event loop whose clock jumps over silence and stands still while a network computes.

Then what the computation cost is charged to the clock. So a test set runs faster than real time, and every decision
comes as late as it would on an otherwise idle core.
"""

import asyncio
import contextlib
import selectors
import time
from collections.abc import AsyncIterator
from typing import Any

from visavis.audio import Samples
from visavis.layers.stt import SpeechToText, Utterance
from visavis.layers.turn import EndOfTurn, Pause


class _Selector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.computing = 0

    def select(self, timeout: float | None = None) -> Any:
        if self.computing:
            return super().select(0 if timeout == 0 else None)
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class SoundTimeLoop(asyncio.SelectorEventLoop):
    """See above. Time passes only between computations."""

    def __init__(self) -> None:
        self._own = _Selector()
        super().__init__(self._own)

    def time(self) -> float:
        """Seconds of sound so far."""
        return self._own.now

    @contextlib.asynccontextmanager
    async def charged(self) -> AsyncIterator[None]:
        """Work in threads is awaited inside; its processor time (networks run on one thread) passes afterwards."""
        began = time.process_time()
        self._own.computing += 1
        try:
            yield
        finally:
            self._own.computing -= 1
        await asyncio.sleep(time.process_time() - began)


def _charged() -> contextlib.AbstractAsyncContextManager[None]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SoundTimeLoop)
    return loop.charged()


class ChargedRecogniser:
    """A recogniser whose work takes its time."""

    def __init__(self, recogniser: SpeechToText) -> None:
        self._recogniser = recogniser

    def utterance(self) -> "_ChargedUtterance":
        """Start recognising a new stretch of speech."""
        return _ChargedUtterance(self._recogniser.utterance())


class _ChargedUtterance:
    def __init__(self, utterance: Utterance) -> None:
        self._utterance = utterance

    def feed(self, samples: Samples) -> None:
        self._utterance.feed(samples)

    async def partial(self) -> str:
        async with _charged():
            return await self._utterance.partial()

    async def final(self) -> str:
        async with _charged():
            return await self._utterance.final()


class ChargedEndOfTurn:
    """A judge of the end of turn whose work takes its time."""

    def __init__(self, judge: EndOfTurn) -> None:
        self._judge = judge

    async def probability(self, pause: Pause) -> float:
        """That of the judge."""
        async with _charged():
            return await self._judge.probability(pause)
