import pytest

from visavis.layers.turn.lexical import DONE, UNFINISHED, UNSURE, Wording, completeness, wording


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


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("I would like to go to the", "breaks_off"),
        ("What happens when it rains and?", "breaks_off"),
        ("The red one,", "comma"),
        ("I know that.", "may_end"),
        ("Well, um?", "filler"),
        ("It is, you know,", "filler"),
        ("Then I press.", "lacks_object"),
        ("There were twenty.", "number"),
        ("My phone number is five five.", "dictating"),
        ("I see. If the battery is empty.", "only_opens"),
        ("That is all.", "pointed"),
        ("Where is it?", "asks"),
    ],
)
def test_each_sign_is_seen(text: str, sign: str) -> None:
    assert getattr(wording(text), sign)


@pytest.mark.parametrize("text", ["Um?", "The?", "Do you know if?"])
def test_a_question_mark_behind_a_broken_off_text_asks_nothing(text: str) -> None:
    assert not wording(text).asks


def test_a_clause_with_what_it_prepared_is_more_than_an_opening() -> None:
    assert wording("If it rains.").only_opens
    assert not wording("If it rains, we stay at home.").only_opens


@pytest.mark.parametrize("text", ["Yes.", "The red one,", "Twenty.", "In Leeds"])
def test_a_few_words_after_a_question_answer_it(text: str) -> None:
    assert wording(text, "Which one would you like?").answers
    assert not wording(text, "I would take the red one.").answers
    assert not wording(text).answers


@pytest.mark.parametrize("text", ["Um,", "The", "I think that the house is far too big for us."])
def test_searching_for_words_or_a_long_text_is_no_short_answer(text: str) -> None:
    assert not wording(text, "Which one would you like?").answers


def test_a_number_that_answers_a_question_need_not_go_on() -> None:
    assert wording("We are twenty.").number
    assert not wording("Twenty.", "How many are you?").number


@pytest.mark.parametrize("text", ["", "  ", "...", "?!"])
def test_no_words_are_no_sign(text: str) -> None:
    assert wording(text, "Are you there?") == Wording()
