"""Language model: what the replica says."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Function:
    """What a model is told of a tool that it may use."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of an object."""


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The model wants a tool used."""

    call_id: str
    """Given by whoever answers; unique in a conversation."""
    name: str
    arguments: str
    """JSON as the model wrote it: it may be anything."""


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the context."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_requests: tuple[ToolRequest, ...] = ()
    """Of an assistant's message: the tools that it wanted used. As many messages of role `tool` follow it."""
    call_id: str = ""
    """Of a tool's message: which request it answers."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How likely somebody's words so far are their last: log probabilities, at least -14."""

    of_turn: float
    """That nothing follows."""
    of_sentence: float
    """That a full stop, question mark or exclamation mark follows."""


class LanguageModel(Protocol):
    """A conversational model; one instance serves all calls of a process."""

    @property
    def shares_processor(self) -> bool:
        """It computes where the recogniser does: ask it for a reply only after the end of the turn was judged."""
        ...

    def stream(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> AsyncIterator[str | ToolRequest]:
        """Yield the reply to `messages` piece by piece; among and after its words, what `tools` shall be used.

        Closing the iterator stops the generation. Raises `visavis.errors.EngineError`.
        """
        ...

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        """Prepare for a `stream` call that begins like these. A hint: failures are not raised."""
        ...

    async def ending(self, messages: Sequence[Message]) -> Ending | None:
        """How likely the last message, the person's, is complete; None where the model cannot tell. Never raises."""
        ...

    def rest(self, seconds: float) -> None:
        """Leave this machine's processor to others for `seconds`, or until the next call of the above. A hint."""
        ...
