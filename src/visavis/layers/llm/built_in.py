"""The language model that needs no account: our own llama.cpp server, asked as it suits a small model."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from pydantic import SecretStr

from visavis.errors import EngineError
from visavis.layers.llm import Function, Message, Piece, Tokens, ToolRequest, router, words_of
from visavis.layers.llm.endpoint import LAYER, UnreachableError
from visavis.layers.llm.openai_compatible import OpenAICompatible
from visavis.layers.llm.prompt import FACT_FIRST, for_small_model
from visavis.layers.settings import LanguageModelSettings

_log = logging.getLogger(__name__)

_TEMPERATURE = 0.0
"""Always the likeliest word: any more variety is paid for with wrong facts."""

_MAX_TOKENS = 80
"""Three sentences, or half a minute; now and then the 0.5B model recites its whole prompt, which ends here."""

_SHAPE = MappingProxyType({"grammar": FACT_FIRST, "stop": ["\n"]})
"""No repetition penalty: 1.05, 1.1 and DRY made the 0.5B model more wordy and no better."""

_NOTICE_CANCELLATION = MappingProxyType({"return_progress": True})
"""Makes llama.cpp write after every batch of the prompt, which is how it finds out at once that nobody listens; else
it looks once a second."""

_MAX_ROUTER_TOKENS = 120

_READY_TIMEOUT_S = 10.0
"""How long a reply waits for a server that is starting; a crashed one is back in two seconds."""

_CRASH_NOTICED_AFTER_S = 0.2
"""By then the server's supervisor knows that its child has ended, if it has."""

_FIRST_TOKEN_TIMEOUT_S = 60.0
"""A prompt that fills the context takes this long to read on two busy cores."""


class ModelServer(Protocol):
    """A running llama.cpp server: `LlamaServer` in the process that started it, something that knows it elsewhere."""

    @property
    def model(self) -> Path:
        """Its model file."""
        ...

    @property
    def api_key(self) -> SecretStr:
        """What it asks for; known once it is ready."""
        ...

    async def ready(self) -> str:
        """Wait until it answers, after a crash as well; its `base_url`. Raises `visavis.errors.EngineError`."""
        ...

    def rest(self, seconds: float) -> None:
        """See `visavis.layers.llm.LanguageModel.rest`."""
        ...

    def wake(self) -> None:
        """Go on after a `rest`."""
        ...


class BuiltInModel:
    """A `visavis.layers.llm.LanguageModel` on a server, which it follows through restarts."""

    shares_processor = True

    def __init__(self, server: ModelServer) -> None:
        self.server = server
        self._client: OpenAICompatible | None = None
        self._client_url = ""

    async def stream(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> AsyncGenerator[Piece, None]:
        """Yield the reply piece by piece, or one request for a tool; see `visavis.layers.llm.LanguageModel`.

        When the server dies before the first piece, the reply comes from its successor.
        """
        spent = Tokens(0, 0)
        if tools and messages[-1].role == "user":
            wanted, spent = await self._choose(messages, tools)
            if wanted:
                yield wanted
                yield spent
                return
        pieces = 0
        try:
            async with aclosing((await self._current_client()).stream(framed(messages))) as reply:
                async for piece in reply:
                    pieces += 1
                    yield piece + spent if isinstance(piece, Tokens) else piece
            return
        except UnreachableError:
            if pieces:
                raise EngineError(LAYER, "the built-in model stopped unexpectedly and is starting again") from None
        await asyncio.sleep(_CRASH_NOTICED_AFTER_S)
        async with aclosing((await self._current_client()).stream(framed(messages))) as reply:
            async for piece in reply:
                yield piece + spent if isinstance(piece, Tokens) else piece

    async def tool_for(self, messages: Sequence[Message], tools: Sequence[Function]) -> ToolRequest | None:
        """The tool that the person's last words ask for."""
        return (await self._choose(messages, tools))[0]

    async def _choose(
        self, messages: Sequence[Message], tools: Sequence[Function]
    ) -> tuple[ToolRequest | None, Tokens]:
        """The same, and what the choice cost."""
        client = await self._current_client()
        schema = {"type": "json_schema", "json_schema": {"name": "choice", "schema": router.answer_schema(tools)}}
        shape = {"grammar": None, "stop": None, "response_format": schema, "max_tokens": _MAX_ROUTER_TOKENS}
        answer, spent = "", Tokens(0, 0)
        try:
            async with aclosing(client.stream(router.question(messages, tools), more=shape)) as reply:
                async for piece in reply:
                    answer += words_of(piece)
                    spent = piece if isinstance(piece, Tokens) else spent
        except UnreachableError:
            return None, spent  # the reply finds out what is wrong
        return router.chosen(answer), spent

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        """Prepare for a reply to messages that begin like these; see `visavis.layers.llm.LanguageModel`."""
        try:
            client = await self._current_client()
        except EngineError:
            return
        await client.prefill(framed(messages))

    def rest(self, seconds: float) -> None:
        """Let the server stand still; see `visavis.layers.llm.LanguageModel`."""
        self.server.rest(seconds)

    async def aclose(self) -> None:
        """End the connections to the server, which itself goes on."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _current_client(self) -> OpenAICompatible:
        self.server.wake()
        try:
            async with asyncio.timeout(_READY_TIMEOUT_S):
                base_url = await self.server.ready()
        except TimeoutError:
            raise EngineError(LAYER, "the built-in model is still starting; try again in a moment") from None
        if self._client is None or base_url != self._client_url:
            await self.aclose()
            self._client, self._client_url = OpenAICompatible(built_in_settings(self.server, base_url)), base_url
        return self._client


def framed(messages: Sequence[Message]) -> list[Message]:
    """`messages` with the prompt extended by what a small model must be told."""
    plain = router.in_words(messages)
    return [Message("system", for_small_model(m.content)) if m.role == "system" else m for m in plain]


def built_in_settings(server: ModelServer, base_url: str) -> LanguageModelSettings:
    """How the built-in models are asked; chosen by playing two scripted dialogues of twelve turns."""
    return LanguageModelSettings(
        base_url=base_url,
        model=server.model.stem,
        api_key=server.api_key,
        temperature=_TEMPERATURE,
        max_tokens=_MAX_TOKENS,
        extra_body={**_SHAPE, **_NOTICE_CANCELLATION},
        supports_prefill=True,
        first_token_timeout_s=_FIRST_TOKEN_TIMEOUT_S,
    )
