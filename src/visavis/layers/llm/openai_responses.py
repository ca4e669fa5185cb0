"""Any language model behind the OpenAI Responses protocol. Nothing of a conversation is left with the server."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

import openai
from openai.types.responses import ResponseFunctionToolCall, ResponseStreamEvent, ResponseUsage

from visavis.errors import EngineError
from visavis.layers.llm import Function, Message, Piece, Tokens, ToolRequest
from visavis.layers.llm.chat_protocol import Words, flat_function_as_json, picture_url
from visavis.layers.llm.endpoint import Endpoint, Pace
from visavis.layers.settings import LanguageModelSettings


class OpenAIResponses:
    """A `visavis.layers.llm.LanguageModel`. Owns its HTTP connections, which `aclose` ends."""

    shares_processor = False

    def __init__(self, settings: LanguageModelSettings) -> None:
        self._endpoint = Endpoint(settings)
        self._settings = settings

    @property
    def takes_pictures(self) -> bool:
        """See `visavis.layers.llm.takes_pictures`."""
        return self._endpoint.sees

    async def aclose(self) -> None:
        """End all connections; the model cannot be used any more."""
        await self._endpoint.aclose()

    async def stream(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> AsyncGenerator[Piece, None]:
        """Yield the reply piece by piece; see `visavis.layers.llm.LanguageModel`. Reasoning is left out."""
        endpoint, pace = self._endpoint, Pace(self._settings)
        response: openai.AsyncStream[ResponseStreamEvent] = await endpoint.opened(
            lambda: endpoint.client.responses.create(**self._request(messages, tools), stream=True),
            pace,
            pictures=any(message.picture for message in messages),
        )
        reading = _Reading(endpoint)
        try:
            while (pieces := await endpoint.in_time(reading.next(response), pace)) is not None:
                for piece in pieces:
                    yield piece
                if pieces:
                    pace.went_on()
            for piece in reading.rest():
                yield piece
        finally:
            await response.close()

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        """Nothing: the protocol cannot ask for that."""

    def rest(self, seconds: float) -> None:
        """Nothing: the work is done elsewhere."""

    def _request(self, messages: Sequence[Message], tools: Sequence[Function]) -> dict[str, Any]:
        settings = self._settings
        instructions = "\n\n".join(message.content for message in messages if message.role == "system")
        options = {"temperature": settings.temperature, "max_output_tokens": settings.max_tokens}
        return {
            "model": settings.model,
            "input": [item for message in messages for item in _items(message, pictures=self._endpoint.sees)],
            "store": False,
            "extra_body": dict(settings.extra_body),
            **({"instructions": instructions} if instructions else {}),
            **({"tools": [flat_function_as_json(tool) | {"strict": False} for tool in tools]} if tools else {}),
            **{name: value for name, value in options.items() if value is not None},
        }


class _Reading:
    """One reply, event by event."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._words = Words()
        self._requests: list[ToolRequest] = []
        self._tokens: Tokens | None = None
        self._ended = False

    async def next(self, response: openai.AsyncStream[ResponseStreamEvent]) -> list[Piece] | None:
        """What of the next event is for the conversation; None after the last one. Raises `EngineError`."""
        event = await anext(response, None)
        if event is None:
            return None
        match event.type:
            case "response.output_text.delta" | "response.refusal.delta":
                words = self._words.feed(event.delta)
                return [words] if words else []
            case "response.output_item.done" if isinstance(event.item, ResponseFunctionToolCall):
                self._requests.append(ToolRequest(event.item.call_id, event.item.name, event.item.arguments))
            case "response.completed" | "response.incomplete":
                self._ended = True
                self._tokens = _tokens(event.response.usage)
            case "response.failed":
                error = event.response.error
                raise self._failure(error.message if error else "no reason given")
            case "error":
                raise self._failure(event.message)
        return []

    def rest(self) -> Iterator[Piece]:
        """What comes when all events have been read. Raises `EngineError` when they were no reply."""
        if not self._ended:
            raise self._endpoint.failure("answered with something that is not a streamed response; check base_url, api")
        if words := self._words.rest():
            yield words
        yield from self._requests
        if self._tokens:
            yield self._tokens

    def _failure(self, message: str) -> EngineError:
        return self._endpoint.failure(f"reported: {self._endpoint.without_secrets(message)}")


def _items(message: Message, *, pictures: bool) -> Iterator[dict[str, Any]]:
    """A message as the protocol's input has it; the prompt is not part of that."""
    if message.role == "tool":
        yield {"type": "function_call_output", "call_id": message.call_id, "output": message.content}
        return
    if message.role == "user" and message.picture and pictures:
        shown = {"type": "input_image", "image_url": picture_url(message.picture), "detail": "auto"}
        yield {"role": "user", "content": [{"type": "input_text", "text": message.content}, shown]}
    elif message.role != "system" and message.content:
        yield {"role": message.role, "content": message.content}
    for one in message.tool_requests:
        arguments = one.arguments or "{}"
        yield {"type": "function_call", "call_id": one.call_id, "name": one.name, "arguments": arguments}


def _tokens(usage: ResponseUsage | None) -> Tokens | None:
    if usage is None:
        return None
    details = usage.input_tokens_details
    return Tokens(usage.input_tokens, usage.output_tokens, details.cached_tokens if details else 0)
