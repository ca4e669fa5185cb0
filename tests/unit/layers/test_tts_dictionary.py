"""Words that a persona wants pronounced in its own way."""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from visavis.layers.tts import Speech, Word
from visavis.layers.tts.dictionary import PronouncingVoice, Rule, rules_of


class Spelling:
    """A voice that takes a second a word, and gives what it says in pieces of three words."""

    def __init__(self) -> None:
        self.asked = ""

    async def stream(self, text: str) -> AsyncIterator[Speech]:
        self.asked = text
        words = [Word(word, float(second), second + 1.0) for second, word in enumerate(text.split())]
        for at in range(0, len(words), 3):
            yield Speech(np.zeros(0, np.int16), tuple(words[at : at + 3]), ())


def rule(text: str, pronunciation: str, **more: Any) -> Rule:
    return Rule(text=text, pronunciation=pronunciation, **{"type": "alias", **more})


async def spoken(text: str, *rules: Rule) -> tuple[str, list[str]]:
    voice = Spelling()
    shown = [word async for speech in PronouncingVoice(voice, rules).stream(text) for word in speech.words]
    assert all(before.end_s <= after.start_s for before, after in pairwise(shown))
    return voice.asked, [word.text for word in shown]


@pytest.mark.parametrize(
    ("text", "rules", "said", "shown"),
    [
        ("Ask Nguyen!", [rule("nguyen", "win")], "Ask win!", ["Ask", "Nguyen!"]),
        ("Ask nguyen.", [rule("Nguyen", "win", case_sensitive=True)], "Ask nguyen.", ["Ask", "nguyen."]),
        ("On São  Paulo's hills", [rule("são paulo", "sow pow lo")], "On sow pow lo's hills", None),
        ("(New York) is new.", [rule("new york", "noo yawk"), rule("new", "noo")], "(noo yawk) is noo.", None),
        ("OpenAI and AI", [rule("AI", "A I")], "OpenAI and A I", ["OpenAI", "and", "AI"]),
        ("OpenAI and AI", [rule("AI", "A I", word_boundaries=False)], "OpenA I and A I", ["OpenAI", "and", "AI"]),
        ("C++ or C", [rule("c++", "see plus plus")], "see plus plus or C", ["C++", "or", "C"]),
        ("SQL, SQL SQL", [rule("SQL", "see quell")], "see quell, see quell see quell", ["SQL,", "SQL", "SQL"]),
        ("Quay", [rule("quay", "kiː", type="ipa")], "Quay", ["Quay"]),
        ("A quay", [], "A quay", ["A", "quay"]),
    ],
)
async def test_what_is_said_and_what_is_shown(text: str, rules: list[Rule], said: str, shown: list[str] | None) -> None:
    asked, words = await spoken(text, *rules)
    assert asked == said
    assert " ".join(words) == " ".join(text.split())
    assert shown is None or words == shown


async def test_single_words_of_a_persona_come_first() -> None:
    asked, _ = await spoken("Nguyen", *rules_of({"Nguyen": "win"}), rule("nguyen", "noo yen"))
    assert asked == "win"


@pytest.mark.parametrize("field", ["text", "pronunciation"])
def test_a_rule_of_spaces_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Rule.model_validate({"text": "a", "pronunciation": "b", "type": "alias", field: "  "})
