"""Any language model behind the OpenAI chat-completions protocol: vendors, Ollama, vLLM, our own llama.cpp."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import openai
from openai.types.chat import ChatCompletionChunk

from visavis.layers.llm import Function, Message, Piece, Tokens
from visavis.layers.llm.chat_protocol import StreamedRequests, Words, as_json, cost, function_as_json
from visavis.layers.llm.endpoint import Endpoint, Pace
from visavis.layers.settings import LanguageModelSettings

_log = logging.getLogger(__name__)


class OpenAICompatible:
    """A `visavis.layers.llm.LanguageModel`. Owns its HTTP connections, which `aclose` ends."""

    shares_processor = False

    def __init__(self, settings: LanguageModelSettings) -> None:
        self._endpoint = Endpoint(settings)
        self._settings = settings
        self._prefill: asyncio.Task[None] | None = None

    @property
    def takes_pictures(self) -> bool:
        """See `visavis.layers.llm.takes_pictures`."""
        return self._endpoint.sees

    async def aclose(self) -> None:
        """End all connections; the model cannot be used any more."""
        self.cancel_prefill()
        await self._endpoint.aclose()

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Function] = (), more: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[Piece, None]:
        """Yield the reply piece by piece; see `visavis.layers.llm.LanguageModel`.

        `more` are further members of this request's body; None takes one out that every request has.

        Closing the iterator or cancelling its reader closes the connection, which makes servers stop decoding.
        """
        self.cancel_prefill()
        endpoint, pace = self._endpoint, Pace(self._settings)
        response: openai.AsyncStream[ChatCompletionChunk] = await endpoint.opened(
            lambda: endpoint.client.chat.completions.create(**self._counted(messages, tools, more), stream=True),
            pace,
            pictures=any(message.picture for message in messages),
        )
        try:
            is_chat, spent = False, None
            requests, words = StreamedRequests(), Words()
            while (read := await endpoint.in_time(_next_piece(response, words, requests), pace)) is not None:
                is_chat = True
                piece, goes_on, total = read
                spent = total or spent
                if piece:
                    yield piece
                if goes_on:
                    pace.went_on()
            if not is_chat:
                raise endpoint.failure("answered with something that is not a streamed chat completion; check base_url")
            if rest := words.rest():
                yield rest
            for request in requests.all():
                yield request
            if spent:
                yield spent
        finally:
            await response.close()

    def rest(self, seconds: float) -> None:
        """Nothing: the work is done elsewhere."""

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        """Let the server read `messages` into its cache; see `visavis.layers.llm.LanguageModel`.

        Only the newest prefill counts: it cancels one that is still running, and `stream` cancels both, so that
        they never queue up in front of a reply.
        """
        if not self._settings.supports_prefill:
            return
        self.cancel_prefill()
        prefill = self._prefill = asyncio.create_task(self._read_into_cache(messages, tools))
        try:
            await asyncio.wait({prefill})
        finally:
            prefill.cancel()

    async def _read_into_cache(self, messages: Sequence[Message], tools: Sequence[Function]) -> None:
        try:
            request = self._request(messages, tools) | {"max_tokens": 0}
            async with await self._endpoint.client.chat.completions.create(**request, stream=True) as response:
                async for _ in response:
                    pass
        except Exception as error:  # a hint may fail in any way, also by an answer that cannot be read
            _log.debug("prefill failed: %s", type(error).__name__)

    def cancel_prefill(self) -> None:
        """Stop a prefill that is still running."""
        if self._prefill is not None:
            self._prefill.cancel()
            self._prefill = None

    def _counted(
        self, messages: Sequence[Message], tools: Sequence[Function], more: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        body = self._request(messages, tools)
        if more:
            members = {**body["extra_body"], **more}
            body["extra_body"] = {name: value for name, value in members.items() if value is not None}
        return {"stream_options": {"include_usage": True}, **body} if self._endpoint.counts else body

    def _request(self, messages: Sequence[Message], tools: Sequence[Function]) -> dict[str, Any]:
        settings = self._settings
        options = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
        return {
            "model": settings.model,
            "messages": [as_json(message, pictures=self._endpoint.sees) for message in messages],
            "extra_body": dict(settings.extra_body),
            **({"tools": [function_as_json(tool) for tool in tools]} if tools else {}),
            **{name: value for name, value in options.items() if value is not None},
        }


async def _next_piece(
    response: openai.AsyncStream[ChatCompletionChunk], words: Words, requests: StreamedRequests
) -> tuple[str, bool, Tokens | None] | None:
    """What can be spoken of the next chunk, whether it carried anything of the reply, and what it says of the cost.

    None after the last one.
    """
    chunk = await anext(response, None)
    if chunk is None:
        return None
    piece, wanted = words.read(chunk), requests.read(chunk)
    return piece, wanted or bool(piece), cost(chunk)
