"""Lips, eyes and light of a face in a photo, as the renderer wants them."""

from itertools import pairwise

import cv2
import numpy as np

from visavis.faces import Landmarks
from visavis.faces.points import (
    LEFT_BROW,
    LEFT_IRIS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP_INNER,
    LOWER_LIP_RINGS,
    RIGHT_BROW,
    RIGHT_IRIS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    UPPER_LIP_INNER,
    UPPER_LIP_RINGS,
)
from visavis.replica.photo.contents import SUPERSAMPLING, Eye, Floats, Light, Lips, Point
from visavis.replica.train.photo_checks import Picture

CLOSED_LIPS = 0.035
"""Largest gap between lips that are closed, in distances of the eyes; the landmarks are not more exact."""

_LINE_REACH = 0.035
"""How far from the landmarks the dark line between closed lips is looked for, in distances of the eyes."""

_THINNEST = 0.006
"""Least distance between neighbouring rings of points on a lip, in distances of the eyes."""

CALMED = 0.45
"""Share of a photo's smile that is taken back, so that words have room."""


def lips(canvas: Picture, points: Floats, eyes_px: float) -> tuple[Lips, Floats]:
    """The edges of the lips, and the points with those edges in place."""
    upper, lower = points[list(UPPER_LIP_INNER)], points[list(LOWER_LIP_INNER)]
    is_open = float((lower[:, 1] - upper[:, 1]).max()) > CLOSED_LIPS * eyes_px
    adjusted = points.copy()
    if is_open:
        middle = (upper[:, 1] + lower[:, 1]) / 2
        upper = np.stack([upper[:, 0], np.minimum(upper[:, 1], middle)], 1)
        lower = np.stack([lower[:, 0], np.maximum(lower[:, 1], middle)], 1)
    else:
        line = _dark_line(canvas, np.asarray((upper + lower) / 2, np.float32), eyes_px)
        upper = lower = line
    adjusted[list(UPPER_LIP_INNER)] = upper
    adjusted[list(LOWER_LIP_INNER)] = lower
    for rings, side in ((UPPER_LIP_RINGS, -1), (LOWER_LIP_RINGS, 1)):
        for inner, outer in pairwise(rings):
            # Where the edge was moved beyond the next ring of a thin lip, that makes room.
            least = side * adjusted[list(inner), 1] + _THINNEST * eyes_px
            adjusted[list(outer), 1] = side * np.maximum(side * adjusted[list(outer), 1], least)
    return Lips(upper=_curve(upper), lower=_curve(lower), open=is_open), adjusted


def _dark_line(canvas: Picture, middle: Floats, eyes_px: float) -> Floats:
    """The line between closed lips: the darkest path from corner to corner near the landmarks."""
    grey = cv2.GaussianBlur(cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY), (0, 0), 0.006 * eyes_px * SUPERSAMPLING)
    on_canvas = (middle + 0.5) * SUPERSAMPLING - 0.5
    columns = np.arange(int(on_canvas[0, 0]), int(on_canvas[-1, 0]) + 1)
    expected = np.interp(columns, on_canvas[:, 0], on_canvas[:, 1])
    reach = max(int(_LINE_REACH * eyes_px * SUPERSAMPLING), 2)
    steps = np.arange(-reach, reach + 1)
    rows = np.clip(np.round(expected[:, None] + steps).astype(int), 0, len(grey) - 1)
    values = grey[rows, np.clip(columns, 0, grey.shape[1] - 1)[:, None]].astype(np.float32)
    # Towards the corners the landmarks are trusted more than the shadows there.
    ends = np.minimum(np.arange(len(columns)), np.arange(len(columns))[::-1]) / max(len(columns) * 0.15, 1)
    values += (steps / reach) ** 2 * (8 + 60 * np.clip(1 - ends, 0, 1))[:, None]
    cost, back = values[0].copy(), np.zeros(values.shape, int)
    for column in range(1, len(columns)):
        sideways = np.stack([np.pad(cost, 1, constant_values=np.inf)[shift : shift + len(cost)] for shift in range(3)])
        sideways[[0, 2]] += 3
        best = sideways.argmin(0)
        back[column] = np.clip(np.arange(len(cost)) + best - 1, 0, len(cost) - 1)
        cost = sideways.min(0) + values[column]
    path = [int(cost.argmin())]
    for column in range(len(columns) - 1, 0, -1):
        path.append(int(back[column, path[-1]]))
    found = expected + steps[np.array(path[::-1])]
    found = np.convolve(np.pad(found, 4, mode="edge"), np.hanning(11)[1:-1] / np.hanning(11).sum(), "valid")
    y = np.interp(on_canvas[:, 0], columns, found)
    return np.asarray((np.stack([on_canvas[:, 0], y], 1) + 0.5) / SUPERSAMPLING - 0.5, np.float32)


