"""Signals that turn-taking is decided on: is somebody speaking, and do they sound finished?"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from visavis.audio import Samples

VAD_FRAME = 512
"""Samples of one voice-activity frame: 32 ms at 16 kHz."""


class VoiceActivity(Protocol):
    """Voice activity of one stream of sound. Keeps state: frames are fed in order."""

    def probability(self, frame: Samples) -> float:
        """Probability that `frame` (float32[512], 16 kHz) contains speech. Takes well under a millisecond."""
        ...

    def reset(self) -> None:
        """Forget everything heard so far."""
        ...


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence in the person's speech, and what led up to it."""

    sound: Samples
    """The turn so far (float32[N], 16 kHz), at least its last 8 s; ends in `silence_s` of silence."""
    silence_s: float
    """How long the person has been silent."""
    text: str
    """What they said, up to the pause."""
    asked: str = ""
    """The replica's last words: to a question, a short answer is complete."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How likely somebody's words so far are their last: log probabilities, at least -14."""

    of_turn: float
    """That nothing follows."""
    of_sentence: float
    """That a full stop, question mark or exclamation mark follows."""


class WordsJudge(Protocol):
    """A language model that reads along and judges by the words alone; one instance serves all calls of a process."""

    async def read(self, asked: str, text: str) -> None:
        """Prepare for the `ending` of words that begin like these. A hint: failures are not raised."""
        ...

    async def ending(self, asked: str, text: str) -> Ending | None:
        """How likely `text`, said after the replica's words `asked`, is complete; None if it cannot tell in time.

        Never raises.
        """
        ...


AskEnding: TypeAlias = Callable[[str], Awaitable[Ending | None]]
"""`WordsJudge.ending` of these words in the conversation."""


@dataclass(frozen=True, slots=True)
class UnreadPause:
    """A pause whose words are still being recognised, so that the sound can be judged meanwhile."""

    sound: Samples
    silence_s: float
    words: Awaitable[str]
    asked: str = ""
    """These are as in `Pause`."""
    ending: AskEnding | None = None
    """Asked in doubt only, as it takes a language model's time; None where there is none."""

    def read(self, words: str) -> Pause:
        """The pause, now that the words are known."""
        return Pause(self.sound, self.silence_s, words, self.asked)


class EndOfTurn(Protocol):
    """Judges from sound and words whether the speaker has finished."""

    def probabilities(self, pause: UnreadPause) -> AsyncGenerator[float, None]:
        """Yield the calibrated probability that the turn is complete: of the pauses given .9, nine in ten are the end.

        Another one follows when more is known. Raises `visavis.errors.EngineError`, and what awaiting the words raises.
        """
        ...


class TurnDetector(Protocol):
    """Somebody else's judgement at a pause: an engine of another package, or a server. Serves one conversation."""

    async def probability(self, pause: Pause) -> float:
        """Probability that the person has finished; 0 to 1. Raises `visavis.errors.EngineError`."""
        ...
