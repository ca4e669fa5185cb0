"""When each phoneme of a recording sounds: the recording laid over the same words from a voice that knows.

Dynamic time warping (Sakoe & Chiba 1978) of cepstra, in frames of 12.5 ms.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from visavis.audio import Samples
from visavis.replica.voice.spectra import FRAMES_PER_UNIT, HOP, features

_STRAY = 1.3
"""How much more a frame costs that repeats one of the other side."""

Floats = NDArray[np.float64]


def align(known: Samples, units: Sequence[int], recording: Samples) -> tuple[NDArray[np.int64], float]:
    """Durations of the same tokens in `recording`, and how badly the two match (0.5 well, over 1 hardly).

    `known` is the sound of tokens that last `units` each (25 ms); `recording` is a whole number of units long, and at
    least as many as there are tokens. Both at 24 kHz.
    """
    source_frames = sum(units) * FRAMES_PER_UNIT
    target_frames = len(recording) // HOP
    path, cost = _warp(features(known)[:source_frames], features(recording)[:target_frames])
    place = np.append(path, target_frames)
    ends = np.cumsum(np.concatenate([[0], units])) * FRAMES_PER_UNIT
    borders = np.rint(place[np.minimum(ends, len(path))] / FRAMES_PER_UNIT).astype(np.int64)
    borders[0], borders[-1] = 0, target_frames // FRAMES_PER_UNIT
    return _at_least_one(np.diff(borders)), cost / (source_frames + target_frames)


def _warp(source: NDArray[np.float32], target: NDArray[np.float32]) -> tuple[Floats, float]:
    """For each source frame the mean target frame that it falls on, and the cost of the whole path."""
    rows, columns = len(source), len(target)
    squares = (source**2).sum(1)[:, None] + (target**2).sum(1) - 2 * source @ target.T
    distance = np.sqrt(np.maximum(squares, 0))
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    step = np.zeros((rows, columns), np.int8)
    # Along anti-diagonals, where no cell depends on another.
    for diagonal in range(rows + columns - 1):
        i = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        j = diagonal - i
        here = distance[i, j]
        choices = np.stack([total[i, j] + here, total[i, j + 1] + _STRAY * here, total[i + 1, j] + _STRAY * here])
        best = np.argmin(choices, axis=0)
        step[i, j] = best
        total[i + 1, j + 1] = np.take_along_axis(choices, best[None], axis=0)[0]
    sums, counts = np.zeros(rows), np.zeros(rows)
    row, column = rows - 1, columns - 1
    while row >= 0 and column >= 0:
        sums[row] += column
        counts[row] += 1
        back = step[row, column]
        row, column = row - int(back != 2), column - int(back != 1)
    return sums / np.maximum(counts, 1), float(total[rows, columns])


def _at_least_one(units: NDArray[np.int64]) -> NDArray[np.int64]:
    """No token may vanish: what it lacks is taken from the longest."""
    units = units.copy()
    for i in np.flatnonzero(units < 1):
        lacking = 1 - units[i]
        units[i] = 1
        units[int(np.argmax(units))] -= lacking
    return units
