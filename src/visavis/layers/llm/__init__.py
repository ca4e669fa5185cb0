"""Language model: what the replica says."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the context."""

    role: Literal["system", "user", "assistant"]
    content: str


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

    def stream(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        """Yield the reply to `messages` piece by piece.

        Closing the iterator stops the generation. Raises `visavis.errors.EngineError`.
        """
        ...

    async def prefill(self, messages: Sequence[Message]) -> None:
        """Prepare for a `stream` call whose messages begin like these. A hint: failures are not raised."""
        ...

    async def ending(self, messages: Sequence[Message]) -> Ending | None:
        """How likely the last message, the person's, is complete; None where the model cannot tell. Never raises."""
        ...

    def rest(self, seconds: float) -> None:
        """Leave this machine's processor to others for `seconds`, or until the next call of the above. A hint."""
        ...
