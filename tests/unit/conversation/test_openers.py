import pytest

from tests.conversation.simulation import SteadyVoice
from visavis.conversation.openers import READY_SOON_S, Openers, act_of, without_opener


@pytest.mark.parametrize(
    ("said", "act"),
    [
        ("What does it cost?", "question"),
        ("do you open on sunday", "question"),
        ("Can you install it in Texas?", "request"),
        ("Tell me about the ship.", "request"),
        ("I'd like to see a picture.", "request"),
        ("I can't pay all of that at once.", "trouble"),
        ("It is too expensive.", "trouble"),
        ("I live in Nevada.", "statement"),
        ("Hi there!", "greeting"),
        ("Hello, what does it cost?", "greeting"),
        ("Thanks a lot.", "thanks"),
        ("Thanks, that's all for today. Goodbye!", "goodbye"),
        ("", "statement"),
    ],
)
def test_opener_goes_by_what_is_done_with_the_words(said, act):
    assert act_of(said) == act


@pytest.mark.parametrize(
    ("clause", "opener", "left"),
    [
        ("Well, it costs eight euros.", "Well,", "it costs eight euros."),
        ("Hello! I am Ines.", "Hi!", "I am Ines."),
        ("Hi there.", "Hi!", ""),
        ("Right now it is closed.", "Okay,", "Right now it is closed."),
        ("So far nobody came.", "I see.", "So far nobody came."),
        ("it costs eight euros.", "I see.", "It costs eight euros."),
        ("Yes, we do.", "Well,", "Yes, we do."),
    ],
)
def test_reply_does_not_open_twice(clause, opener, left):
    assert without_opener(clause, opener) == left


async def test_the_same_opener_is_not_heard_again_at_once():
    openers = Openers(SteadyVoice())
    await openers.prepare()
    picked = [openers.pick("what is it?", 0.8) for _ in range(3)]
    words = [" ".join(word.text for word in speech.words) for speech in picked if speech]
    assert len(set(words)) == 3


async def test_longer_waits_get_longer_openers_and_short_ones_none():
    openers = Openers(SteadyVoice())
    assert openers.pick("what is it?", 2.0) is None, "nothing has been spoken in advance"
    await openers.prepare()
    short, long = openers.pick("what is it?", 0.5), openers.pick("what is it?", 2.0)
    assert short and long and len(long.pcm) > len(short.pcm)
    assert openers.pick("what is it?", READY_SOON_S / 2) is None
