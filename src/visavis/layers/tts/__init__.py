"""Text to speech: how the replica says it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from visavis.audio import Pcm


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the text as written, and when it is heard; seconds from the start of its `Speech`."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One phoneme (IPA, as in the misaki alphabet) and when it sounds; seconds from the start of its `Speech`."""

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Speech:
    """A piece of spoken text.

    `pcm` is mono int16 at `visavis.audio.PLAYOUT_RATE_HZ`. The words, joined by single spaces, are the text.
    `phonemes` is empty for engines that do not know them; the mouth then follows the sound alone.
    """

    pcm: Pcm
    words: tuple[Word, ...]
    phonemes: tuple[Phoneme, ...]


class TextToSpeech(Protocol):
    """A voice; one instance serves all calls of a process."""

    def stream(self, text: str) -> AsyncIterator[Speech]:
        """Speak `text`, a clause or some sentences, piece by piece as each becomes ready.

        The silence that engines add at both ends is cut off; after punctuation a piece may end in the natural pause
        to the next one, which no word or phoneme covers. Raises `visavis.errors.EngineError`.
        """
        ...
