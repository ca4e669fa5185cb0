"""Laying a picture of a mouth over a frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.replica import Frame
from visavis.replica.patches.contents import Contents
from visavis.replica.patches.geometry import SmoothWarp, moved
from visavis.replica.patches.points import CONTROLS, JAW_SHARE

CELL_PX = 10
"""Distance of the points at which a warp is computed; between them it is straight."""

SOFT_PX = 0.085
"""Width of the soft rim, as a share of the region's width."""

MOST_COLOUR = 36.0
"""Grey levels by which colours are changed at most."""

USED = (*range(21), *range(21, 40, 2), 30, *range(40, CONTROLS))
"""Control points that warps use: corners and every second one of the inner lips will do."""

UPPER_INNER, LOWER_INNER = [39, 38, 37, 36, 35, 34, 33, 32, 31], [21, 22, 23, 24, 25, 26, 27, 28, 29]
"""Control points of the inner lips that lie above each other."""

_DOWN = np.array([0, 1], np.float32)

Floats = NDArray[np.float32]


class Overlay:
    """The mouth region of one person, ready to be drawn; shared by calls, never written after it is made."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        left, top, width, height = contents.layout.region
        self._corner = np.array([left, top], np.float32)
        self._width, self._height = width, height
        columns, rows = -(-width // CELL_PX) + 2, -(-height // CELL_PX) + 2
        x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        self._cells = np.stack([x.ravel(), y.ravel()], 1) * CELL_PX + np.float32((CELL_PX - 1) / 2)
        self._shape = (rows, columns)
        self._warp = SmoothWarp(self._cells)
        self._full = (columns * CELL_PX, rows * CELL_PX)
        self._mask = region_mask(width, height, contents)
        self._used = list(USED)
        self._spread = _spreading(contents.rim - self._corner, width, height)
        self._mean_rim = contents.mouths.rim.mean(0)

    def target(self, at: int, lips: Floats) -> Floats:
        """Control points float32[P, 2] in the frame, for lips float32[K] over picture `at` of the loop."""
        loop = self._contents.loop
        change = np.tensordot(lips - loop.lips[at], self._contents.lips.components, 1) * JAW_SHARE[:, None]
        linear = loop.placement[at, :, :2]
        points = loop.controls[at] + change @ linear.T
        # Lips meet, they do not pass each other.
        crossing = np.maximum(points[UPPER_INNER, 1] - points[LOWER_INNER, 1], 0)[:, None] * _DOWN / 2
        points[UPPER_INNER] -= crossing
        points[LOWER_INNER] += crossing
        return np.asarray(points, np.float32)

    def draw(
        self, frame: Frame, at: int, target: Floats, mouth: int, other: int | None, share: float, opacity: float
    ) -> None:
        """Lay mouth number `mouth`, and a `share` of `other`, over the frame, in place; `target` from `target`."""
        origin = self._origin(at, target, frame)
        points = target[self._used] - origin
        sampling = self._sampling(mouth, points)
        picture = self._coloured(mouth, at, sampling, cv2.INTER_CUBIC)
        mask = cv2.remap(self._mask, sampling, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        if other is not None:
            before = self._coloured(other, at, self._sampling(other, points), cv2.INTER_LINEAR)
            picture = np.asarray(cv2.addWeighted(picture, 1 - share, before, share, 0), np.uint8)
        left, top = origin.astype(int)
        region = frame[top : top + picture.shape[0], left : left + picture.shape[1]]
        visible = mask[: region.shape[0], : region.shape[1]].astype(np.float32) * np.float32(opacity / 255)
        region[:] = cv2.blendLinear(
            np.ascontiguousarray(picture[: region.shape[0], : region.shape[1]]), region.copy(), visible, 1 - visible
        )

    def _origin(self, at: int, target: Floats, frame: Frame) -> Floats:
        """Upper left corner of the part of the frame that is drawn, whole pixels."""
        placed = moved(self._corner[None], self._contents.loop.placement[at])[0]
        limits = np.array([frame.shape[1] - self._full[0], frame.shape[0] - self._full[1]])
        return np.asarray(np.clip(np.floor(placed) - CELL_PX // 2, 0, np.maximum(limits, 0)), np.float32)

    def _sampling(self, mouth: int, points: Floats) -> Floats:
        """Where in a mouth's picture each pixel comes from."""
        source = self._contents.mouths.controls[mouth][self._used]
        field = (self._warp(points, source - points) + self._cells).reshape(*self._shape, 2)
        return np.asarray(cv2.resize(field, self._full, interpolation=cv2.INTER_LINEAR), np.float32)

    def _coloured(self, mouth: int, at: int, sampling: Floats, how: int) -> Frame:
        """A mouth's picture, moved to where it belongs and with the colours of the picture below."""
        mouths = self._contents.mouths
        warped = cv2.remap(mouths.pictures[mouth], sampling, None, how, borderMode=cv2.BORDER_REPLICATE)
        colour = np.clip(self._contents.loop.rim[at] - mouths.rim[mouth], -MOST_COLOUR, MOST_COLOUR)
        change = cv2.resize((self._spread @ colour).reshape(8, 8, 3).astype(np.float32), self._full)
        return np.asarray(cv2.add(warped, change, dtype=cv2.CV_8U), np.uint8)


def region_mask(width: int, height: int, contents: Contents) -> NDArray[np.uint8]:
    """How much of every pixel of the region is laid over the frame, 0 to 255: all of lips and chin, soft at the rim."""
    mask = np.zeros((height, width), np.uint8)
    axes = (0.41 * width, 0.425 * height)
    cv2.ellipse(mask, (round(width / 2), round(height * 0.5)), (round(axes[0]), round(axes[1])), 0, 0, 360, 255, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), SOFT_PX * width / 2), np.uint8)


def _spreading(points: Floats, width: int, height: int) -> Floats:
    """float32[64, R]: how colours at the rim's points spread over an 8 x 8 grid of the region, by inverse distance."""
    x, y = np.meshgrid((np.arange(8) + 0.5) * width / 8, (np.arange(8) + 0.5) * height / 8)
    places = np.stack([x.ravel(), y.ravel()], 1)
    square = ((places[:, None] - points[None]) ** 2).sum(-1)
    weights = 1 / (square + (0.08 * width) ** 2)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)
