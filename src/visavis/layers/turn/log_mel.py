"""The log-mel spectrogram that Whisper and its descendants hear (Radford et al. 2022, arXiv 2212.04356)."""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from visavis.audio import LISTEN_RATE_HZ, Samples

WINDOW = 400
HOP = 160
BANDS = 80
_RANGE = 8.0
"""Decades below the loudest value that are told apart."""


def log_mel(samples: Samples) -> NDArray[np.float32]:
    """float32[80, N // 160] of `samples` (float32[N], 16 kHz), after scaling them to zero mean and unit variance."""
    centred = samples - samples.mean()
    scaled = centred / np.sqrt(centred.var() + 1e-7)
    padded = np.pad(scaled, WINDOW // 2, mode="reflect")
    windows = sliding_window_view(padded, WINDOW)[: len(padded) - WINDOW : HOP]
    power = np.abs(np.fft.rfft(windows * _hann(), axis=1)) ** 2
    bands = np.log10(np.maximum(power @ _filters(), 1e-10)).T
    limited = np.maximum(bands, bands.max() - _RANGE)
    features: NDArray[np.float32] = ((limited + 4.0) / 4.0).astype(np.float32)
    return features


@cache
def _hann() -> NDArray[np.float64]:
    """A periodic Hann window."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)


@cache
def _filters() -> NDArray[np.float64]:
    """float64[201, 80]: triangles of equal area, evenly spaced in mels from 0 Hz to half the sample rate."""
    bins_hz = np.arange(WINDOW // 2 + 1) * LISTEN_RATE_HZ / WINDOW
    corners_hz = _hertz(np.linspace(0.0, _mels(LISTEN_RATE_HZ / 2), BANDS + 2))
    left, centre, right = corners_hz[:-2], corners_hz[1:-1], corners_hz[2:]
    rising = (bins_hz[:, None] - left) / (centre - left)
    falling = (right - bins_hz[:, None]) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (right - left))


# The mel scale of Slaney's Auditory Toolbox (1998): linear up to 1 kHz (15 mel), from there 27 mel for a factor of 6.4.
_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_BREAK_HZ, _BREAK_MEL = 1000.0, 15.0
_LOG_STEP = np.log(6.4) / 27.0


def _mels(hertz: float) -> float:
    if hertz < _BREAK_HZ:
        return hertz / _LINEAR_HZ_PER_MEL
    return float(_BREAK_MEL + np.log(hertz / _BREAK_HZ) / _LOG_STEP)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mels * _LINEAR_HZ_PER_MEL
    return np.where(mels < _BREAK_MEL, linear, _BREAK_HZ * np.exp(_LOG_STEP * (mels - _BREAK_MEL)))
