"""What a text asks a voice to feel."""

import pytest

from visavis.layers.tts.emotion import PROMPT, Carried, felt
from visavis.layers.tts.hibari import Hibari
from visavis.layers.tts.manner import EMOTIONS, PLAIN
from visavis.layers.tts.spoken_text import spoken_text


def test_a_text_without_tags_is_said_plainly() -> None:
    assert list(felt("Hello there.")) == [(PLAIN, "Hello there.")]
    assert list(felt("")) == []


def test_a_tag_counts_until_the_next() -> None:
    text = 'Well. <emotion value="happiness"/> That is great! <emotion value="sad"/> But it is over.'
    assert list(felt(text)) == [
        (PLAIN, "Well."),
        (EMOTIONS["happiness"], "That is great!"),
        (EMOTIONS["sadness"], "But it is over."),
    ]


def test_an_unknown_feeling_is_neutral_and_its_tag_not_read() -> None:
    assert list(felt("<emotion value='hunger'/>Food!")) == [(PLAIN, "Food!")]


def test_a_feeling_is_carried_from_clause_to_clause() -> None:
    carried = Carried()
    tag = '<emotion value="anger"/>'
    assert [carried.on(one) for one in ("First,", f"{tag}then,", "and still.")] == [
        "First,",
        f"{tag}then,",
        f"{tag} and still.",
    ]


def test_every_feeling_is_named_to_the_language_model() -> None:
    assert all(name in PROMPT for name in EMOTIONS)


async def test_a_sad_sentence_is_slower_and_its_words_are_those_written() -> None:
    voice = Hibari()
    plain, sad = [
        [speech async for speech in voice.stream(text)]
        for text in ("I will miss you.", '<emotion value="sadness"/> I will miss you.')
    ]
    assert [word.text for word in sad[0].words] == ["I", "will", "miss", "you."]
    assert len(sad[0].pcm) > 1.05 * len(plain[0].pcm)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[laughs] That is funny.", "That is funny."),
        ("Well, (sighs softly) I don't know.", "Well, I don't know."),
        ("*clears throat* Good evening.", "Good evening."),
        ("He laughs a lot (we think).", "He laughs a lot (we think)."),
        ("*really* good", "really good"),
    ],
)
def test_stage_directions_are_not_read_aloud(written: str, said: str) -> None:
    assert spoken_text(written) == said
