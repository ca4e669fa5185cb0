"""From the points of a face to displacement fields of its skin. Used when a photo is made into a replica.

A mouth that opens tears the picture: the skin above the lip line follows the upper lip, the skin below the lower one.
So every unit has two smooth fields, one that continues the upper lip's motion across the line and one that continues
the lower lip's; beside the corners of the mouth both are the same.
"""

import numpy as np
from numpy.typing import NDArray

from visavis.faces.points import (
    CHIN,
    LIP_CORNERS,
    LOWER_LIP_INNER,
    LOWER_LIP_RINGS,
    OVAL,
    RIGHT_IRIS,
    UPPER_LIP_INNER,
    UPPER_LIP_RINGS,
)
from visavis.replica.photo.contents import SEAL, STEP, Box, Floats
from visavis.replica.photo.units import unit_offsets

_REACH = 1.45
"""The skin comes to rest at the face's outline enlarged by this much; on the neck a little further."""

_STILL_POINTS = 3
"""Rings of resting points outside."""

_SMOOTHING = 1e-2
_CORNER = 0.05
"""Distance before the corners of the mouth within which the two fields become one, in distances of the eyes."""

_UPPER_SHARE = 0.3
"""Of an open mouth that closes, the share that the upper lip comes down; the jaw does the rest."""

_OPEN, _OVERLAP = 0.01, 0.02
"""An open mouth closes by this much more than it is open, because landmarks run beside the lips' edges, not on them; in
distances of the eyes."""

_CHIN_SHARE = 0.4
"""How much less than the lower lip the chin moves then."""

_NOSE_BASE = 2


