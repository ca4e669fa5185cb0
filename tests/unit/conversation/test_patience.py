import pytest

from visavis.conversation.patience import Patience, PatienceSettings, of_level, of_sensitivity
from visavis.errors import BadInputError


def test_the_surer_the_end_the_shorter_the_silence():
    patience = Patience()
    waits = [patience.silence_needed_ms(step / 20) for step in range(21)]
    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) > 10
    assert waits[12] > 1.3 * waits[-1]
    assert waits[-1] <= 250
    assert waits[0] >= 1200


def test_what_is_probably_unfinished_is_not_waited_for_as_long_as_what_surely_is():
    patience = Patience()
    even, probably, surely = (patience.silence_needed_ms(complete) for complete in (0.5, 0.3, 0.05))
    assert even < 0.75 * probably
    assert probably < 0.9 * surely


def test_a_fixed_silence_is_due_whatever_is_known():
    patience = Patience(PatienceSettings.fixed(700))
    patience.person_went_on(1500)
    assert {patience.silence_needed_ms(known) for known in (None, 0.0, 0.4, 1.0)} == {700}


def test_without_evidence_it_waits_longer_than_when_the_turn_is_surely_complete():
    patience = Patience()
    assert patience.silence_needed_ms(None) > patience.silence_needed_ms(0.9)


def test_somebody_who_thinks_long_is_given_longer():
    patience = Patience()
    before = patience.silence_needed_ms(0.3)
    for _ in range(10):
        patience.person_went_on(1300)
    assert patience.silence_needed_ms(0.3) > 1.2 * before


def test_somebody_who_hardly_pauses_is_answered_sooner():
    patience = Patience()
    before = patience.silence_needed_ms(0.3)
    for _ in range(10):
        patience.person_went_on(260)
    assert patience.silence_needed_ms(0.3) < before


def test_one_long_pause_is_no_habit_yet():
    patience, accustomed = Patience(), Patience()
    before = patience.silence_needed_ms(0.3)
    patience.person_went_on(1300)
    for _ in range(20):
        accustomed.person_went_on(1300)
    once, often = patience.silence_needed_ms(0.3), accustomed.silence_needed_ms(0.3)
    assert before < once < often
    assert once - before < 0.5 * (often - before)


def test_a_habit_that_is_left_is_forgotten():
    patience, other = Patience(), Patience()
    for _ in range(30):
        patience.person_went_on(1500)
    for _ in range(30):
        patience.person_went_on(300)
        other.person_went_on(300)
    assert patience.silence_needed_ms(0.3) == other.silence_needed_ms(0.3)


def test_however_long_somebody_pauses_the_wait_stays_bounded():
    patience = Patience()
    for _ in range(100):
        patience.person_went_on(60_000)
    assert patience.silence_needed_ms(0.0) < 3000


def test_habit_does_not_delay_the_answer_to_a_surely_complete_turn():
    patience = Patience()
    before = patience.silence_needed_ms(1.0)
    for _ in range(10):
        patience.person_went_on(1300)
    assert patience.silence_needed_ms(1.0) == before


def test_stops_of_consonants_are_no_pauses():
    patience = Patience()
    before = patience.silence_needed_ms(0.3)
    for _ in range(50):
        patience.person_went_on(96)
    assert patience.silence_needed_ms(0.3) == before


def test_adapting_can_be_switched_off():
    patience = Patience(PatienceSettings(adapts=False))
    before = patience.silence_needed_ms(0.3)
    for _ in range(10):
        patience.person_went_on(1300)
    assert patience.silence_needed_ms(0.3) == before


def test_levels_of_patience_are_in_order():
    waits = [Patience(of_level(level)).silence_needed_ms(0.5) for level in ("low", "medium", "high")]
    assert waits == sorted(waits)
    assert len(set(waits)) == 3


def test_a_low_sensitivity_to_pauses_waits_longest():
    names = ("high", "medium", "low", "verylow", "superlow")
    waits = [Patience(of_sensitivity(name)).silence_needed_ms(0.5) for name in names]
    assert waits == sorted(waits)
    assert len(set(waits)) == 5
    assert Patience(of_sensitivity("auto")).silence_needed_ms(0.5) == waits[1]


def test_the_older_names_say_the_same_as_the_newer():
    assert of_sensitivity("high") == of_level("low")
    assert of_sensitivity("medium") == of_level("medium") == PatienceSettings()
    assert of_sensitivity("low") == of_level("high")


def test_an_unknown_level_is_refused_in_words():
    with pytest.raises(BadInputError, match=r"turn_taking_patience: 'endless' .* low, medium, high"):
        of_level("endless")
    with pytest.raises(BadInputError, match=r"participant_pause_sensitivity: 'none' .* superlow"):
        of_sensitivity("none")
