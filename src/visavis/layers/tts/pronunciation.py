"""Text to phonemes with hibari's own rules, remembering which written word each phoneme came from."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from hibari.g2p import G2P
from hibari.g2p.normalize import normalize
from hibari.tts import MAX_PHONEMES
from hibari.tts import Hibari as HibariPackage

_CLAUSE_ENDS = ",;:—"
_LONG_NUMBER = re.compile(r"\d[\d,]{12,}\d")
_DOT_OF_ADDRESS = re.compile(r"(?<=\w)\.(?=(?:com|org|net|edu|gov|io|ai|co|uk|de|eu|us|info|app|dev)\b)", re.IGNORECASE)
_AT_OF_ADDRESS = re.compile(r"(?<=\w)@(?=\w)")


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """A word as written, and the part of the phoneme string that says it: `phonemes[start:end]`.

    A word that is not said (a lone dash) has an empty part. Words that are said as one unit ("3 March") share
    the unit's part in proportion to their length.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """What the network reads at once: at most `MAX_PHONEMES` characters of its alphabet, words parted by spaces."""

    phonemes: str
    words: tuple[WrittenWord, ...]


class Pronouncer:
    """English text to phonemes. Loads the dictionaries (0.7 s); not for several threads at once."""

    def __init__(self, alphabet: frozenset[str]) -> None:
        self._g2p = G2P()
        self._alphabet = alphabet

    def pronounce(self, text: str) -> Iterator[Pronunciation]:
        """One item per sentence, or more where a sentence is too long to be read at once."""
        for sentence in HibariPackage.split_sentences(text):
            yield from _in_readable_parts(self._sentence(sentence))

    def _sentence(self, sentence: str) -> Pronunciation:
        phonemes = ""
        said: list[WrittenWord] = []
        text, start = "", 0
        for token in self._g2p.phonemize_tokens(self._g2p.tokenize(normalize(_readable(sentence)))):
            text += token.text
            phonemes += "".join(c for c in token.phonemes or "" if c in self._alphabet)
            if token.whitespace:
                said.append(WrittenWord(text, start, len(phonemes)))
                if phonemes and not phonemes.endswith(" "):
                    phonemes += " "
                text, start = "", len(phonemes)
        said.append(WrittenWord(text, start, len(phonemes)))
        return Pronunciation(phonemes.rstrip(), tuple(_written_as(sentence.split(), said)))


def _readable(sentence: str) -> str:
    """The sentence without what hibari's rules stumble over.

    They spell letters of other scripts at random, fail on numbers over 10^15, and leave out the dot of an address.
    """
    sentence = _LONG_NUMBER.sub(lambda number: " ".join(filter(str.isdigit, number.group())), sentence)
    sentence = _DOT_OF_ADDRESS.sub(" dot ", sentence)
    sentence = _AT_OF_ADDRESS.sub(" at ", sentence)
    return "".join(c for c in sentence if not c.isalpha() or "LATIN" in unicodedata.name(c, ""))


def _written_as(written: list[str], said: list[WrittenWord]) -> list[WrittenWord]:
    """Give the written words the phonemes of the words they are said as ("$9.99" has many, "Dr." another).

    Words that are said but not written ("of" in a date) belong to the written word before them.
    """
    matcher = SequenceMatcher(None, [_key(w) for w in written], [_key(w.text) for w in said], autojunk=False)
    words: list[WrittenWord] = []
    unclaimed = 0
    for _, first, last, said_first, said_last in matcher.get_opcodes():
        span = said[said_first:said_last]
        if last - first == len(span):
            words += (WrittenWord(text, w.start, w.end) for text, w in zip(written[first:last], span, strict=True))
        elif first == last and words:
            words[-1] = replace(words[-1], end=span[-1].end)
        elif first < last:
            words += _shared(written[first:last], unclaimed, span[-1].end if span else unclaimed)
        unclaimed = words[-1].end if words else 0
    return words


def _shared(words: list[str], start: int, end: int) -> Iterator[WrittenWord]:
    total = sum(map(len, words))
    done = 0
    for word in words:
        word_start = start + (end - start) * done // total
        done += len(word)
        yield WrittenWord(word, word_start, start + (end - start) * done // total)


def _key(word: str) -> str:
    return word.casefold().replace("’", "'")


def _in_readable_parts(sentence: Pronunciation) -> Iterator[Pronunciation]:
    """Cut after the last clause that fits, else after the last word that fits.

    A single word of more than `MAX_PHONEMES` phonemes (no language has one) is cut short.
    """
    words = list(sentence.words)
    while words:
        origin = words[0].start
        fits = [i for i, word in enumerate(words, 1) if word.end - origin <= MAX_PHONEMES] or [1]
        count = fits[-1]
        if count < len(words):
            count = next((i for i in reversed(fits) if words[i - 1].text[-1] in _CLAUSE_ENDS), count)
        part, words = words[:count], words[count:]
        end = min(part[-1].end, origin + MAX_PHONEMES)
        yield Pronunciation(
            sentence.phonemes[origin:end],
            tuple(WrittenWord(w.text, min(w.start, end) - origin, min(w.end, end) - origin) for w in part),
        )
