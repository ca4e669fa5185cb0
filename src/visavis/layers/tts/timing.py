"""When words and phonemes are heard, from when each character of a phoneme string sounds."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from visavis.layers.tts import Phoneme, Word
from visavis.layers.tts.pronunciation import WrittenWord

_STRESS = frozenset("ˈˌ")
_LENGTH = frozenset("ːʰʲ")
_SILENT = frozenset(' ;:,.!?—…"()“”')


def timed_words(words: tuple[WrittenWord, ...], phonemes: str, starts_s: NDArray[np.float64]) -> Iterator[Word]:
    """Each written word from its first to its last sounding phoneme; one that is not said lasts no time.

    `starts_s` float[len(phonemes) + 1] does not decrease; neither do the words' times.
    """
    now_s = float(starts_s[0])
    for word in words:
        sounding = [i for i in range(word.start, word.end) if phonemes[i] not in _SILENT]
        if sounding:
            start_s, now_s = float(starts_s[sounding[0]]), float(starts_s[sounding[-1] + 1])
            yield Word(word.text, start_s, now_s)
        else:
            yield Word(word.text, now_s, now_s)


def timed_phonemes(phonemes: str, starts_s: NDArray[np.float64]) -> Iterator[Phoneme]:
    """The phonemes without their marks: stress belongs to the vowel after it, length to the sound before it.

    The glide over a space between two words is shared by its neighbours; punctuation is silence and leaves a gap.
    """
    starts = list(map(float, starts_s))
    spans: list[tuple[str, float, float]] = []
    pending_start: float | None = None
    for i, symbol in enumerate(phonemes):
        start, end = starts[i], starts[i + 1]
        if symbol in _STRESS:
            pending_start = start if pending_start is None else pending_start
        elif symbol in _LENGTH and spans:
            spans[-1] = (*spans[-1][:2], end)
        elif symbol == " " and _joins_sounds(phonemes, i):
            pending_start = (start + end) / 2
            spans[-1] = (*spans[-1][:2], pending_start)
        elif symbol in _SILENT:
            pending_start = None
        else:
            spans.append((symbol, start if pending_start is None else pending_start, end))
            pending_start = None
    return (Phoneme(*span) for span in spans if span[2] > span[1])


def _joins_sounds(phonemes: str, space: int) -> bool:
    return 0 < space < len(phonemes) - 1 and phonemes[space - 1] not in _SILENT and phonemes[space + 1] not in _SILENT
