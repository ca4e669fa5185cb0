"""End of turn as somebody else judges it, with the built-in judgement for when they are late or fail."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from visavis.errors import EngineError
from visavis.layers.turn import EndOfTurn, TurnDetector, UnreadPause

_log = logging.getLogger(__name__)

LATE_S = 0.3
"""Longest wait for a detector, from when the words are known."""

REST_S = 30.0
"""How long a detector that has failed is not asked again."""

_MOST_LATE = 3
"""Pauses in a row at which a detector may be late before it rests."""


class DetectedEndOfTurn:
    """A `visavis.layers.turn.EndOfTurn` for one conversation. Owner of whether the detector rests."""

    def __init__(self, detector: TurnDetector, built_in: EndOfTurn, late_s: float = LATE_S) -> None:
        """`built_in` judges meanwhile, and counts where `detector` does not answer within `late_s`."""
        self._detector = detector
        self._built_in = built_in
        self._late_s = late_s
        self._rests_until = 0.0
        self._late = 0

    async def probabilities(self, pause: UnreadPause) -> AsyncGenerator[float, None]:
        """Yield the probability that the turn is complete; see `visavis.layers.turn.EndOfTurn`."""
        if time.monotonic() < self._rests_until:
            async with aclosing(self._built_in.probabilities(pause)) as own:
                async for probability in own:
                    yield probability
            return
        words = asyncio.ensure_future(pause.words)
        meanwhile = dataclasses.replace(pause, words=words)
        verdicts_of_built_in: asyncio.Queue[float | None] = asyncio.Queue()  # two at most
        judging = asyncio.create_task(self._judge(meanwhile, verdicts_of_built_in))
        try:
            if (detected := await self._ask(pause, await words)) is not None:
                yield detected
                return
            while (verdict := await verdicts_of_built_in.get()) is not None:
                yield verdict
            await judging
        finally:
            judging.cancel()
            words.cancel()
            await asyncio.gather(judging, words, return_exceptions=True)

    async def _judge(self, pause: UnreadPause, into: asyncio.Queue[float | None]) -> None:
        try:
            async with aclosing(self._built_in.probabilities(pause)) as verdicts:
                async for verdict in verdicts:
                    into.put_nowait(verdict)
        finally:
            into.put_nowait(None)

    async def _ask(self, pause: UnreadPause, words: str) -> float | None:
        """What the detector says, None where it says nothing of use."""
        try:
            async with asyncio.timeout(self._late_s):
                said = await self._detector.probability(pause.read(words))
            if not 0.0 <= said <= 1.0:
                raise EngineError("turn detector", f"said {said!r}, which is no probability")
        except TimeoutError:
            self._late += 1
            if self._late < _MOST_LATE:
                return None
            problem = f"turn detector: was {self._late} times later than {1000 * self._late_s:.0f} ms"
        except EngineError as error:
            problem = str(error)
        except Exception as error:  # a detector of another package may fail in any way
            problem = f"turn detector: failed ({type(error).__name__})"
        else:
            self._late = 0
            return float(said)
        self._late = 0
        self._rests_until = time.monotonic() + REST_S
        _log.error("%s; the built-in judgement counts for %g s", problem, REST_S)
        return None
