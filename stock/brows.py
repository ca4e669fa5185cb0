"""Eyebrows for the stock portraits: the rendered ones are taken out and new ones are drawn hair by hair."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from look import Image
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

Mask = NDArray[np.bool_]
DRAWING_SCALE = 4


@dataclass(frozen=True)
class Brow:
    """One eyebrow: its ridge from the nose outwards, how thick it is there, and the area to clear, all in pixels."""

    ridge: NDArray[np.float64]
    thickness: NDArray[np.float64]
    clear: NDArray[np.float64]


def clear(picture: Image, outline: NDArray[np.float64]) -> Image:
    """Replace the inside of a polygon by skin that continues its surroundings without a visible border."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
    cleared = fill(cv2.GaussianBlur(picture, (0, 0), 2.0), mask > 0)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2.5)[..., None]
    grain = np.random.default_rng(1).normal(0, 1, mask.shape).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 1.6)[..., None] * 0.012
    return np.clip(picture * (1 - soft) + (cleared + grain) * soft, 0, 1).astype(np.float32)


def coverage(brow: Brow, shape: tuple[int, int], seed: int, hairs: int = 300) -> tuple[Image, Image]:
    """Opacity float32[H, W] of the drawn hairs, and of the soft shade of hair roots under them."""
    rng = np.random.default_rng(seed)
    roots = rng.uniform(0.0, 1.0, hairs) ** 0.92
    sides = np.clip(rng.normal(0, 0.52, hairs), -1, 1)
    scale = DRAWING_SCALE
    origin = np.floor(brow.clear.min(0)) - 12
    width, height = (np.ceil(brow.clear.max(0)) + 12 - origin).astype(int)
    opacity = np.zeros((height * scale, width * scale), np.float32)
    for batch in np.array_split(np.arange(hairs), 40):
        layer = np.zeros(opacity.shape, np.uint8)
        for hair in batch:
            points = (_hair(brow, roots[hair], sides[hair], rng) - origin + 0.5) * scale
            _draw(layer, points, thickness=int(rng.integers(3, 5)))
        opacity = 1 - (1 - opacity) * (1 - layer.astype(np.float32) / 255 * rng.uniform(0.4, 0.62))
    small = cv2.resize(opacity, (width, height), interpolation=cv2.INTER_AREA)
    x, y = origin.astype(int)
    hair = np.zeros(shape, np.float32)
    hair[y : y + height, x : x + width] = cv2.GaussianBlur(small, (0, 0), 0.6)
    return hair, cv2.GaussianBlur(hair, (0, 0), 3.2)


def apply(picture: Image, hair: Image, shade: Image, colour: Sequence[float]) -> Image:
    """Lay brows of `colour` (BGR, 0 to 1) over a picture."""
    shaded = picture * (1 - 0.30 * shade[..., None])
    alpha = hair[..., None] * 0.82
    return (shaded * (1 - alpha) + np.array(colour, np.float32) * alpha).astype(np.float32)


def _hair(brow: Brow, along: float, side: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points of one hair: upright near the nose, combed outwards along the ridge after that."""
    root, direction = _ridge_at(brow, along)
    normal = np.array([direction[1], -direction[0]])
    if normal[1] > 0:
        normal = -normal
    thickness = np.interp(along, np.linspace(0, 1, len(brow.thickness)), brow.thickness)
    position = root + normal * side * thickness / 2
    upright = np.interp(along, [0, 0.12, 0.3, 0.6, 1], [70, 52, 30, 14, 6])
    lean = upright - np.interp(along, [0, 0.25, 1], [10, 26, 14]) * max(side, 0) * 1.2 + rng.normal(0, 6)
    length = np.interp(along, [0, 0.15, 0.5, 1], [9.5, 12.5, 14, 7]) * rng.uniform(0.75, 1.15)
    steps = np.linspace(0, 1, 6)[:, None]
    angle = np.radians(lean * (1 - 0.45 * steps))
    return position + length * steps * (np.cos(angle) * direction + np.sin(angle) * normal)


def _ridge_at(brow: Brow, along: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    where = np.linspace(0, 1, len(brow.ridge))
    spline = [np.polynomial.Polynomial.fit(where, brow.ridge[:, axis], 4) for axis in (0, 1)]
    direction = np.array([curve.deriv()(along) for curve in spline])
    return np.array([curve(along) for curve in spline]), direction / np.linalg.norm(direction)


def _draw(layer: NDArray[np.uint8], points: NDArray[np.float64], thickness: int) -> None:
    """A stroke that gets thinner towards its tip."""
    fixed = np.round(points * 16).astype(np.int32)
    for index in range(len(fixed) - 1):
        width = max(1, round(thickness * (1 - index / len(fixed))))
        cv2.line(layer, fixed[index], fixed[index + 1], 255, width, cv2.LINE_AA, 4)


def fill(picture: Image, inside: Mask) -> Image:
    """Replace what is inside the mask by the solution of Laplace's equation with the picture as border."""
    ys, xs = np.nonzero(inside)
    number = np.full((inside.shape[0] + 2, inside.shape[1] + 2), -1)
    number[ys + 1, xs + 1] = np.arange(len(ys))
    padded = cv2.copyMakeBorder(picture, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    on_canvas = cv2.copyMakeBorder(np.ones(inside.shape, np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0) > 0
    border = np.zeros((len(ys), 3))
    degree = np.zeros(len(ys))
    rows, columns, values = [], [], []
    for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        neighbour = number[ys + 1 + dy, xs + 1 + dx]
        free = neighbour >= 0
        known = ~free & on_canvas[ys + 1 + dy, xs + 1 + dx]
        degree += free | known
        rows.append(np.nonzero(free)[0])
        columns.append(neighbour[free])
        values.append(np.full(free.sum(), -1.0))
        border[known] += padded[ys + 1 + dy, xs + 1 + dx][known]
    rows.append(np.arange(len(ys)))
    columns.append(np.arange(len(ys)))
    values.append(degree)
    system = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))).tocsr()
    filled = picture.copy()
    filled[ys, xs] = np.stack([spsolve(system, border[:, channel]) for channel in range(3)], 1)
    return filled