def face_box(points: Floats, size: tuple[int, int]) -> Box:
    """The part of the frame in which the skin can move, for points float32[478, 2] in frame pixels."""
    ring = _ring(points, _REACH + 0.1)
    low = np.maximum(np.floor(ring.min(0) / STEP), 0) * STEP
    high = np.minimum(np.ceil(ring.max(0) / STEP), np.array(size) // STEP) * STEP
    (x, y), (right, bottom) = low.astype(int).tolist(), high.astype(int).tolist()
    return Box(x=x, y=y, width=right - x, height=bottom - y)


def skin_fields(points: Floats, box: Box, eyes_px: float, roll: float) -> Floats:
    """float32[53, 2, h, w, 2]: see `contents`. `points` float32[478, 2] in frame pixels, `roll` in radians."""
    skin = points[: RIGHT_IRIS[0]]
    offsets = _offsets(skin, eyes_px, roll)
    above, below = _beside_lips(skin)
    still = np.concatenate([_ring(skin, _REACH + 0.25 * ring) for ring in range(_STILL_POINTS)])
    x, y = np.meshgrid(
        box.x + (np.arange(box.width // STEP) + 0.5) * STEP, box.y + (np.arange(box.height // STEP) + 0.5) * STEP
    )
    cells = np.stack([x.ravel(), y.ravel()], 1)
    common, upper, lower = (
        _spread(skin[kept], offsets[:, kept], still, cells, eyes_px).reshape(SEAL + 1, *x.shape, 2)
        for kept in (np.ones(len(skin), bool), ~below, ~above)
    )
    right, left = skin[UPPER_LIP_INNER[0]], skin[UPPER_LIP_INNER[-1]]
    axis = (left - right) / np.linalg.norm(left - right)
    along = (x - right[0]) * axis[0] + (y - right[1]) * axis[1]
    beside = np.maximum(-along, along - np.linalg.norm(left - right)) / (_CORNER * eyes_px)
    joined = np.clip(beside + 1, 0, 1)[..., None]
    joined = joined * joined * (3 - 2 * joined)
    return np.stack([side + joined * (common - side) for side in (upper, lower)], 1).astype(np.float32)


def depth_map(points: Floats, z: Floats, size: tuple[int, int], cells: int, eyes_px: float) -> Floats:
    """float32[cells, cells]: how far in front of the neck's axis each part of the frame lies, frame pixels.

    `z` float32[478] on the scale of the frame, negative towards the camera.
    """
    skin = points[: RIGHT_IRIS[0]]
    ears = float(z[[234, 454]].mean())
    front = np.maximum(ears - z[: len(skin)], 0)[None, :, None].repeat(2, 2)
    still = np.concatenate([_ring(skin, reach) for reach in (1.35, 1.7, 2.2)])
    x, y = np.meshgrid((np.arange(cells) + 0.5) * size[0] / cells, (np.arange(cells) + 0.5) * size[1] / cells)
    spread = _spread(skin, front, still, np.stack([x.ravel(), y.ravel()], 1), eyes_px)
    return np.asarray(np.maximum(spread[0, :, 0].reshape(x.shape), 0), np.float32)


def _ring(points: Floats, reach: float) -> Floats:
    """The face's outline, enlarged; further below the chin, where a neck has room for an opening jaw."""
    oval = points[list(OVAL)]
    centre = oval.mean(0)
    away = oval - centre
    down = np.clip(away[:, 1:] / max(float(away[:, 1].max()), 1e-6), 0, 1)
    return np.asarray(centre + away * (reach + 0.15 * down), np.float32)


def _offsets(skin: Floats, eyes_px: float, roll: float) -> Floats:
    """float32[53, P, 2] in frame pixels."""
    cosine, sine = np.cos(roll), np.sin(roll)
    turned = unit_offsets()[:, : len(skin), :2] @ np.array([[cosine, sine], [-sine, cosine]])
    seal = np.zeros((1, len(skin), 2))
    seal[0, :, 1] = _seal(skin, eyes_px)
    return np.asarray(np.concatenate([turned * eyes_px, seal]), np.float32)


def _seal(skin: Floats, eyes_px: float) -> NDArray[np.float64]:
    """How far each point moves down so that the lips of the photo meet."""
    upper, lower = skin[list(UPPER_LIP_INNER)], skin[list(LOWER_LIP_INNER)]
    top = np.interp(skin[:, 0], upper[:, 0], upper[:, 1])
    bottom = np.interp(skin[:, 0], lower[:, 0], lower[:, 1])
    gap = np.maximum(bottom - top, 0)
    if gap.max() > _OPEN * eyes_px:
        gap += _OVERLAP * eyes_px * np.minimum(gap / gap.max() * 3, 1)
    above, below = _beside_lips(skin)
    near_upper = np.clip(1 - (top - skin[:, 1]) / (0.25 * eyes_px), 0, 1)
    chin = max(float(skin[CHIN, 1] - bottom.max()), 1.0)
    down = np.clip((skin[:, 1] - bottom) / chin, 0, 1)
    near_lower = 1 - _CHIN_SHARE * down * down * (3 - 2 * down)
    return np.asarray(gap * (above * _UPPER_SHARE * near_upper - below * (1 - _UPPER_SHARE) * near_lower), np.float64)


def _beside_lips(skin: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which points lie above the lip line, up to the nose, and which below; both between the corners of the mouth."""
    upper, lower = skin[list(UPPER_LIP_INNER)], skin[list(LOWER_LIP_INNER)]
    middle = (upper + lower) / 2
    line = np.interp(skin[:, 0], middle[:, 0], middle[:, 1])
    between = (skin[:, 0] > middle[0, 0]) & (skin[:, 0] < middle[-1, 0])
    below = between & (skin[:, 1] > line)
    above = between & ~below & (skin[:, 1] > skin[_NOSE_BASE, 1])
    for rings, is_above in ((UPPER_LIP_RINGS, True), (LOWER_LIP_RINGS, False)):
        for ring in rings:
            above[list(ring)], below[list(ring)] = is_above, not is_above
    above[list(LIP_CORNERS)] = below[list(LIP_CORNERS)] = False
    return above, below


def _spread(points: Floats, values: Floats, still: Floats, places: NDArray[np.float64], eyes_px: float) -> Floats:
    """Values float32[K, P, 2] of points and zeros of still points, spread over places: float32[K, N, 2].

    Radial basis functions of the kernel r, which bend least without ever overshooting between points.
    """
    centres = np.concatenate([points, still]).astype(np.float64) / eyes_px
    known = np.zeros((len(centres) + 1, len(values) * 2))
    known[: len(points)] = values.transpose(1, 0, 2).reshape(len(points), -1)
    system = np.ones((len(centres) + 1, len(centres) + 1))
    system[-1, -1] = 0
    system[:-1, :-1] = -np.linalg.norm(centres[:, None] - centres, axis=2) + _SMOOTHING * np.eye(len(centres))
    solved = np.linalg.solve(system, known)
    spread = np.empty((len(places), known.shape[1]), np.float32)
    for first in range(0, len(places), 1024):
        part = places[first : first + 1024] / eyes_px
        away = -np.linalg.norm(part[:, None] - centres, axis=2)
        spread[first : first + 1024] = away @ solved[:-1] + solved[-1]
    return np.asarray(spread.reshape(len(places), len(values), 2).transpose(1, 0, 2), np.float32)
