"""Waiting for what other tasks bring about."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")


async def until(look: Callable[[], Awaitable[Found]], condition: Callable[[Found], bool], within_s: float) -> Found:
    """What `look` finds once that meets the condition. Raises `TimeoutError`."""
    async with asyncio.timeout(within_s):
        while True:
            if condition(found := await look()):
                return found
            await asyncio.sleep(0.02)
