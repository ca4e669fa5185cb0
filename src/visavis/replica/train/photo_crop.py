"""Head and shoulders of a photo, at the replica's size."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.faces.points import LEFT_EYE_OUTER, RIGHT_EYE_OUTER
from visavis.replica.photo.contents import SUPERSAMPLING, Floats
from visavis.replica.train.photo_checks import Picture, Sitter

FRAME_PX = 512
EYES_SHARE = 0.205
"""Distance between the outer corners of the eyes, as a share of the frame, where the photo has room for it."""

LARGEST_EYES_SHARE = 0.36
"""The same where a photo is cut closely; from there on its edges are continued."""

EYES_ROW = 0.43
"""Where the eyes lie, as a share of the frame's height."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """The part of a photo that becomes the replica."""

    canvas: Picture
    """uint8[1024, 1024, 3], BGR."""
    frame: Picture
    """uint8[512, 512, 3], BGR: the same at the frame's size."""
    in_photo: NDArray[np.bool_]
    """bool[1024, 1024]: where the canvas shows the photo rather than its edges continued."""
    points: Floats
    """float32[478, 2], frame pixels, counted from the middle of the upper left pixel."""
    z: Floats
    """float32[478], the same scale."""
    eyes_px: float
    """Distance between the outer corners of the eyes, frame pixels."""
    scale: float
    """Canvas pixels per photo pixel."""


def crop(sitter: Sitter) -> Crop:
    """Head and shoulders, the face in the middle; no room is invented where the photo is cut closely."""
    height, width = sitter.picture.shape[:2]
    points = sitter.landmarks.points
    across, down = (points[[234, 454], 0].mean(), points[[33, 133, 362, 263], 1].mean())
    side = min(sitter.eyes_px / EYES_SHARE, width, height)
    side = max(side, sitter.eyes_px / LARGEST_EYES_SHARE)
    left = _within(float(across) - side / 2, side, width)
    top = _within(float(down) - EYES_ROW * side, side, height)
    canvas_px = FRAME_PX * SUPERSAMPLING
    scale = canvas_px / side
    to_canvas = np.array([[scale, 0, -left * scale - 0.5], [0, scale, -top * scale - 0.5]])
    source = sitter.picture
    shrink = int(1 / scale)
    if shrink > 1:
        source = np.asarray(cv2.resize(source, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA))
        to_canvas[:, :2] *= shrink
    # Both count from the middle of the upper left pixel here, unlike the landmarks.
    to_canvas[:, 2] += 0.5 * to_canvas[:, :2].sum(1)
    canvas = cv2.warpAffine(
        source, to_canvas, (canvas_px, canvas_px), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    in_photo = cv2.warpAffine(np.ones(source.shape[:2], np.uint8), to_canvas, (canvas_px, canvas_px)) > 0
    frame_scale = scale / SUPERSAMPLING
    xy = (points[:, :2] - (left, top)) * frame_scale - 0.5
    return Crop(
        canvas=np.asarray(canvas, np.uint8),
        frame=np.asarray(cv2.resize(canvas, (FRAME_PX, FRAME_PX), interpolation=cv2.INTER_AREA), np.uint8),
        in_photo=np.asarray(in_photo),
        points=np.asarray(xy, np.float32),
        z=np.asarray(points[:, 2] * frame_scale, np.float32),
        eyes_px=float(np.linalg.norm(xy[LEFT_EYE_OUTER] - xy[RIGHT_EYE_OUTER])),
        scale=scale,
    )


def _within(start: float, side: float, length: float) -> float:
    """The start of a stretch of `side` moved into a photo of `length`, or in the middle if it does not fit."""
    if side >= length:
        return start if start < 0 and start + side > length else (length - side) / 2
    return min(max(start, 0.0), length - side)
