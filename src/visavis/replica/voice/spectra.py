"""Spectra of speech at 24 kHz in the frames of the network (12.5 ms): mel bands, energy, features to align by."""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from visavis.audio import Samples

RATE_HZ = 24_000
HOP = 300
WINDOW = 1200
FRAMES_PER_UNIT = 2
"""Durations are counted in units of two frames."""

Floats = NDArray[np.float32]

_ENERGY_FFT, _ENERGY_BANDS = 2048, 80
_ENERGY_SLOPE, _ENERGY_OFFSET = 0.972, 4.527
"""What hibari's energy is of the log norm of 80 mel bands; fitted on its own speech (correlation .99)."""

_CEPSTRA, _BANDS, _HIGHEST_HZ = 14, 60, 7_000.0


def magnitudes(samples: Samples, size: int = WINDOW, window: int = WINDOW) -> Floats:
    """float32[frames, size // 2 + 1] of the frames that are centred at every `HOP` samples, from the first one."""
    padded = np.pad(samples, size // 2, mode="reflect")
    frames = sliding_window_view(padded, size)[: len(padded) - size : HOP]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)
    side = (size - window) // 2
    return np.abs(np.fft.rfft(frames * np.pad(hann, side), axis=1)).astype(np.float32)


def energy(samples: Samples) -> Floats:
    """float32[frames]: log energy as the network counts it."""
    power = magnitudes(samples, _ENERGY_FFT) ** 2 @ mel_filters(_ENERGY_FFT, _ENERGY_BANDS).T
    norm = np.linalg.norm(power, axis=1)
    return np.asarray(_ENERGY_SLOPE * np.log(norm + 1e-5) + _ENERGY_OFFSET, np.float32)


def features(samples: Samples) -> Floats:
    """float32[frames, 14]: cepstra without the first and loudness, each of zero mean and unit variance.

    What is left when a speaker's average spectrum is taken away: good for laying one speaker over another.
    """
    spectra = magnitudes(samples)
    bands = np.log(spectra**2 @ mel_filters(WINDOW, _BANDS, highest_hz=_HIGHEST_HZ).T + 1e-8)
    cepstra = bands @ _cosines(_CEPSTRA, _BANDS).T
    loudness = np.log(np.sqrt((spectra**2).mean(axis=1)) + 1e-2)
    joined = np.column_stack([cepstra[:, 1:], loudness])
    joined = (joined - joined.mean(axis=0)) / (joined.std(axis=0) + 1e-6)
    joined[:, -1] *= 2
    return np.asarray(joined, np.float32)


@cache
def mel_filters(size: int, bands: int, highest_hz: float | None = None, rate_hz: int = RATE_HZ) -> Floats:
    """float32[bands, size // 2 + 1]: triangles of equal area, evenly spaced on Slaney's mel scale (1998)."""
    bins_hz = np.arange(size // 2 + 1) * rate_hz / size
    corners_hz = _hertz(np.linspace(0.0, _mels(highest_hz or rate_hz / 2), bands + 2))[:, None]
    left, centre, right = corners_hz[:-2], corners_hz[1:-1], corners_hz[2:]
    rising, falling = (bins_hz - left) / (centre - left), (right - bins_hz) / (right - centre)
    filters = np.maximum(0.0, np.minimum(rising, falling)) * 2 / (right - left)
    return np.asarray(filters, np.float32)


@cache
def _cosines(count: int, bands: int) -> Floats:
    """The first rows of the orthonormal discrete cosine transform (II)."""
    rows = np.cos(np.pi * np.arange(count)[:, None] * (np.arange(bands) + 0.5) / bands) * np.sqrt(2 / bands)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


# Linear up to 1 kHz (15 mel), from there 27 mel for a factor of 6.4.
def _mels(hertz: float) -> float:
    return float(hertz * 3 / 200) if hertz < 1000 else float(15 + 27 * np.log(hertz / 1000) / np.log(6.4))


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
