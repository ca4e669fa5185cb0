"""Made-up voices for tests and benchmarks: buzzes with formants whose pitch, pace, laughter and breath are known."""

import numpy as np
from numpy.typing import NDArray

from visavis.audio import LISTEN_RATE_HZ, Samples

_HISS = 0.001


def _voice(pitch_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """A vowel with this pitch in each sample."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / LISTEN_RATE_HZ
    middle = float(np.mean(pitch_hz)) if len(pitch_hz) else 0.0
    harmonics = [np.sin(h * phase) * np.exp(-(((h * middle - 600) / 800) ** 2)) for h in range(1, 20)]
    return np.asarray(0.2 * np.sum(harmonics, 0))


def _with_hiss(sound: NDArray[np.float64], rng: np.random.Generator) -> Samples:
    around = np.zeros(LISTEN_RATE_HZ // 5)
    whole = np.concatenate([around, sound, around])
    return np.asarray(whole + rng.normal(0, _HISS, len(whole)), np.float32)


def spoken(seconds: float, pitch_hz: float, pace: float, seed: int = 0) -> Samples:
    """Syllables at `pace` a second with some melody; one held vowel where that is 0."""
    rng = np.random.default_rng(seed)
    at = np.arange(round(seconds * LISTEN_RATE_HZ)) / LISTEN_RATE_HZ
    if not pace:
        return _with_hiss(_voice(np.full(len(at), pitch_hz)) * np.minimum(1, 20 * np.minimum(at, seconds - at)), rng)
    melody = pitch_hz * 2 ** (0.2 * np.sin(2 * np.pi * 0.7 * at))
    return _with_hiss(_voice(melody) * (0.12 + 0.88 * np.sin(np.pi * pace * at) ** 2), rng)


def laughter(pitch_hz: float, rate_hz: float, bursts: int = 6, seed: int = 0) -> Samples:
    """Bursts of voice that get lower and softer, with breath between them."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(bursts):
        voiced_s = rng.uniform(0.35, 0.5) / rate_hz
        at = np.arange(round(voiced_s * LISTEN_RATE_HZ)) / LISTEN_RATE_HZ
        pitch = pitch_hz * (1 - 0.05 * number) * (1 + 0.1 * np.sin(np.pi * at / voiced_s))
        parts.append(_voice(pitch) * np.hanning(len(at)) * 0.92**number)
        parts.append(rng.normal(0, 0.012, round(LISTEN_RATE_HZ / rate_hz) - len(at)))
    return _with_hiss(np.concatenate(parts), rng)


def breath(seconds: float, seed: int = 0) -> Samples:
    """A sigh: dull noise that comes quickly and fades."""
    rng = np.random.default_rng(seed)
    count = round(seconds * LISTEN_RATE_HZ)
    noise = np.convolve(rng.normal(0, 1, count), np.hanning(24) / 12, mode="same")
    at = np.arange(count) / count
    return _with_hiss(0.05 * noise * np.minimum(at / 0.15, 1) * np.exp(-2.2 * at), rng)
