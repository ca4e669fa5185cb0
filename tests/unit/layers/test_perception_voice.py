"""How somebody sounds: made-up voices with known pitch, pace, laughter and breath."""

import dataclasses

import numpy as np
import pytest

from tests.voices import breath, laughter, spoken
from visavis.audio import LISTEN_RATE_HZ
from visavis.layers.perception import Behaviour
from visavis.layers.perception.voice import UsualVoice, joined, manner


@pytest.mark.parametrize("pitch_hz", [110.0, 220.0])
@pytest.mark.parametrize("pace", [2.5, 4.0, 5.5])
def test_pitch_and_pace_are_those_of_the_voice(pitch_hz: float, pace: float) -> None:
    heard = manner(spoken(3.0, pitch_hz, pace))
    assert abs(heard.pitch_octaves - np.log2(pitch_hz)) < 0.1
    assert abs(heard.syllables_per_s - pace) < 0.6
    assert not (heard.laughs or heard.sighs)


def test_silence_and_noise_have_no_manner() -> None:
    hiss = np.random.default_rng(1).normal(0, 0.0005, LISTEN_RATE_HZ).astype(np.float32)
    for sound in (np.zeros(LISTEN_RATE_HZ, np.float32), hiss, np.zeros(10, np.float32)):
        heard = manner(sound)
        assert heard.voiced_s < 0.1
        assert not (heard.laughs or heard.sighs or heard.hesitates)


@pytest.mark.parametrize("pitch_hz", [140, 200, 280, 370])
@pytest.mark.parametrize("rate_hz", [3.8, 5.0, 6.5])
def test_laughter_is_a_row_of_short_bursts(pitch_hz: float, rate_hz: float) -> None:
    assert manner(laughter(pitch_hz, rate_hz)).laughs


@pytest.mark.parametrize("seconds", [0.7, 1.0, 1.5])
def test_a_sigh_is_a_long_breath_that_fades(seconds: float) -> None:
    heard = manner(breath(seconds))
    assert heard.sighs
    assert not heard.laughs


def test_a_held_vowel_is_a_hesitation() -> None:
    assert manner(spoken(0.8, 120.0, 0.0)).hesitates
    assert not manner(spoken(2.0, 120.0, 4.0)).hesitates


def test_a_turn_is_compared_with_the_persons_own() -> None:
    usual = UsualVoice()
    turn = manner(spoken(2.0, 120.0, 4.0))
    assert usual.unlike(turn, 0.0) == []
    for _ in range(3):
        usual.learn(turn)

    def noticed(**changed: float) -> list[Behaviour]:
        return [one.behaviour for one in usual.unlike(dataclasses.replace(turn, **changed), 0.0)]

    assert noticed() == []
    assert noticed(loudness_db=turn.loudness_db + 9) == [Behaviour.LOUD]
    assert noticed(loudness_db=turn.loudness_db - 9) == [Behaviour.QUIET]
    assert noticed(syllables_per_s=turn.syllables_per_s * 1.6) == [Behaviour.FAST]
    assert noticed(pitch_octaves=turn.pitch_octaves + 0.5) == [Behaviour.HIGH]
    assert noticed(pitch_range_octaves=turn.pitch_range_octaves * 3) == [Behaviour.LIVELY]


def test_pieces_join_by_how_much_voice_they_have() -> None:
    long, short = manner(spoken(2.0, 120.0, 4.0)), manner(spoken(0.5, 240.0, 4.0))
    turn = joined([long, short])
    assert turn.voiced_s == pytest.approx(long.voiced_s + short.voiced_s)
    assert long.pitch_octaves < turn.pitch_octaves < long.pitch_octaves + 0.5