def eyes(points: Floats) -> tuple[Eye, Eye]:
    """Both eyes, the person's right one (left in the picture) first."""
    right, left = (
        Eye(
            upper=_curve(points[list(upper)]),
            lower=_curve(points[list(lower)]),
            iris=(float(points[iris[0], 0]), float(points[iris[0], 1])),
            iris_radius=float(np.linalg.norm(points[list(iris[1:])] - points[iris[0]], axis=1).mean()),
            brow=float(points[list(brow[5:]), 1].max()),
        )
        for upper, lower, iris, brow in (
            (RIGHT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_IRIS, RIGHT_BROW),
            (LEFT_UPPER_LID, LEFT_LOWER_LID, LEFT_IRIS, LEFT_BROW),
        )
    )
    return right, left


def light(canvas: Picture, points: Floats, eyes_px: float, scale: float) -> Light:
    """The light on the face as its whites of the eyes show it; `scale` is canvas pixels per photo pixel."""
    whites, skin = [], []
    for upper, lower, iris in (
        (RIGHT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_IRIS),
        (LEFT_UPPER_LID, LEFT_LOWER_LID, LEFT_IRIS),
    ):
        mask = np.zeros(canvas.shape[:2], np.uint8)
        outline = (np.concatenate([points[list(upper)], points[list(lower)][::-1]]) + 0.5) * SUPERSAMPLING
        cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 255)
        mask = cv2.erode(mask, np.ones((3, 3), np.uint8))
        centre = np.round((points[iris[0]] + 0.5) * SUPERSAMPLING).astype(int)
        radius = np.linalg.norm(points[list(iris[1:])] - points[iris[0]], axis=1).mean() * SUPERSAMPLING
        cv2.circle(mask, centre.tolist(), round(float(radius) * 1.1), 0, -1)
        whites.append(canvas[mask > 0])
    for cheek in (50, 280, 205, 425):
        x, y = np.round((points[cheek] + 0.5) * SUPERSAMPLING).astype(int)
        reach = max(int(0.05 * eyes_px * SUPERSAMPLING), 1)
        skin.append(canvas[max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach].reshape(-1, 3))
    white = np.concatenate(whites).astype(np.float64)
    cheeks = np.median(np.concatenate(skin).astype(np.float64), axis=0)
    if len(white) >= 12:
        brightness = white.sum(1)
        seen = white[brightness >= np.quantile(brightness, 0.75)].mean(0)
    else:
        seen = np.full(3, cheeks.mean())
    # The whites are shaded by lids and lashes, and redder than paper; a cheek can at most be as bright as paper.
    neutral = seen.mean() * np.array([1.0, 1.0, 1.0]) * 0.6 + seen * 0.4
    level = np.clip(neutral.mean() * 1.25, cheeks.mean() * 1.05, 250.0) / neutral.mean()
    white_seen = np.clip(neutral * level, 0, 255)
    blue, green, red = white_seen.tolist()
    return Light(white=(blue, green, red), blur_px=float(min(0.45 * scale, 4.0)))


def smile_to_calm(landmarks: Landmarks) -> dict[str, float]:
    """Weights that take a part of the photo's own smile back."""
    weights = {name: -CALMED * landmarks.blendshape(name) for name in ("mouthSmileLeft", "mouthSmileRight")}
    return {name: round(weight, 3) for name, weight in weights.items() if weight < -0.05}


def _curve(points: Floats) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in points)
