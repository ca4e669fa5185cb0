"""A language model that is asked once more when it is busy, and replaced by another one when it fails."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from visavis.errors import EngineError
from visavis.layers.llm import Function, LanguageModel, Message, Piece, Tokens, takes_pictures
from visavis.layers.llm.endpoint import TemporaryError

_log = logging.getLogger(__name__)

RETRY_AFTER_S = 0.4


class FallbackModel:
    """A `visavis.layers.llm.LanguageModel`; without a `second`, failures are raised as they are."""

    def __init__(self, first: LanguageModel, second: LanguageModel | None = None, *, retries: int = 1) -> None:
        self._first, self._second, self._retries = first, second, retries

    @property
    def shares_processor(self) -> bool:
        """See `visavis.layers.llm.LanguageModel`, as for all that follow."""
        return self._first.shares_processor

    @property
    def takes_pictures(self) -> bool:
        return takes_pictures(self._first)

    async def stream(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> AsyncGenerator[Piece, None]:
        for attempt in range(self._retries + 1):
            begun = False
            try:
                async with aclosing(self._first.stream(messages, tools)) as reply:  # type: ignore[type-var]
                    async for piece in reply:
                        begun = begun or not isinstance(piece, Tokens)
                        yield piece
                return
            except EngineError as error:
                if begun:
                    raise
                if isinstance(error, TemporaryError) and attempt < self._retries:
                    await asyncio.sleep(RETRY_AFTER_S)
                    continue
                if self._second is None:
                    raise
                _log.error("%s; the other language model answers", error)
                break
        assert self._second
        async with aclosing(self._second.stream(messages, tools)) as reply:  # type: ignore[type-var]
            async for piece in reply:
                yield piece

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        await self._first.prefill(messages, tools)

    def rest(self, seconds: float) -> None:
        self._first.rest(seconds)
