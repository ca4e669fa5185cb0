"""Turning, nodding and smiling a filmed head by small warps around its usual place."""

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.faces.points import (
    LEFT_BROW,
    LEFT_EYE_INNER,
    LEFT_EYE_OUTER,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE_INNER,
    RIGHT_EYE_OUTER,
)
from visavis.replica import Frame
from visavis.replica.life import Pose
from visavis.replica.patches.geometry import SmoothWarp

CELL_PX = 8
REACH = 1.75
"""Size of the part of the picture that moves, in half axes of the face: hair and neck come along, the room does not."""

SWAY = 0.55
"""Share of the common life's sway and turns that is added: a filmed person has their own."""

NEAREST_DEPTH = 0.95
"""How far the tip of the face is in front of its turning axis, in half widths of the face."""

SMILE_SHARE = 0.045
"""How far a full smile pulls the corners of the mouth, in distances of the eyes."""

BROW_SHARE = 0.035

Floats = NDArray[np.float32]


class Turning:
    """Fields of displacement for every part of a pose; shared by calls."""

    def __init__(self, head: Floats, size: tuple[int, int], corners: tuple[int, int] = (61, 291)) -> None:
        """`head` float32[478, 2]: the face's points at rest, frame pixels; `size` of the frame."""
        self._size = size
        columns, rows = -(-size[0] // CELL_PX), -(-size[1] // CELL_PX)
        x, y = np.meshgrid(
            (np.arange(columns, dtype=np.float32) + 0.5) * CELL_PX - 0.5,
            (np.arange(rows, dtype=np.float32) + 0.5) * CELL_PX - 0.5,
        )
        oval = head[list(OVAL)]
        low, high = oval.min(0), oval.max(0)
        middle, half = (low + high) / 2, (high - low) / 2
        away = np.hypot((x - middle[0]) / half[0], (y - middle[1]) / half[1])
        near_edge = np.minimum.reduce([x, size[0] - 1 - x, size[1] - 1 - y]) / (0.06 * size[0])
        held = _falling(away, 1.0, REACH) * np.clip(near_edge, 0, 1)
        depth = half[0] * (0.35 + NEAREST_DEPTH * np.sqrt(np.clip(1 - (away / 1.25) ** 2, 0, 1)))
        radian = np.float32(np.pi / 180)
        none = np.zeros_like(held)
        neck = middle[1] + 1.1 * half[1]
        eyes = float(np.linalg.norm(head[RIGHT_EYE_OUTER] - head[LEFT_EYE_OUTER]))
        fields = [
            np.dstack([depth * held, none]) * radian,
            np.dstack([none, depth * held]) * radian,
            np.dstack([-(y - neck) * held, (x - middle[0]) * held]) * radian,
            np.dstack([held, none]),
            np.dstack([none, held]),
            self._pulled(head, x, y, [*RIGHT_BROW, *LEFT_BROW], [(0.0, -BROW_SHARE * eyes)] * 20),
            self._pulled(
                head, x, y, list(corners), [(sign * SMILE_SHARE * eyes, -0.8 * SMILE_SHARE * eyes) for sign in (-1, 1)]
            ),
        ]
        self._fields = np.stack(fields).astype(np.float32)
        moving = np.abs(self._fields).max((0, 3)) > 1e-3
        over, across = np.nonzero(moving.any(1))[0], np.nonzero(moving.any(0))[0]
        self._cells = (slice(int(over[0]), int(over[-1]) + 1), slice(int(across[0]), int(across[-1]) + 1))
        self._fields = np.ascontiguousarray(self._fields[:, self._cells[0], self._cells[1]])
        self._box = tuple(
            slice(part.start * CELL_PX, min(part.stop * CELL_PX, side))
            for part, side in zip(self._cells, (size[1], size[0]), strict=True)
        )
        height, width = ((part.stop - part.start) for part in self._cells)
        self._full = (width * CELL_PX, height * CELL_PX)
        self._grid = _grid(self._box[0], self._box[1])

    def _pulled(self, head: Floats, x: Floats, y: Floats, points: list[int], by: list[tuple[float, float]]) -> Floats:
        """A field that moves some points and holds the outline and the eyes."""
        eyes = [RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER]
        held = [*OVAL, *eyes, 1, 2, 168]
        warp = SmoothWarp(np.stack([x.ravel(), y.ravel()], 1))
        targets = np.concatenate([np.array(by, np.float32), np.zeros((len(held), 2), np.float32)])
        field = warp(head[[*points, *held]], targets).reshape(*x.shape, 2)
        oval = head[list(OVAL)]
        middle, half = (oval.min(0) + oval.max(0)) / 2, (oval.max(0) - oval.min(0)) / 2
        inside = _falling(np.hypot((x - middle[0]) / half[0], (y - middle[1]) / half[1]), 0.85, 1.1)
        return np.asarray(field * inside[..., None], np.float32)

    def field(self, pose: Pose) -> Floats:
        """float32[h, w, 2]: where the picture moves in this pose, frame pixels, for the cells of `draw`."""
        amounts = np.array(
            [
                pose.yaw_deg * SWAY,
                pose.pitch_deg,
                pose.roll_deg * SWAY,
                pose.shift_x * SWAY,
                pose.shift_y * SWAY,
                pose.brows,
                pose.smile,
            ],
            np.float32,
        )
        return np.asarray(np.tensordot(amounts, self._fields, 1), np.float32)

    def at(self, field: Floats, points: Floats) -> Floats:
        """Displacements float32[P, 2] of points float32[P, 2] of the frame."""
        first = np.array([self._cells[1].start, self._cells[0].start], np.float32)
        cells = ((points + 0.5) / CELL_PX - 0.5 - first).astype(np.float32)
        found = cv2.remap(field, cells[None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(found[0], np.float32)

    def draw(self, frame: Frame, field: Floats) -> None:
        """Move the picture, in place."""
        source = cv2.resize(field, self._full, interpolation=cv2.INTER_LINEAR)
        source = source[: self._grid.shape[0], : self._grid.shape[1]]
        cv2.subtract(self._grid, source, dst=source)
        frame[self._box] = cv2.remap(frame, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _falling(value: Floats, first: float, last: float) -> Floats:
    """1 up to `first`, 0 from `last`, smooth between."""
    part = np.clip((last - value) / (last - first), 0, 1)
    return np.asarray(part * part * (3 - 2 * part), np.float32)


def _grid(rows: slice, columns: slice) -> Floats:
    x, y = np.meshgrid(
        np.arange(columns.start, columns.stop, dtype=np.float32), np.arange(rows.start, rows.stop, dtype=np.float32)
    )
    return np.dstack([x, y])
