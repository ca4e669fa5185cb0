import pytest

from visavis.layers.turn.lexical import DONE, UNFINISHED, UNSURE, completeness


@pytest.mark.parametrize(
    "text",
    [
        "I would like to go to the",
        "I want a table for two and",
        "I live in the city of.",
        "We could meet on Monday or",
        "I'm",
        "I would like to",
        "Well, um",
        "I was thinking, you know,",
        "Bring me the red one,",
        "There are three things:",
        "I went there because.",
        "My phone number is five five five",
        "The pin is 42.",
        "It was very",
    ],
)
def test_a_text_that_breaks_off_is_unfinished(text: str) -> None:
    assert completeness(text) == UNFINISHED


@pytest.mark.parametrize(
    "text",
    [
        "Yes.",
        "Oh.",
        "Tell me more about the museum.",
        "What are you looking for?",
        "I think so.",
        "Yes, I am.",
        "My phone number is 555 123 4567.",
        "The pin is four two one seven",
        "I live at number five.",
        "There are forty two",
        "I'd love to.",
        "I don’t know who they are",
    ],
)
def test_a_text_that_may_be_all_is_done(text: str) -> None:
    assert completeness(text) == DONE


@pytest.mark.parametrize("text", ["", "Come in.", "I don't know what this is", "I saw that"])
def test_a_text_that_says_little_is_in_between(text: str) -> None:
    assert completeness(text) == UNSURE
