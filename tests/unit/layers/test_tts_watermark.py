"""The mark in generated speech: found where it is, not found where it is not, and hardly changing anything."""

import numpy as np
import pytest

from visavis.audio import Samples
from visavis.layers.tts.hibari_network import HibariNetwork
from visavis.layers.tts.watermark import RATE_HZ, detect, marked

SENTENCES = (
    "ðə ˈɜɹli tɹˈAn wʌz lˈAt əɡˈɛn, sO wi wˈɔkt əlˈɔŋ ðə ɹˈɪvəɹ ɪnstˈɛd.",
    "plˈiz ʧˈuz ə tˈIm ðæt sˈuts ju, ænd ˌI wɪl pˈʊt ɪt ɪn ðə kˈæləndəɹ.",
    "sˈɛvən jˈɛlO bˈOts dɹˈɪftᵻd slˈOli pˈæst ðə kwˈIət hˈɑɹbəɹ.",
)


@pytest.fixture(scope="module")
def pieces() -> list[Samples]:
    network = HibariNetwork()
    return [network.speak("".join(c for c in text if c in network.alphabet)).samples for text in SENTENCES]


def test_marked_speech_is_found_and_unmarked_is_not(pieces: list[Samples]) -> None:
    assert detect(np.concatenate([marked(piece) for piece in pieces])).found
    assert not detect(np.concatenate(pieces)).found


def test_the_mark_survives_noise_and_a_change_of_loudness(pieces: list[Samples]) -> None:
    speech = np.concatenate([marked(piece) for piece in pieces]) * np.float32(0.3)
    noise = np.random.default_rng(0).normal(0, float(np.std(speech)) / 10, len(speech))
    assert detect((speech + noise).astype(np.float32)).found


def test_the_mark_changes_bands_by_little(pieces: list[Samples]) -> None:
    change = marked(pieces[0]) - pieces[0]
    assert 10 * np.log10(np.mean(np.square(pieces[0])) / np.mean(np.square(change))) > 17


def test_noise_and_silence_and_a_moment_carry_no_mark() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 20 * RATE_HZ).astype(np.float32)
    assert not detect(noise).found
    assert not detect(np.zeros(10 * RATE_HZ, np.float32)).found
    assert not detect(noise[:RATE_HZ]).found
    assert len(marked(noise[:100])) == 100
