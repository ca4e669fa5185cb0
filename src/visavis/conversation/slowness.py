"""A word to the person who waits for a language model that takes long to begin."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from visavis.layers.llm import Piece

SLOW = ((3.0, "Let me think for a moment."), (7.0, "Sorry, this is taking me a little longer than usual."))
"""Seconds since the person began to wait, or since the word before, and what is said then."""


async def not_in_silence(pieces: AsyncGenerator[Piece, None], waited_for: asyncio.Event) -> AsyncGenerator[Piece, None]:
    """`pieces`, and words of our own while none has come; `waited_for` is set once the person waits for them."""
    async with aclosing(pieces):
        first = asyncio.ensure_future(anext(pieces))
        try:
            async for word in _meanwhile(first, waited_for):
                yield word
            with suppress(StopAsyncIteration):
                yield await first
                async for piece in pieces:
                    yield piece
        finally:
            first.cancel()
            await asyncio.wait([first])  # what still runs cannot be closed


async def _meanwhile(first: asyncio.Future[Piece], waited_for: asyncio.Event) -> AsyncGenerator[str, None]:
    waiting = asyncio.ensure_future(waited_for.wait())
    try:
        either: list[asyncio.Future[Any]] = [first, waiting]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        for seconds, words in SLOW:
            await asyncio.wait([first], timeout=seconds)
            if first.done():
                return
            yield f"{words} "
    finally:
        waiting.cancel()
