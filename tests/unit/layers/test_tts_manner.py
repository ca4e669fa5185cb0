"""How something is said: what pitch, energy, pace and throat do to it."""

import numpy as np
import pytest

from visavis.layers.tts.hibari_network import HibariNetwork
from visavis.layers.tts.manner import EMOTIONS, PLAIN, Manner
from visavis.replica import Emotion
from visavis.replica.voice.pitch import pitch_of

SENTENCE = "ɡˈʊd mˈɔɹnɪŋ, hˌW kæn ˌI hˈɛlp ju tədˈA?"


@pytest.fixture(scope="module")
def network() -> HibariNetwork:
    return HibariNetwork()


def pitch(network: HibariNetwork, manner: Manner) -> np.ndarray:
    found = pitch_of(network.speak(SENTENCE, manner).samples)
    return found[found > 0]


def test_every_emotion_has_a_manner() -> None:
    assert set(EMOTIONS) == {emotion.value for emotion in Emotion}


def test_semitones_are_heard(network: HibariNetwork) -> None:
    usual, higher = (np.median(pitch(network, Manner(pitch_semitones=up))) for up in (0.0, 3.0))
    assert 12 * np.log2(higher / usual) == pytest.approx(3.0, abs=0.7)


def test_a_transposed_voice_is_as_low_as_a_mans_and_no_louder(network: HibariNetwork) -> None:
    usual, low = network.speak(SENTENCE), network.speak(SENTENCE, Manner(transpose=0.55, throat=1.15))
    heard = pitch_of(low.samples)
    assert 85 < np.median(heard[heard > 0]) < 150
    assert float(np.std(low.samples)) == pytest.approx(float(np.std(usual.samples)), rel=0.35)
    assert np.array_equal(usual.starts_s, low.starts_s)


def test_speed_shortens_and_a_wider_melody_moves_further(network: HibariNetwork) -> None:
    assert len(network.speak(SENTENCE, Manner(speed=1.3)).samples) < 0.85 * len(network.speak(SENTENCE).samples)
    flat, wide = (np.std(np.log2(pitch(network, Manner(pitch_range=by)))) for by in (0.4, 1.3))
    assert wide > 1.5 * flat


def test_two_manners_add_up() -> None:
    both = Manner(speed=1.2, pitch_semitones=1).then(Manner(speed=0.5, pitch_semitones=2, throat=1.1))
    assert both == Manner(speed=0.6, pitch_semitones=3, throat=1.1)
    assert PLAIN.then(both) == both
