import numpy as np
import pytest

from visavis.layers.tts import Phoneme, Speech
from visavis.replica.key_frames.weights import key_weights
from visavis.replica.motion import SAMPLES, Articulation, articulate, plan
from visavis.replica.visemes import CLOSED, JAW, LABIODENTAL, ROUND

HIBARI_SOUNDS = "AIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔᵻ"


def spoken(sounds: str, each_s: float = 0.1, tail_s: float = 0.2) -> Speech:
    """One phoneme per character, each equally long; a loud hum, because the mouth here follows the phonemes."""
    phonemes = tuple(Phoneme(sound, index * each_s, (index + 1) * each_s) for index, sound in enumerate(sounds))
    count = round((len(sounds) * each_s + tail_s) * 48_000)
    hum = 8000 * np.sin(np.arange(count) * 2 * np.pi * 200 / 48_000)
    return Speech(hum.astype(np.int16), (), phonemes)


def weights(motion: list[Articulation], key: str) -> np.ndarray:
    return np.array([key_weights(item.parameters).get(key, 0.0) for item in motion])


@pytest.mark.parametrize("samples", [0, 1, 1919, 1920, 1921, 48_000, 48_001])
def test_plan_has_one_item_per_40_ms_started(samples: int) -> None:
    for phonemes in ((), (Phoneme("ɑ", 0.0, 0.2),)):
        assert len(plan(Speech(np.zeros(samples, np.int16), (), phonemes))) == -(-samples // SAMPLES)


@pytest.mark.parametrize("sound", sorted(set(HIBARI_SOUNDS)))
def test_weights_of_every_sound_are_a_mixture(sound: str) -> None:
    for item in plan(spoken("ə" + sound + "ə")):
        values = np.array(list(key_weights(item.parameters).values()))
        assert (values >= 0).all() and abs(values.sum() - 1) < 1e-6
        assert 0 <= item.loudness <= 1


@pytest.mark.parametrize("sound", "mbp")
@pytest.mark.parametrize("each_s", [0.03, 0.055, 0.1])
def test_lips_meet_in_every_closure_however_short_and_wherever_it_falls(sound: str, each_s: float) -> None:
    for offset in np.linspace(0, 0.04, 9):
        start = 0.2 + offset
        phonemes = (
            Phoneme("ɑ", 0.0, start),
            Phoneme(sound, start, start + each_s),
            Phoneme("ɑ", start + each_s, 0.6),
        )
        closed = articulate(phonemes, (np.arange(15) + 0.5) * 0.04 + 0.03)[:, CLOSED]
        assert closed.max() == 1.0


def test_lips_are_never_closed_in_the_middle_of_a_vowel() -> None:
    phonemes = spoken("mɑmɑ", each_s=0.2).phonemes
    middle_of_vowels = articulate(phonemes, np.array([0.3, 0.7]))
    assert (middle_of_vowels[:, CLOSED] == 0).all()
    assert (middle_of_vowels[:, JAW] > 0.5).all()


def test_stop_bursts_open_before_it_ends_and_nasal_does_not() -> None:
    end = np.array([0.2 - 1e-3])
    assert articulate(spoken("ɑpɑ").phonemes, end)[0, CLOSED] < 1
    assert articulate(spoken("ɑmɑ").phonemes, end)[0, CLOSED] == 1


def test_lower_lip_touches_the_teeth_in_f_and_v() -> None:
    for sound in "fv":
        assert articulate(spoken("ɑ" + sound + "ɑ").phonemes, np.array([0.15]))[0, LABIODENTAL] == 1


def test_rounding_begins_before_the_rounded_vowel() -> None:
    before = np.array([0.18])
    towards_round = articulate(spoken("tsu").phonemes, before)[0, ROUND]
    towards_spread = articulate(spoken("tsi").phonemes, before)[0, ROUND]
    assert towards_round > towards_spread + 0.15


def test_open_vowels_open_the_jaw_more_than_close_ones() -> None:
    middle = np.array([0.15])
    jaws = [articulate(spoken("t" + vowel + "t").phonemes, middle)[0, JAW] for vowel in "iɛɑ"]
    assert jaws[0] < jaws[1] < jaws[2]


def test_stress_marks_and_spaces_do_not_move_the_mouth() -> None:
    times = np.linspace(0, 0.6, 20)
    plain = (Phoneme("t", 0, 0.1), Phoneme("ɑ", 0.1, 0.3), Phoneme("t", 0.3, 0.4))
    marked = (Phoneme("ˈ", 0, 0.0), *plain[:2], Phoneme(" ", 0.3, 0.3), plain[2], Phoneme("ː", 0.4, 0.4))
    assert np.allclose(articulate(plain, times), articulate(marked, times))


def test_mouth_rests_in_a_long_pause_and_after_the_last_sound() -> None:
    phonemes = (Phoneme("ɑ", 0.1, 0.3), Phoneme(",", 0.3, 0.8), Phoneme("ɑ", 0.8, 1.0))
    jaw = articulate(phonemes, np.array([0.2, 0.55, 0.9, 1.3]))[:, JAW]
    assert jaw[0] > 0.6 and jaw[2] > 0.6
    assert jaw[1] < 0.12 and jaw[3] < 0.05


def test_speech_without_sounds_is_rest() -> None:
    silent = Speech(np.zeros(9600, np.int16), (), (Phoneme(".", 0.0, 0.2),))
    assert (weights(list(plan(silent)), "sil") == 1).all()


def test_without_phonemes_the_jaw_follows_the_sound() -> None:
    time = np.arange(48_000) / 48_000
    vowel = sum(np.sin(2 * np.pi * hertz * time) for hertz in (150, 600, 900)) * 6000
    loud = ((time > 0.3) & (time < 0.7)).astype(float)
    motion = list(plan(Speech((vowel * loud).astype(np.int16), (), ())))
    rest = weights(motion, "sil")
    assert rest[9:16].max() < 0.7
    assert rest[:5].min() > 0.97 and rest[21:].min() > 0.97
