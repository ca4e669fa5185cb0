import numpy as np
import pytest

from visavis.layers.tts.half_band import double_rate

RATE_HZ = 24_000


def tone(frequency_hz: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(rate_hz) / rate_hz)).astype(np.float32)


@pytest.mark.parametrize("frequency_hz", [100, 1_000, 4_000, 10_500])
def test_a_tone_is_the_same_tone_at_twice_the_rate(frequency_hz: float) -> None:
    heard = double_rate(tone(frequency_hz)).astype(np.float64)
    right = tone(frequency_hz, 2 * RATE_HZ)[: len(heard)].astype(np.float64) * 32767
    inside = slice(200, -200)
    error_db = 10 * np.log10(np.mean((heard - right)[inside] ** 2) / np.mean(right[inside] ** 2))
    assert error_db < -60


def test_loud_sound_is_clipped_and_does_not_wrap() -> None:
    assert double_rate(np.full(100, 1.5, np.float32))[100] == 32767
    assert double_rate(np.full(100, -1.5, np.float32))[100] == -32767


def test_nothing_stays_nothing() -> None:
    assert len(double_rate(np.zeros(0, np.float32))) == 0
