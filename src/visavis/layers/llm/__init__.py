"""Language model: what the replica says."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
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
    picture: bytes | None = field(default=None, repr=False)
    """Of a person's message: what they show, a JPEG, for models that take pictures; others leave it aside."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a reply has cost, as its server counts."""

    read: int
    """Of the messages, known ones included."""
    written: int
    """Thoughts and requests for tools included."""
    cached: int = 0
    """Of those read, how many the server still knew."""

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.read + other.read, self.written + other.written, self.cached + other.cached)


Piece = str | ToolRequest | Tokens
"""Of a reply."""


class LanguageModel(Protocol):
    """A conversational model; one instance serves all calls of a process."""

    @property
    def shares_processor(self) -> bool:
        """It computes where the recogniser does: ask it for a reply only after the end of the turn was judged."""
        ...

    def stream(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> AsyncIterator[Piece]:
        """Yield the reply to `messages` piece by piece; among and after its words, what `tools` shall be used.

        The last piece is what all of it cost, where that is known.
        Closing the iterator stops the generation. Raises `visavis.errors.EngineError`.
        """
        ...

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        """Prepare for a `stream` call that begins like these. A hint: failures are not raised."""
        ...

    def rest(self, seconds: float) -> None:
        """Leave this machine's processor to others for `seconds`, or until the next call of the above. A hint."""
        ...


def takes_pictures(model: LanguageModel) -> bool:
    """Whether a model may be shown pictures: it says so by an attribute of this name."""
    return bool(getattr(model, "takes_pictures", False))


def words_of(piece: Piece) -> str:
    """What of a piece is to be said."""
    return piece if isinstance(piece, str) else ""
