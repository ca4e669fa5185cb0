"""Time as an argument, so that a ten-minute call is a one-second test."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where the conversation gets its time from."""

    def now(self) -> float:
        """Seconds on a clock that never jumps."""
        ...

    def unix(self) -> float:
        """Seconds since 1970, for people."""
        ...

    async def sleep_until(self, when: float) -> None:
        """Return when `now()` has reached `when`."""
        ...


class LoopClock:
    """The event loop's own clock; under a simulated loop the whole conversation runs on simulated time."""

    def __init__(self) -> None:
        self._offset = time.time() - asyncio.get_running_loop().time()

    def now(self) -> float:
        """Seconds on the event loop's clock."""
        return asyncio.get_running_loop().time()

    def unix(self) -> float:
        """Seconds since 1970, advancing with `now`."""
        return self.now() + self._offset

    async def sleep_until(self, when: float) -> None:
        """Return when `now()` has reached `when`."""
        await asyncio.sleep(max(0.0, when - self.now()))
