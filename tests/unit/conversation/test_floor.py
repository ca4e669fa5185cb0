import numpy as np
import pytest

from visavis.conversation.floor import (
    FRAME_MS,
    Doing,
    Floor,
    OverlapStarted,
    Signal,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    TurnEnded,
)


def hear(floor: Floor, probability: float, ms: float) -> list[tuple[type[Signal], float]]:
    """The signals that `ms` of `probability` cause, and after how many ms each."""
    signals = []
    for frame in range(round(ms / FRAME_MS)):
        if signal := floor.hear(probability):
            signals.append((type(signal), (frame + 1) * FRAME_MS))
    return signals


def test_complete_sentence_is_answered_quickly():
    floor = Floor()
    assert [kind for kind, _ in hear(floor, 0.9, 800)] == [SpeechStarted]
    assert [kind for kind, _ in hear(floor, 0.0, 128)] == [SpeechPaused]
    floor.judge(0.9)
    ((kind, after_ms),) = hear(floor, 0.0, 1000)
    assert kind is TurnEnded
    assert 128 + after_ms == pytest.approx(floor.patience.silence_needed_ms(0.9), abs=FRAME_MS)


@pytest.mark.parametrize("completeness", [0.0, 0.25, None])
def test_less_certainty_means_more_patience(completeness):
    floor = Floor()
    hear(floor, 0.9, 800)
    hear(floor, 0.0, 128)
    if completeness is not None:
        floor.judge(completeness)
    needed_ms = floor.patience.silence_needed_ms(completeness)
    assert needed_ms > floor.patience.silence_needed_ms(0.9) + 100
    assert not hear(floor, 0.0, needed_ms - 128 - FRAME_MS)
    assert [kind for kind, _ in hear(floor, 0.0, 3 * FRAME_MS)] == [TurnEnded]


def test_person_may_go_on_after_a_pause():
    floor = Floor()
    hear(floor, 0.9, 800)
    hear(floor, 0.0, 128)
    floor.judge(0.1)
    assert [kind for kind, _ in hear(floor, 0.9, 300)] == [SpeechResumed]
    assert [kind for kind, _ in hear(floor, 0.0, 128)] == [SpeechPaused]


def test_evidence_of_an_earlier_pause_does_not_count_for_the_next():
    floor = Floor()
    hear(floor, 0.9, 800)
    hear(floor, 0.0, 128)
    floor.judge(0.9)
    hear(floor, 0.9, 96)
    hear(floor, 0.0, 128)
    assert not hear(floor, 0.0, 300)


def test_click_does_not_take_the_floor():
    floor = Floor()
    assert not hear(floor, 0.9, FRAME_MS)
    assert not hear(floor, 0.0, 500)


def test_a_single_voiced_frame_in_a_pause_does_not_start_it_anew():
    floor = Floor()
    hear(floor, 0.9, 800)
    hear(floor, 0.0, 128)
    floor.judge(0.9)
    assert not floor.hear(0.9)
    assert [kind for kind, _ in hear(floor, 0.0, floor.patience.silence_needed_ms(0.9))] == [TurnEnded]


def speaking(**state: object) -> Floor:
    floor = Floor()
    floor.replica = Doing.SPEAKING
    for name, value in state.items():
        setattr(floor, name, value)
    return floor


def test_voice_into_the_replicas_speech_is_an_overlap_until_it_is_judged():
    floor = speaking()
    assert [kind for kind, _ in hear(floor, 0.9, 320)] == [OverlapStarted]
    # The silence after it ends no turn: perhaps there was none.
    assert [kind for kind, _ in hear(floor, 0.0, 5000)] == [SpeechPaused]


def test_granted_overlap_is_a_turn_and_ends_like_one():
    floor = speaking()
    hear(floor, 0.9, 320)
    floor.grant()
    assert [kind for kind, _ in hear(floor, 0.0, 5000)] == [SpeechPaused, TurnEnded]


def test_dismissed_overlap_leaves_the_floor_to_the_replica():
    floor = speaking()
    hear(floor, 0.9, 320)
    floor.dismiss()
    assert not floor.person_speaks
    assert not hear(floor, 0.0, 5000)
    assert [kind for kind, _ in hear(floor, 0.9, 320)] == [OverlapStarted]


def test_voice_while_the_reply_is_on_its_way_takes_the_floor_back_at_once():
    floor = Floor()
    floor.replica = Doing.THINKING
    assert [kind for kind, _ in hear(floor, 0.9, 96)] == [SpeechStarted]


def test_words_into_an_uninterruptible_greeting_begin_a_turn_when_it_is_over():
    floor = speaking(interruptible=False)
    assert not hear(floor, 0.9, 2000)
    floor.replica, floor.interruptible = Doing.LISTENING, True
    assert [kind for kind, _ in hear(floor, 0.9, 64)] == [SpeechStarted]


@pytest.mark.parametrize("doing", list(Doing))
@pytest.mark.parametrize("seed", range(20))
def test_silence_leads_back_to_listening_from_every_state(doing, seed):
    """Random voice, verdicts and changes of what the replica does; then silence."""
    random = np.random.default_rng(seed)
    floor = Floor()
    for _ in range(400):
        signal = floor.hear(random.choice([0.05, 0.4, 0.95], p=[0.45, 0.1, 0.45]))
        if isinstance(signal, OverlapStarted) or random.random() < 0.05:
            random.choice([floor.grant, floor.dismiss])()
        if random.random() < 0.1:
            floor.judge(random.random())
        if random.random() < 0.05:
            floor.replica = random.choice(list(Doing))
    floor.replica = doing
    floor.grant()
    hear(floor, 0.0, 4000)
    assert not floor.person_speaks
    floor.replica, floor.interruptible = Doing.LISTENING, True
    assert [kind for kind, _ in hear(floor, 0.9, 320)] == [SpeechStarted]


def test_wavering_voice_within_speech_is_no_pause():
    floor = Floor()
    hear(floor, 0.9, 500)
    assert not hear(floor, 0.4, 1000)


def test_lips_that_move_in_a_pause_hold_the_floor_but_not_for_ever():
    floor = Floor()
    hear(floor, 0.9, 800)
    hear(floor, 0.0, 256)
    floor.judge(0.4)
    for _ in range(8):
        floor.see_mouth(True)
        assert hear(floor, 0.0, 128) == []
    floor.see_mouth(False)
    assert [kind for kind, _ in hear(floor, 0.0, 64)] == [TurnEnded]
    hear(floor, 0.9, 800)
    ended = []
    for _ in range(16):
        floor.see_mouth(True)
        ended += hear(floor, 0.0, 128)
    assert TurnEnded in [kind for kind, _ in ended]


def test_lips_that_close_after_the_last_word_delay_nothing():
    floor, blind = Floor(), Floor()
    for one in (floor, blind):
        hear(one, 0.9, 800)
        hear(one, 0.0, 128)
        one.judge(0.9)
        if one is floor:
            one.see_mouth(True)
    assert hear(floor, 0.0, 1000) == hear(blind, 0.0, 1000)
