"""How messages, tools and pieces of a reply look in the OpenAI chat-completions protocol."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openai.types.chat import ChatCompletionChunk

from visavis.layers.llm import Function, Message, ToolRequest

_THOUGHT = ("<think>", "</think>")
"""Between these, models that reason write what nobody shall hear, when their server does not take it out."""


def as_json(message: Message) -> dict[str, Any]:
    """A message as the protocol has it."""
    found: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.role == "tool":
        found["tool_call_id"] = message.call_id
    if message.tool_requests:
        found["tool_calls"] = [
            {"id": one.call_id, "type": "function", "function": {"name": one.name, "arguments": one.arguments or "{}"}}
            for one in message.tool_requests
        ]
    return found


def function_as_json(tool: Function) -> dict[str, Any]:
    """A tool as the protocol has it."""
    described = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": described}


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
