import pytest

from visavis.conversation.clauses import ClauseSplitter


def split(text: str, step: int) -> list[str]:
    splitter = ClauseSplitter()
    clauses = [clause for start in range(0, len(text), step) for clause in splitter.feed(text[start : start + step])]
    return clauses + splitter.flush()


@pytest.mark.parametrize("step", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    "text",
    [
        "Sure, I can help with that. It costs 1,000 dollars, or 3.5 percent of Dr. Smith's bill. Anything else?",
        "No.",
        "Well... that depends on where you live and on how large the roof of your house really is.",
        'He said "Stop!" and left.\nThen he came back.',
    ],
)
def test_nothing_is_lost_whatever_the_portions(text, step):
    assert " ".join(split(text, step)) == " ".join(text.split())


def test_first_clause_ends_at_the_first_comma_and_later_ones_are_sentences():
    assert split("Of course, we open at nine, and we close at six. See you then!", 1) == [
        "Of course,",
        "we open at nine, and we close at six.",
        "See you then!",
    ]


def test_first_clause_is_available_as_soon_as_its_comma_has_come():
    assert ClauseSplitter().feed("Of course,") == ["Of course,"]


@pytest.mark.parametrize("text", ["It costs 1,000 dollars", "Ask Dr. Smith", "See visavis.ai now", "About 3.5 percent"])
def test_numbers_names_and_abbreviations_are_not_cut(text):
    assert split(text + ".", 1) == [text + "."]


def test_long_first_clause_without_punctuation_is_cut_before_a_connective():
    first = split("The oldest ship that we have in the whole museum is the Santa Clara in hall two.", 1)[0]
    assert 3 <= len(first.split()) <= 7


def test_very_long_sentence_is_cut_at_a_comma():
    words = " ".join(["word"] * 30)
    assert len(split(f"Yes, it is. {words}, and {words}.", 1)) == 4
