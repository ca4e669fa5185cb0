"""Speech to text: what the person is saying, while and after they say it."""

from typing import Protocol

from visavis.audio import Samples


class Utterance(Protocol):
    """Recognition of one stretch of speech, from its first sound until the turn is over."""

    def feed(self, samples: Samples) -> None:
        """Append 16 kHz sound. Never blocks."""
        ...

    async def partial(self) -> str:
        """Text of everything fed so far, as fast as possible; may still change."""
        ...

    async def final(self) -> str:
        """Text of everything fed so far, as well as possible.

        May be called at a pause and again at the next if the person went on.
        Raises `visavis.errors.EngineError`.
        """
        ...


class SpeechToText(Protocol):
    """A recogniser; one instance serves all calls of a process."""

    def utterance(self) -> Utterance:
        """Start recognising a new stretch of speech."""
        ...
