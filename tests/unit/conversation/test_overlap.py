import pytest

from visavis.conversation.overlap import COMMAND_MS, HEARD_MS, SHORT_MS, SPEECH_MS, TOO_LONG_MS, Overlap, classify

BACKCHANNELS = (
    "Mhm.|Mm-hmm,|Mm.|Uh-huh.|Uh huh|Yeah|Yeah, yeah.|Yes.|Right.|Okay.|OK.|I see.|Exactly.|Sure.|Oh really?|Oh, okay."
    "|Ha ha ha!|Haha.|Hmm.|Wow.|Got it.|Of course.|That's right.|Ah, I see.|Aha!|No way!|That’s true.|Yeah, I see."
).split("|")
INTERRUPTIONS = (
    "Wait.|Stop.|No.|No, no.|Hold on.|Excuse me,|Sorry?|What?|What do you mean?|Yeah, but|Okay, so tell me the price."
    "|Right, how much is it?|I see a problem.|But why|Can you repeat that?|Okay wait|My name is Anna.|Never mind."
    "|Thank you.|Yes please stop"
).split("|")


@pytest.mark.parametrize("text", BACKCHANNELS)
def test_backchannel_lets_the_replica_go_on(text: str):
    assert classify(text, 500, ended=True) is Overlap.BACKCHANNEL


@pytest.mark.parametrize("text", BACKCHANNELS)
def test_backchannel_is_known_before_it_ends(text: str):
    assert classify(text, HEARD_MS + 32, ended=False) is Overlap.BACKCHANNEL


@pytest.mark.parametrize("text", INTERRUPTIONS)
def test_interruption_stops_the_replica(text: str):
    assert classify(text, 500, ended=True) is Overlap.INTERRUPTION
    assert classify(text, SPEECH_MS, ended=False) is Overlap.INTERRUPTION


@pytest.mark.parametrize("text", ["Stop.", "Wait,", "Hold on a", "Yeah, wait"])
def test_command_counts_at_once(text: str):
    assert classify(text, COMMAND_MS, ended=False) is Overlap.INTERRUPTION


@pytest.mark.parametrize("text", ["Mm-hmm", "And then.", "Shut up.", "You"])
def test_the_recognisers_guess_about_the_first_quarter_second_does_not_count(text: str):
    assert classify(text, HEARD_MS - 32, ended=False) is Overlap.UNKNOWN


@pytest.mark.parametrize("text", ["", ".", "You", "Bye.", "♪♪"])
def test_cough_lets_the_replica_go_on(text: str):
    assert classify(text, 160, ended=True) is Overlap.BACKCHANNEL


def test_single_content_word_interrupts_when_it_is_long_enough_to_be_one():
    assert classify("Monday.", SHORT_MS + 32, ended=True) is Overlap.INTERRUPTION


def test_backchannel_that_goes_on_waits_for_its_next_words():
    assert classify("Yeah.", 400, ended=False) is Overlap.BACKCHANNEL
    assert classify("Yeah.", 1200, ended=False) is Overlap.UNKNOWN
    assert classify("Yeah, but how", 1200, ended=False) is Overlap.INTERRUPTION


@pytest.mark.parametrize("text", ["", "Mm."])
@pytest.mark.parametrize("ended", [False, True])
def test_voice_that_goes_on_and_on_takes_the_floor_whatever_was_understood(text: str, ended: bool):
    assert classify(text, 2 * TOO_LONG_MS, ended) is Overlap.INTERRUPTION


@pytest.mark.parametrize("text", ["", "Yeah.", "And then", "Hello there", "Mm-hmm but"])
@pytest.mark.parametrize("voiced_ms", [0, 64, 300, 800, 2000, 9000])
def test_overlap_that_has_ended_is_always_decided(text: str, voiced_ms: float):
    assert classify(text, voiced_ms, ended=True) is not Overlap.UNKNOWN
