"""How a persona wants certain words pronounced."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from visavis.layers.tts import Speech, TextToSpeech, Word

_EDGES = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)


class PronouncingVoice:
    """A `visavis.layers.tts.TextToSpeech` that reads some words as if they were spelled otherwise.

    What is shown keeps the word as it was written.
    """

    def __init__(self, voice: TextToSpeech, spoken_as: Mapping[str, str]) -> None:
        """`spoken_as` are single words, in any case, and what is said for them."""
        self._voice = voice
        self._spoken_as = {word.lower(): spoken for word, spoken in spoken_as.items()}

    async def stream(self, text: str) -> AsyncGenerator[Speech, None]:
        """Speak `text`; see `visavis.layers.tts.TextToSpeech`."""
        written = text.split()
        respelled = [self._respelled(word) for word in written]
        left = [(word, len(spoken.split())) for word, spoken in zip(written, respelled, strict=True)]
        async with aclosing(self._voice.stream(" ".join(respelled))) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield Speech(piece.pcm, tuple(_as_written(piece.words, left)), piece.phonemes)

    def _respelled(self, word: str) -> str:
        before, core, after = _EDGES.match(word).groups()  # type: ignore[union-attr]
        spoken = self._spoken_as.get(core.lower())
        return word if spoken is None else f"{before}{spoken}{after}"


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
