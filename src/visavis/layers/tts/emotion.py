"""What a text asks a voice to feel: `<emotion value="happiness"/>` in front of the words that it is meant for.

The tag is the one that users of hosted voices know. It counts until the next tag; whoever speaks a text clause by
clause carries it on with `Carried`.
"""

import re
from collections.abc import Iterator

from visavis.layers.tts.manner import EMOTIONS, PLAIN, Manner

PROMPT = (
    'You may show how you feel by starting a sentence with one tag such as <emotion value="happiness"/>; it is not '
    f"read aloud. The values are {', '.join(EMOTIONS)}. Most sentences need none."
)
"""What a language model is told that may choose."""

_TAG = re.compile(r"<\s*emotion\s+value\s*=\s*[\"']?([A-Za-z]+)[\"']?\s*/?\s*>", re.IGNORECASE)
_ALSO = {
    "happy": "happiness",
    "cheerful": "happiness",
    "excited": "happiness",
    "sad": "sadness",
    "concerned": "sadness",
    "angry": "anger",
    "scared": "fear",
    "surprised": "surprise",
    "disgusted": "disgust",
    "content": "neutral",
    "calm": "neutral",
}
"""Other words for the same that language models like to use."""


def felt(text: str) -> Iterator[tuple[Manner, str]]:
    """The text in parts of one feeling each, tags taken out. Unknown feelings are neutral."""
    at, manner = 0, PLAIN
    for tag in _TAG.finditer(text):
        if before := text[at : tag.start()].strip():
            yield manner, before
        at, manner = tag.end(), EMOTIONS.get(_known(tag[1]), PLAIN)
    if rest := text[at:].strip():
        yield manner, rest


class Carried:
    """Carries a feeling from one clause of a text to the next. Owner of what is felt now."""

    def __init__(self) -> None:
        self._tag = ""

    def on(self, clause: str) -> str:
        """The clause, beginning with the tag that counts for it."""
        tags = list(_TAG.finditer(clause))
        carried = clause if not self._tag or clause.lstrip().startswith("<") else f"{self._tag} {clause}"
        if tags:
            self._tag = tags[-1][0]
        return carried


def _known(value: str) -> str:
    value = value.lower()
    return _ALSO.get(value, value)
