"""Language model: what the replica says."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the context."""

    role: Literal["system", "user", "assistant"]
    content: str


class LanguageModel(Protocol):
    """A conversational model; one instance serves all calls of a process."""

    def stream(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        """Yield the reply to `messages` piece by piece.

        Closing the iterator stops the generation. Raises `visavis.errors.EngineError`.
        """
        ...

    async def prefill(self, messages: Sequence[Message]) -> None:
        """Prepare for a `stream` call whose messages begin like these. A hint: failures are not raised."""
        ...

    def rest(self, seconds: float) -> None:
        """Leave this machine's processor to others for `seconds`, or until the next call of the above. A hint."""
        ...
