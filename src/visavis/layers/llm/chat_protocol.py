"""How messages, tools and pieces of a reply look in the OpenAI chat-completions protocol."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openai.types.chat import ChatCompletionChunk

from visavis.layers.llm import Function, Message, Tokens, ToolRequest

_THOUGHT = ("<think>", "</think>")
"""Between these, models that reason write what nobody shall hear, when their server does not take it out."""


def as_json(message: Message, *, pictures: bool = False) -> dict[str, Any]:
    """A message as the protocol has it, with its picture if `pictures` are taken."""
    found: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.picture and pictures:
        shown = {"type": "image_url", "image_url": {"url": picture_url(message.picture)}}
        found["content"] = [{"type": "text", "text": message.content}, shown]
    if message.role == "tool":
        found["tool_call_id"] = message.call_id
    if message.tool_requests:
        found["tool_calls"] = [
            {"id": one.call_id, "type": "function", "function": {"name": one.name, "arguments": one.arguments or "{}"}}
            for one in message.tool_requests
        ]
    return found


def picture_url(jpeg: bytes) -> str:
    """A picture as an address that holds it whole."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def cost(chunk: ChatCompletionChunk) -> Tokens | None:
    """What the reply costs, if the chunk says so."""
    usage = chunk.usage
    if usage is None or not isinstance(usage.prompt_tokens, int) or not isinstance(usage.completion_tokens, int):
        return None
    details = usage.prompt_tokens_details
    return Tokens(usage.prompt_tokens, usage.completion_tokens, (details.cached_tokens if details else None) or 0)


def function_as_json(tool: Function) -> dict[str, Any]:
    """A tool as the protocol has it."""
    return {"type": "function", "function": _described(tool)}


def flat_function_as_json(tool: Function) -> dict[str, Any]:
    """The same as OpenAI's later protocols have it."""
    return {"type": "function", **_described(tool)}


def _described(tool: Function) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}


@dataclass(slots=True)
class _Growing:
    call_id: str = ""
    name: str = ""
    arguments: str = ""


class StreamedRequests:
    """Requests for tools, which arrive in pieces."""

    def __init__(self) -> None:
        self._growing: dict[int, _Growing] = {}

    def read(self, chunk: ChatCompletionChunk) -> bool:
        """Take the next chunk; whether it had a piece of a request."""
        found = False
        for choice in chunk.choices:
            for piece in choice.delta.tool_calls or ():
                found = True
                # Some servers leave the index out where there is only one.
                growing = self._growing.setdefault(piece.index or 0, _Growing())
                growing.call_id = growing.call_id or piece.id or ""
                if piece.function:
                    growing.name += piece.function.name or ""
                    growing.arguments += piece.function.arguments or ""
        return found

    def all(self) -> Iterator[ToolRequest]:
        """The requests, now that the stream is over."""
        return (ToolRequest(one.call_id, one.name, one.arguments) for _, one in sorted(self._growing.items()))


class Words:
    """The words of a reply, without the thoughts that some models write before them."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False

    def read(self, chunk: ChatCompletionChunk) -> str:
        """Take the next chunk; what can be spoken now."""
        return self.feed("".join(choice.delta.content or "" for choice in chunk.choices))

    def feed(self, text: str) -> str:
        """The same for bare text."""
        self._held += text
        spoken = ""
        while self._held:
            mark = _THOUGHT[self._thinking]
            before, found, after = self._held.partition(mark)
            if found:
                spoken += "" if self._thinking else before
                self._held, self._thinking = after, not self._thinking
                continue
            keep = _beginning_at_end(self._held, mark)
            spoken += "" if self._thinking else self._held[: len(self._held) - keep]
            self._held = self._held[len(self._held) - keep :]
            break
        return spoken

    def rest(self) -> str:
        """What was held back because it looked like a mark, now that the stream is over."""
        return "" if self._thinking else self._held


def _beginning_at_end(text: str, mark: str) -> int:
    """How many characters at the end of `text` may be the beginning of `mark`."""
    return next((n for n in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:n])), 0)
