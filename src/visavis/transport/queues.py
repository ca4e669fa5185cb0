"""Bounded queue between a network and one reader; when it is full the oldest item gives way to the newest."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class DropOldest(Generic[T]):
    """Queue of at most `size` items for one reader on the same event loop.

    Iterating waits for items and stops once `end` was called and everything has been read. Late media is
    worthless, so `put` never waits: it discards the oldest item and counts it in `dropped`.
    """

    def __init__(self, size: int) -> None:
        self._items: deque[T] = deque(maxlen=size)
        self._changed = asyncio.Event()
        self._ended = False
        self.dropped = 0

    def put(self, item: T) -> bool:
        """Append `item`; False when something older was dropped for it. Ignored after `end`."""
        if self._ended:
            return True
        fits = len(self._items) != self._items.maxlen
        self.dropped += not fits
        self._items.append(item)
        self._changed.set()
        return fits

    def end(self) -> None:
        """Let the reader stop after the items already here."""
        self._ended = True
        self._changed.set()

    async def get(self) -> T:
        """The next item; raises `StopAsyncIteration` at the end."""
        while not self._items:
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()

    def __len__(self) -> int:
        return len(self._items)

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        return await self.get()
