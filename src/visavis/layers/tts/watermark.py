"""An inaudible mark in generated speech, and how it is found again.

Bands of the spectrum get a little louder and softer in a pseudo-random pattern that repeats; whoever
knows the pattern, which is below, finds it by correlation. A patchwork watermark in the logarithmic spectrum
(after Arnold, "Audio watermarking: features, applications and algorithms", ICME 2000). It says that a machine spoke,
not who; it can be removed by whoever wants to, and it does not survive heavy distortion. What it survives, and whether
it is heard, is measured by `benchmarks/voice.py`.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from visavis.audio import Samples

RATE_HZ = 24_000
DEPTH_DB = 1.5
"""How much louder or softer a tile gets."""
DETECTED_FROM = 5.0
"""How far (in robust deviations) the best match must stand out from all others for the mark to count as found."""

_HOP, _WINDOW = 240, 480
_TILE_FRAMES, _PERIOD_TILES = 4, 32
_PERIOD = _TILE_FRAMES * _PERIOD_TILES
_BANDS = 24
_LOWEST_HZ, _HIGHEST_HZ = 400.0, 6_400.0
_SEED = 20_261_101
_NEARBY = 13
"""Frames over which a band's usual level is taken."""
_LIMIT_DB = 6.0
_LONGEST_RUN = 4
"""Periods that are added up at most; a piece of speech is seldom longer than five seconds."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found in a recording."""

    found: bool
    score: float
    """How far the best match stands out; speech without the mark stays below 5."""
    seconds: float
    """Where the best match begins."""


def marked(samples: Samples) -> Samples:
    """The same speech with the mark: float32[N] at 24 kHz. The pattern begins with the speech."""
    if len(samples) < _WINDOW:
        return samples
    padded = np.pad(samples, (_HOP, _WINDOW))
    frames = sliding_window_view(padded, _WINDOW)[::_HOP] * _window()
    spectra = np.fft.rfft(frames, axis=1)
    spectra *= _gains()[np.arange(len(frames)) % _PERIOD]
    shaped = np.fft.irfft(spectra, _WINDOW, axis=1) * _window()
    out = np.zeros(len(padded), np.float32)
    halves = shaped.reshape(len(frames), 2, _HOP)
    whole = out[: (len(frames) + 1) * _HOP].reshape(-1, _HOP)
    whole[:-1] += halves[:, 0]
    whole[1:] += halves[:, 1]
    return out[_HOP : _HOP + len(samples)]


def detect(samples: Samples) -> Detection:
    """Look for the mark in a recording: float32[N] at 24 kHz, two seconds or more."""
    if len(samples) < 3 * _PERIOD * _HOP // 2:
        return Detection(False, 0.0, 0.0)
    residual = _residual(samples)
    pattern = _pattern()
    matches = np.zeros(max(len(residual) - _PERIOD + 1, 1))
    size = 1 << (len(residual) + _PERIOD).bit_length()
    products = np.fft.rfft(residual, size, axis=0) * np.conj(np.fft.rfft(pattern, size, axis=0))
    matches = np.fft.irfft(products.sum(axis=1), size)[: len(residual) - _PERIOD + 1]
    best, at = 0.0, 0
    for periods in range(1, _LONGEST_RUN + 1):
        count = len(matches) - (periods - 1) * _PERIOD
        if count < _PERIOD // 2:
            break
        summed = np.sum([matches[n * _PERIOD :][:count] for n in range(periods)], axis=0)
        summed -= np.median(summed)
        score = summed / (1.4826 * np.median(np.abs(summed)) + 1e-9)
        if score.max() > best:
            best, at = float(score.max()), int(np.argmax(score))
    # A longer recording has more chances to match by accident: as the greatest of so many Gaussian values grows.
    fair = best - (math.sqrt(2 * math.log(max(len(matches), 2))) - math.sqrt(2 * math.log(300)))
    return Detection(fair > DETECTED_FROM, fair, at * _HOP / RATE_HZ)


def _residual(samples: Samples) -> Floats:
    """[frames, bands]: how much louder, dB, each band is than it usually is nearby in time and than its neighbours."""
    frames = sliding_window_view(np.pad(samples, (_HOP, _WINDOW)), _WINDOW)[::_HOP] * _window()
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 @ _band_of_bin().T
    levels = 10 * np.log10(power + 1e-7 * power.mean() + 1e-12)
    nearby = np.ones(_NEARBY) / _NEARBY
    usual = np.apply_along_axis(
        lambda band: np.convolve(np.pad(band, _NEARBY // 2, mode="edge"), nearby, "valid"), 0, levels
    )
    residual = levels - usual
    residual -= residual.mean(axis=1, keepdims=True)
    return np.asarray(np.clip(residual, -_LIMIT_DB, _LIMIT_DB))


@cache
def _window() -> NDArray[np.float32]:
    """The square root of Hann's: used twice, the frames add up to what they were."""
    return np.sin(np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW).astype(np.float32)


@cache
def _gains() -> NDArray[np.float32]:
    """float32[_PERIOD, bins]: what the pattern multiplies each bin of each frame by."""
    return np.asarray(10 ** (DEPTH_DB / 20 * (_pattern() @ _band_of_bin())), np.float32)


@cache
def _pattern() -> Floats:
    """float[_PERIOD, _BANDS] of -1 and 1, as often the one as the other in every tile row."""
    rng = np.random.default_rng(_SEED)
    signs = np.array([rng.permutation([-1.0, 1.0] * (_BANDS // 2)) for _ in range(_PERIOD_TILES)])
    return np.repeat(signs, _TILE_FRAMES, axis=0)


@cache
def _band_of_bin() -> Floats:
    """float[_BANDS, bins]: 1 where a bin belongs to a band."""
    hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE_HZ)
    edges = np.linspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1)
    return np.array([(hertz >= low) & (hertz < high) for low, high in pairwise(edges)], float)
