"""A strategy that was tried and not chosen: the small model says the first clause, the larger one goes on from there.

Kept as a measurement: `python -m benchmarks.dialogue fast quality mixed` says what it gains and what it costs.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from visavis import models
from visavis.conversation.clauses import ClauseSplitter
from visavis.layers.llm import Function, LanguageModel, Message, words_of
from visavis.layers.llm.built_in import built_in_settings, framed
from visavis.layers.llm.choice import LANGUAGE_MODELS, Quality
from visavis.layers.llm.llama_server import LlamaServer
from visavis.layers.llm.openai_compatible import OpenAICompatible

_SAYABLE = r"root ::= [^\n*#_<>{}|]*"


@asynccontextmanager
async def two_speeds() -> AsyncIterator[LanguageModel]:
    """Both built-in models, each on its own server."""
    async with AsyncExitStack() as stack:
        small = await stack.enter_async_context(_client("fast"))
        yield TwoSpeeds(small, await stack.enter_async_context(_client("quality", _SAYABLE)))


class TwoSpeeds:
    """A `visavis.layers.llm.LanguageModel` made of two."""

    shares_processor = True

    def __init__(self, small: OpenAICompatible, large: OpenAICompatible) -> None:
        self._small, self._large = small, large

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        """Let the small one read first: it is the one whose first word is waited for."""
        await self._small.prefill(framed(messages))
        await self._large.prefill(framed(messages))

    async def stream(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> AsyncIterator[str]:
        """The small model's first clause, then what the larger one makes of it."""
        asked, splitter, clause = framed(messages), ClauseSplitter(), ""
        async with aclosing(self._small.stream(asked)) as reply:
            async for piece in reply:
                if clauses := splitter.feed(words_of(piece)):
                    clause = clauses[0]
                    break
        clause = clause or " ".join(splitter.flush())
        yield f"{clause} "
        async with aclosing(self._large.stream([*asked, Message("assistant", clause)])) as rest:
            joined = False
            async for piece in rest:
                yield words_of(piece) if joined else words_of(piece).lstrip()
                joined = True


@asynccontextmanager
async def _client(quality: Quality, grammar: str | None = None) -> AsyncIterator[OpenAICompatible]:
    async with LlamaServer(next(models.path(LANGUAGE_MODELS[quality]).glob("*.gguf"))) as server:
        settings = built_in_settings(server, await server.ready())
        if grammar:
            settings = settings.model_copy(update={"extra_body": {**settings.extra_body, "grammar": grammar}})
        client = OpenAICompatible(settings)
        try:
            yield client
        finally:
            await client.aclose()
