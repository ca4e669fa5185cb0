import numpy as np
import pytest

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.layers.turn.prosody import Prosody, prosody


def voice(hertz: np.ndarray, level: np.ndarray | float = 0.1) -> Samples:
    """A buzz of ten harmonics whose pitch and level follow the arrays, one value a sample."""
    phase = 2 * np.pi * np.cumsum(hertz) / LISTEN_RATE_HZ
    sound = sum(np.sin(number * phase) / number for number in range(1, 11))
    return (level * sound).astype(np.float32)


def steady(hertz: float, seconds: float) -> np.ndarray:
    return np.full(round(seconds * LISTEN_RATE_HZ), float(hertz))


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * LISTEN_RATE_HZ), np.float32)


@pytest.mark.parametrize("hertz", [80, 120, 220, 350])
def test_a_steady_pitch_ends_where_it_was(hertz: float) -> None:
    heard = prosody(np.concatenate([voice(steady(hertz, 2.0)), silence(0.1)]))
    assert abs(heard.pitch_end) < 0.02
    assert abs(heard.pitch_slope) < 0.1
    assert heard.voiced_end > 0.7


@pytest.mark.parametrize("hertz", [90, 200])
def test_a_fall_at_the_end_is_heard_in_octaves_a_second(hertz: float) -> None:
    falling = hertz * 2 ** np.linspace(0, -0.5, round(0.4 * LISTEN_RATE_HZ))
    heard = prosody(np.concatenate([voice(np.concatenate([steady(hertz, 2.0), falling])), silence(0.1)]))
    assert -0.5 < heard.pitch_end < -0.3
    assert heard.pitch_slope == pytest.approx(-1.25, abs=0.25)


def test_a_rise_is_not_a_fall() -> None:
    rising = 150 * 2 ** np.linspace(0, 0.4, round(0.4 * LISTEN_RATE_HZ))
    heard = prosody(voice(np.concatenate([steady(150, 2.0), rising])))
    assert heard.pitch_end > 0.2
    assert heard.pitch_slope > 0.6


def test_fading_out_is_heard_whatever_the_volume() -> None:
    fade = np.concatenate([np.ones(2 * LISTEN_RATE_HZ), np.geomspace(1, 0.15, LISTEN_RATE_HZ // 2)])
    faded = voice(steady(150, 2.5), 0.1 * fade)
    loud, soft = prosody(faded), prosody(faded / 8)
    assert loud.level_end < -0.8
    assert loud.level_end == pytest.approx(soft.level_end, abs=0.02)


def test_the_last_held_syllable_is_measured() -> None:
    short = np.concatenate([voice(steady(150, 1.0)), silence(0.2), voice(steady(150, 0.2)), silence(0.1)])
    held = np.concatenate([voice(steady(150, 1.0)), silence(0.2), voice(steady(150, 0.6)), silence(0.1)])
    assert prosody(held).final_s == pytest.approx(0.6, abs=0.08)
    assert prosody(short).final_s == pytest.approx(0.2, abs=0.08)


def test_noise_has_no_pitch() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 2 * LISTEN_RATE_HZ).astype(np.float32)
    assert prosody(noise).voiced_end < 0.2


@pytest.mark.parametrize("size", [0, 1, 500, 16_000])
def test_silence_and_scraps_say_nothing(size: int) -> None:
    assert prosody(np.zeros(size, np.float32)) == Prosody()
