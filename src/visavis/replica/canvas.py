"""A person on a canvas of their own, shown before a room: which parts of the frame they reach, how they lie there."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.replica import Frame
from visavis.replica.bundle import Picture

REACH_PX = 14
"""Frame pixels around the resting person that they can move into."""

_CUT_EVERY_PX = 8

Floats = NDArray[np.float32]
Part = tuple[slice, slice]
"""Rows and columns."""


@cache
def pixel_grid(height: int, width: int) -> Floats:
    """float32[height, width, 2]: every pixel's own x and y. Shared by all who ask; never written."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.dstack([x, y])


def reachable_parts(opacity: Picture, cell_px: int = 1) -> list[Part]:
    """Two parts of the frame, head and body, that cover all that the person can reach; the pair with the least area.

    `opacity` uint8[h, w] of the person at rest has a pixel for each `cell_px` of the frame.
    """
    height = len(opacity)
    reach = -(-REACH_PX // cell_px)
    reachable = cv2.dilate((opacity > 0).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0

    def box(first: int, last: int) -> Part:
        rows = np.nonzero(reachable[first:last].any(1))[0]
        columns = np.nonzero(reachable[first:last].any(0))[0]
        if not len(rows):
            return slice(first, first), slice(0, 0)
        ends = (first + int(rows[0]), first + int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1)
        (top, bottom), (left, right) = ((cell_px * start, cell_px * end) for start, end in ends)
        return slice(top, bottom), slice(left, right)

    def area(part: Part) -> int:
        rows, columns = part
        return (int(rows.stop) - int(rows.start)) * (int(columns.stop) - int(columns.start))

    cut_every = _CUT_EVERY_PX // cell_px
    pairs = [(box(0, cut), box(cut, height)) for cut in range(cut_every, height, cut_every)]
    return [part for part in min(pairs, key=lambda pair: sum(map(area, pair))) if area(part)]


def lay_before(frame: Frame, part: Part, person: Picture) -> None:
    """Lay a person uint8[h, w, 4], BGR times opacity and opacity, before what is in that part of the frame."""
    through = cv2.bitwise_not(cv2.extractChannel(person, 3))
    behind = cv2.multiply(frame[part], cv2.cvtColor(through, cv2.COLOR_GRAY2BGR), scale=1 / 255)
    cv2.add(behind, cv2.cvtColor(person, cv2.COLOR_BGRA2BGR), dst=frame[part])
