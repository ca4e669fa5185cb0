import pytest

from visavis.conversation.floor import (
    FRAME_MS,
    BargeIn,
    Floor,
    FloorSettings,
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
    assert 128 + after_ms == pytest.approx(FloorSettings().end_complete_ms, abs=FRAME_MS)


@pytest.mark.parametrize(("completeness", "least_ms"), [(0.0, 1350), (0.25, 950), (None, 600)])
def test_less_certainty_means_more_patience(completeness, least_ms):
    floor = Floor()
    hear(floor, 0.9, 800)
    hear(floor, 0.0, 128)
    if completeness is not None:
        floor.judge(completeness)
    assert not hear(floor, 0.0, least_ms - 128)
    assert [kind for kind, _ in hear(floor, 0.0, 200)] == [TurnEnded]


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


def test_barge_in_needs_more_speech_than_an_empty_floor():
    floor = Floor()
    floor.replica_speaks = True
    assert not hear(floor, 0.9, 96)
    ((kind, _),) = hear(floor, 0.9, 96)
    assert kind is BargeIn


def test_wavering_voice_within_speech_is_no_pause():
    floor = Floor()
    hear(floor, 0.9, 500)
    assert not hear(floor, 0.4, 1000)
