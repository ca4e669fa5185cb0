"""How a persona wants certain words pronounced."""

import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from visavis.layers.tts import Speech, TextToSpeech, Word

MOST_RULES = 1_000
"""Of one dictionary."""


class Rule(BaseModel):
    """What is said for a piece of text."""

    model_config = ConfigDict(frozen=True)

    text: Annotated[str, Field(min_length=1, max_length=200)]
    pronunciation: Annotated[str, Field(min_length=1, max_length=500)]
    type: Literal["alias", "ipa"] = Field(description="alias: as if it were spelled so; ipa: these sounds.")
    case_sensitive: bool = False
    word_boundaries: bool = Field(True, description="Only where the text is not a part of a longer word.")

    @field_validator("text", "pronunciation")
    @classmethod
    def _has_words(cls, given: str) -> str:
        if not given.strip():
            raise ValueError("more than spaces")
        return " ".join(given.split())


def rules_of(pronunciations: Mapping[str, str]) -> list[Rule]:
    """Rules for single words, in any case, and what is said for them."""
    return [Rule(text=text, pronunciation=spoken, type="alias") for text, spoken in pronunciations.items()]


class PronouncingVoice:
    """A `visavis.layers.tts.TextToSpeech` that reads some pieces of text as if they were spelled otherwise.

    What is shown keeps the text as it was written. Rules of sounds (`ipa`) are left out: no voice takes those yet.
    """

    def __init__(self, voice: TextToSpeech, rules: Sequence[Rule]) -> None:
        """Where two rules fit at one place, the one for the longer text counts."""
        self._voice = voice
        aliases = sorted((rule for rule in rules if rule.type == "alias"), key=lambda rule: -len(rule.text))
        self._spoken = [rule.pronunciation for rule in aliases]
        self._pattern = re.compile("|".join(f"({_pattern(rule)})" for rule in aliases)) if aliases else None

    async def stream(self, text: str) -> AsyncGenerator[Speech, None]:
        """Speak `text`; see `visavis.layers.tts.TextToSpeech`."""
        units = list(self._units(" ".join(text.split())))
        left = [(written, len(spoken.split())) for written, spoken in units]
        async with aclosing(self._voice.stream(" ".join(spoken for _, spoken in units))) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield Speech(piece.pcm, tuple(_as_written(piece.words, left)), piece.phonemes)

    def _units(self, text: str) -> Iterator[tuple[str, str]]:
        """The text in words, or more of them where one rule is for several: as written, and as spoken."""
        written = spoken = ""
        at = 0
        for match in self._pattern.finditer(text) if self._pattern else ():
            *whole, last = text[at : match.start()].split(" ")
            for word in whole:
                yield written + word, spoken + word
                written = spoken = ""
            written, spoken = written + last + match[0], spoken + last + self._spoken[(match.lastindex or 1) - 1]
            at = match.end()
        for word in text[at:].split(" "):
            yield written + word, spoken + word
            written = spoken = ""


def _pattern(rule: Rule) -> str:
    text = r"\s+".join(map(re.escape, rule.text.split()))
    if rule.word_boundaries:
        text = rf"(?<!\w){text}(?!\w)"
    return text if rule.case_sensitive else f"(?i:{text})"


def _as_written(words: Sequence[Word], left: list[tuple[str, int]]) -> list[Word]:
    """`words` put together as they were written; `left` are those to come, and of how many spoken ones each is made."""
    found: list[Word] = []
    at = 0
    while at < len(words) and left:
        written, count = left[0]
        part = words[at : at + count]
        at += len(part)
        if part:
            found.append(Word(written, part[0].start_s, part[-1].end_s))
        if len(part) < count:  # the rest of it comes with the next piece, and adds nothing to what is shown
            left[0] = ("", count - len(part))
            break
        left.pop(0)
    return [word for word in found if word.text]
