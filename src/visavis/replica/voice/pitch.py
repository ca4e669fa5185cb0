"""Pitch of speech: normalised cross-correlation, and the smoothest path through its peaks.

After Talkin, "A robust algorithm for pitch tracking (RAPT)", 1995.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from visavis.audio import Samples
from visavis.replica.voice.spectra import HOP, RATE_HZ

LOWEST_HZ, HIGHEST_HZ = 60.0, 450.0

_WINDOW = 360
"""15 ms are compared with what comes a period later: nearly a period of the lowest voice."""
_USUAL_LAG = 130
_BRIGHTEST_HZ = 1_000.0
"""Higher harmonics say nothing more about the period, and stop repeating themselves where the pitch glides."""
_PEAKS = 6
_VOICED_FROM = 0.4
"""Correlation above which a frame is rather voiced than not."""
_SWITCH = 0.3
"""Cost of beginning or ending to be voiced."""
_JUMP = 3.0
"""Cost of a change by an octave (log 2) from one frame to the next."""
_LONG_LAG = 0.12
"""How much less the longest lag counts: every multiple of the period correlates as well as the period."""
_QUIET = 3e-3
"""Softer frames (root mean square) are not voiced."""

Floats = NDArray[np.float64]


def pitch_of(samples: Samples) -> NDArray[np.float32]:
    """Hz of every frame of 12.5 ms, 0 where unvoiced: float32[len(samples) // 300]."""
    count = len(samples) // HOP
    if not count:
        return np.zeros(0, np.float32)
    shortest, longest = int(RATE_HZ / HIGHEST_HZ), int(np.ceil(RATE_HZ / LOWEST_HZ))
    before = (_WINDOW + _USUAL_LAG) // 2
    padded = np.pad(_darkened(samples), (before, _WINDOW + longest))
    frames = sliding_window_view(padded, _WINDOW + longest)[: count * HOP : HOP][:count]
    correlation = _correlation(frames, longest)
    loud = np.sqrt((frames[:, :_WINDOW] ** 2).mean(axis=1)) > _QUIET
    lags, strengths = _peaks(correlation, shortest, longest)
    path = _best_path(lags, np.where(loud[:, None], strengths, -1.0))
    found = np.take_along_axis(lags, np.minimum(path, _PEAKS - 1)[:, None], axis=1)[:, 0]
    return np.where(path < _PEAKS, RATE_HZ / found, 0.0).astype(np.float32)


def _darkened(samples: Samples) -> Floats:
    """The sound without what lies above `_BRIGHTEST_HZ`."""
    spectrum = np.fft.rfft(samples.astype(np.float64))
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return np.asarray(np.fft.irfft(spectrum / (1 + (hertz / _BRIGHTEST_HZ) ** 8), len(samples)))


def _correlation(frames: Floats, longest: int) -> Floats:
    """[frames, longest + 1]: each frame's beginning with what comes later, 1 where it repeats."""
    size = 1024
    start = np.fft.rfft(frames[:, :_WINDOW], size, axis=1)
    products = np.fft.irfft(np.conj(start) * np.fft.rfft(frames, size, axis=1), size, axis=1)[:, : longest + 1]
    squares = np.cumsum(np.pad(frames**2, ((0, 0), (1, 0))), axis=1)
    energies = squares[:, _WINDOW : _WINDOW + longest + 1] - squares[:, : longest + 1]
    return np.asarray(products / np.sqrt(energies[:, :1] * energies + 1e-9))


def _peaks(correlation: Floats, shortest: int, longest: int) -> tuple[Floats, Floats]:
    """The highest peaks of each frame: lags, between samples, and strengths; a strength of -1 where there are fewer."""
    inner = correlation[:, shortest : longest - 1]
    is_peak = (inner >= correlation[:, shortest - 1 : longest - 2]) & (inner > correlation[:, shortest + 1 : longest])
    weighted = inner - _LONG_LAG * np.arange(shortest, longest - 1) / longest
    ranked = np.where(is_peak, weighted, -1.0)
    best = np.argsort(-ranked, axis=1)[:, :_PEAKS]
    strengths = np.take_along_axis(ranked, best, axis=1)
    at = best + shortest
    before, here, after = (np.take_along_axis(correlation, at + step, axis=1) for step in (-1, 0, 1))
    bend = before - 2 * here + after
    shift = np.where(np.abs(bend) > 1e-9, (before - after) / (2 * np.where(bend == 0, 1, bend)), 0.0)
    return at + np.clip(shift, -0.5, 0.5), strengths


def _best_path(lags: Floats, strengths: Floats) -> NDArray[np.int64]:
    """Which peak each frame follows, `_PEAKS` for none (Viterbi)."""
    count = len(lags)
    local = np.column_stack([1 - strengths, np.full(count, 1 - _VOICED_FROM)])
    logs = np.log(lags)
    cost, back = local[0].copy(), np.zeros((count, _PEAKS + 1), np.int64)
    change = np.zeros((_PEAKS + 1, _PEAKS + 1))
    change[:_PEAKS, _PEAKS] = change[_PEAKS, :_PEAKS] = _SWITCH
    for i in range(1, count):
        change[:_PEAKS, :_PEAKS] = _JUMP * np.abs(logs[i - 1][:, None] - logs[i])
        total = cost[:, None] + change
        back[i] = np.argmin(total, axis=0)
        cost = total[back[i], np.arange(_PEAKS + 1)] + local[i]
    path = np.zeros(count, np.int64)
    if count:
        path[-1] = int(np.argmin(cost))
    for i in range(count - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path
