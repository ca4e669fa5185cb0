"""How every part of a frame moves with the head and with breath."""

import math

import cv2
import numpy as np

from visavis.replica.life import Pose
from visavis.replica.photo.contents import STEP, Box, Floats, Portrait

SHOULDER_RISE_PX = 1.3
SHOULDER_SPREAD = 0.0035
"""How far a full breath lifts the shoulders (frame pixels) and widens them (share of the distance from the middle)."""


class PoseFields:
    """Backward displacement, frame pixels, of the whole frame and of the samples of the face's skin."""

    def __init__(self, portrait: Portrait) -> None:
        width, height = portrait.size
        rows, columns = portrait.depth.shape
        self._cell = (width / columns, height / rows)
        x, y = np.meshgrid(
            (np.arange(columns, dtype=np.float32) + 0.5) * self._cell[0],
            (np.arange(rows, dtype=np.float32) + 0.5) * self._cell[1],
        )
        self._frame = _basis(portrait, x, y, portrait.depth)
        box = portrait.geometry.face
        x, y = _samples(box)
        depth = cv2.remap(portrait.depth, x / self._cell[0] - 0.5, y / self._cell[1] - 0.5, cv2.INTER_LINEAR)
        self._face = _basis(portrait, x, y, np.asarray(depth, np.float32))

    def of(self, pose: Pose) -> tuple[Floats, Floats]:
        """For the whole frame float32[n, n, 2] and for the face's samples float32[h, w, 2]."""
        yaw, pitch, roll = (math.radians(degrees) for degrees in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
        amounts = np.array(
            [
                math.sin(yaw),
                1 - math.cos(yaw),
                math.sin(pitch),
                1 - math.cos(pitch),
                math.sin(roll),
                pose.shift_x,
                pose.shift_y,
                pose.breath,
            ],
            np.float32,
        )
        return np.tensordot(-amounts, self._frame, 1), np.tensordot(-amounts, self._face, 1)

    def carried(self, points: Floats, frame: Floats) -> Floats:
        """Where points float32[N, 2] of the resting frame go, given the field of the whole frame."""
        moved = points
        for _ in range(2):
            cells = (moved / np.array(self._cell, np.float32) - 0.5).astype(np.float32)
            back = cv2.remap(frame, cells[None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
            moved = points - back
        return np.asarray(moved, np.float32)


def _samples(box: Box) -> tuple[Floats, Floats]:
    x, y = np.meshgrid(
        box.x + (np.arange(box.width // STEP, dtype=np.float32) + 0.5) * STEP,
        box.y + (np.arange(box.height // STEP, dtype=np.float32) + 0.5) * STEP,
    )
    return x, y


def _basis(portrait: Portrait, x: Floats, y: Floats, depth: Floats) -> Floats:
    """float32[8, h, w, 2]: forward displacement for each of the amounts in `PoseFields.of`."""
    pivot_x, pivot_y = portrait.geometry.head.pivot
    top, bottom = portrait.geometry.head.neck_rows
    down = np.clip((y - top) / (bottom - top), 0, 1)
    body = down * down * (3 - 2 * down)
    head = 1 - body
    none = np.zeros_like(head)
    return np.stack(
        [
            np.dstack([depth * head, none]),
            np.dstack([-(x - pivot_x) * head, none]),
            np.dstack([none, depth * head]),
            np.dstack([none, -(y - pivot_y) * head * 0.3]),
            np.dstack([-(y - pivot_y) * head, (x - pivot_x) * head]),
            np.dstack([head, none]),
            np.dstack([none, head]),
            np.dstack([SHOULDER_SPREAD * (x - pivot_x) * body, -SHOULDER_RISE_PX * (0.35 + 0.65 * body)]),
        ]
    ).astype(np.float32)
