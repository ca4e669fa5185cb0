"""Pitch and alignment, judged by speech whose pitch and durations are known because it was made from them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from visavis.layers.tts.hibari_network import HibariNetwork
from visavis.layers.tts.manner import Manner
from visavis.replica.voice.alignment import align
from visavis.replica.voice.pitch import pitch_of
from visavis.replica.voice.spectra import HOP, energy, mel_filters

SENTENCE = "ðə pˈIlət pˈʊʃt ðə bˈʌtᵊn twˈIs, bˌʌt ðə lˈɪtᵊl lˈIt stˈAd dˈɑɹk."


@pytest.fixture(scope="module")
def network() -> HibariNetwork:
    return HibariNetwork()


@pytest.mark.parametrize("transpose", [1.0, 0.55])
def test_pitch_is_found_without_octave_errors(network: HibariNetwork, transpose: float) -> None:
    manner = Manner(transpose=transpose)
    found = pitch_of(network.speak(SENTENCE, manner).samples)
    _, known = network.plan(network.tokens(SENTENCE), manner)
    both = (found > 0) & (known > 40)
    errors = np.abs(found[both] / known[both] - 1)
    assert both.sum() > 80
    assert float(np.median(errors)) < 0.03
    assert float((errors > 0.2).mean()) < 0.03
    assert float((found[known <= 40] > 0).mean()) < 0.1


def test_silence_and_noise_have_no_pitch() -> None:
    assert not pitch_of(np.zeros(24_000, np.float32)).any()
    noise = np.random.default_rng(0).normal(0, 0.1, 24_000).astype(np.float32)
    assert float((pitch_of(noise) > 0).mean()) < 0.15
    assert len(pitch_of(np.zeros(0, np.float32))) == 0


def units_of(network: HibariNetwork, speed: float) -> NDArray[np.int64]:
    return network.speak(SENTENCE, Manner(speed=speed)).units


def test_phonemes_are_found_in_slower_speech(network: HibariNetwork) -> None:
    known, slower = network.speak(SENTENCE), network.speak(SENTENCE, Manner(speed=0.8, pitch_semitones=-3, throat=1.08))
    units, mismatch = align(known.samples, known.units.tolist(), slower.samples)
    off_ms = 25 * np.abs(np.cumsum(units) - np.cumsum(units_of(network, 0.8)))
    assert units.sum() == len(slower.samples) // 600
    assert units.min() >= 1
    assert off_ms.mean() < 45
    assert mismatch < 1.5


def test_other_words_do_not_match(network: HibariNetwork) -> None:
    known = network.speak(SENTENCE)
    other = network.speak("wˈʌn hˈʌndɹᵻd ænd twˈɛnti θɹˈi pˈɜɹpᵊl ˈumbɹˈɛləz wɜɹ sˈOld ɪn mˈA.")
    _, same = align(known.samples, known.units.tolist(), network.speak(SENTENCE, Manner(pitch_semitones=3)).samples)
    _, different = align(known.samples, known.units.tolist(), other.samples)
    assert different > 1.2 * same


def test_energy_grows_with_loudness_and_frames_are_counted(network: HibariNetwork) -> None:
    speech = network.speak(SENTENCE).samples
    assert len(energy(speech)) == len(speech) // HOP
    assert float((energy(speech * 2) - energy(speech)).max()) == pytest.approx(2 * 0.972 * np.log(2), rel=0.05)
    assert mel_filters(1200, 40).shape == (40, 601)
