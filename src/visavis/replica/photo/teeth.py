"""Pictures of what is inside a mouth: the upper teeth, and the jaw's with the tongue. Drawn, since one photo of closed
lips shows neither. Sizes are those of adults (Nelson, Wheeler's Dental Anatomy, 2015).

Pictures are BGR times opacity and opacity, float32, 0 to 1; their origin is where the edges of the upper front teeth
meet the middle of the face.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from visavis.replica.photo.contents import Floats

EYES_MM: Final = 90.0
"""Distance between the outer corners of the eyes."""

EDGE_MM: Final = 2.8
"""How far the upper front teeth reach below the line where the lips meet."""

_SIDE_MM, _UP_MM, _DOWN_MM = 24.0, 12.0, 16.0
_FINER: Final = 2
"""The pictures are drawn larger by this and then reduced."""

_ARCH_MM: Final = 27.0
"""Radius of the arch that the teeth stand on."""

_UPPER: Final = ((8.6, 9.6, 0.0), (6.6, 8.6, 0.7), (7.6, 9.4, 0.1), (7.0, 8.2, 1.0), (6.8, 7.6, 1.6), (9.0, 7.0, 2.2))
_LOWER: Final = ((5.3, 8.4, 0.0), (5.7, 8.6, 0.1), (6.8, 9.4, -0.5), (7.0, 8.4, 0.2), (7.0, 7.8, 0.4), (9.0, 7.4, 0.4))
"""Width, height and how much shorter than the first (millimetres), from the middle to one side."""

_ENAMEL: Final = np.array([0.74, 0.86, 0.91])
_NECK: Final = np.array([0.60, 0.77, 0.86])
_BETWEEN: Final = np.array([0.22, 0.28, 0.42])
_GUM: Final = np.array([0.36, 0.36, 0.62])
_TONGUE: Final = np.array([0.30, 0.31, 0.60])
CAVITY: Final = np.array([0.095, 0.075, 0.20])
"""Colours in white light, BGR."""


@dataclass(frozen=True, slots=True, eq=False)
class Teeth:
    """Parts of one mouth; `scale` pixels are one millimetre, the origin lies at `origin` (x, y) in each picture."""

    upper: Floats
    jaw: Floats
    """Lower teeth with their edges at the origin, and the tongue behind them."""
    tip: Floats
    """The tongue's tip, raised to the upper teeth."""
    origin: tuple[float, float]


def draw(scale: float, white: tuple[float, float, float], blur_px: float) -> Teeth:
    """The inside of a mouth at `scale` pixels a millimetre, in a light in which a white thing looks like `white`."""
    light = np.asarray(white) / 255
    x, y = _plane(scale * _FINER)
    upper = _row(x, y, _UPPER, up=True)
    jaw = _over(_row(x, y, _LOWER, up=False), _tongue(x, y, top=-6.0, half_width=20.0, shade=1.0))
    tip = _tongue(x, y, top=-1.2, half_width=11.5, shade=0.95)
    pictures = []
    for picture in (upper, jaw, tip):
        lit = picture * np.array([*light, 1.0])
        size = (round(2 * _SIDE_MM * scale), round((_UP_MM + _DOWN_MM) * scale))
        small = cv2.resize(lit.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        pictures.append(cv2.GaussianBlur(small, (0, 0), blur_px) if blur_px > 0.3 else small)
    drawn = [np.asarray(picture, np.float32) for picture in pictures]
    return Teeth(drawn[0], drawn[1], drawn[2], (_SIDE_MM * scale, _UP_MM * scale))


def _plane(pixels_per_mm: float) -> tuple[Floats, Floats]:
    """Position of every pixel in millimetres from the origin."""
    columns = (np.arange(round(2 * _SIDE_MM * pixels_per_mm)) + 0.5) / pixels_per_mm - _SIDE_MM
    rows = (np.arange(round((_UP_MM + _DOWN_MM) * pixels_per_mm)) + 0.5) / pixels_per_mm - _UP_MM
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    return x, y


def _row(x: Floats, y: Floats, sizes: tuple[tuple[float, float, float], ...], *, up: bool) -> Floats:
    """One row of teeth whose edges lie at y = 0 and whose gums lie above, or below."""
    away = -y if up else y
    edge = 1 / (x[0, 1] - x[0, 0])
    side = np.abs(x)
    gum_line = np.full_like(x, 7.4)
    teeth = np.zeros((*x.shape, 4), np.float32)
    ends = np.cumsum([0.0, *(width for width, _, _ in sizes)])
    for (_, height, shorter), first, last in zip(sizes, ends, ends[1:], strict=False):
        left, right = _ARCH_MM * np.sin(np.minimum(np.array([first, last]) / _ARCH_MM, np.pi / 2))
        half, middle = (right - left) / 2, (left + right) / 2
        if half < 0.3:
            continue
        # A crown is narrower at the gum and has round corners, rounder towards the side.
        rise = np.clip((away - shorter) / height, 0, 1)
        waist = half * (1 - 0.16 * rise**2) - 0.06
        across = np.abs(side - middle) / np.maximum(waist, 1e-3)
        corner = shorter + np.maximum(across - 0.55, 0) ** 2 * 2.6
        inside = np.clip((1 - across) * waist * edge + 0.5, 0, 1) * np.clip((away - corner) * edge + 0.5, 0, 1)
        top = height * (1 - 0.22 * np.clip(across, 0, 1.4) ** 2)
        inside *= np.clip((top - away) * edge * 0.3 + 0.5, 0, 1)
        turned = np.cos(min(middle / _ARCH_MM, 1.0) * 1.25)
        shade = (
            (0.35 + 0.65 * turned) * (1 - 0.20 * np.clip(across, 0, 1) ** 3) * (1 - 0.10 * np.clip(1 - rise * 4, 0, 1))
        )
        colour = _ENAMEL + (_NECK - _ENAMEL) * rise[..., None] ** 1.5
        teeth = _over(np.dstack([colour * (shade * inside)[..., None], inside]), teeth)
    reach = float(_ARCH_MM * np.sin(min(ends[-1] / _ARCH_MM, np.pi / 2)))
    depth = np.clip(1 - side / reach, 0, 1) ** 0.6
    between = np.clip((away - 1.0 - 1.2 * (side / reach) ** 2) * 1.6, 0, 1) * np.clip((reach - side) * edge, 0, 1)
    gum = np.clip((away - gum_line) * 1.2 + 0.5, 0, 1)[..., None]
    behind = (_BETWEEN + (_GUM - _BETWEEN) * gum) * (0.3 + 0.7 * depth[..., None])
    return _over(teeth, np.dstack([behind * between[..., None], between]))


def _tongue(x: Floats, y: Floats, top: float, half_width: float, shade: float) -> Floats:
    """A dome whose top lies at y = `top`."""
    across = x / half_width
    crown = top + 1.0 * np.exp(-((x / 2.2) ** 2)) + 9 * np.maximum(np.abs(across) - 0.1, 0) ** 2.4
    down = y - crown
    inside = np.clip(down * 1.4 + 0.5, 0, 1) * np.clip((1 - np.abs(across)) * 4, 0, 1)
    light = shade * (1 - 0.45 * across**2) * (0.62 + 0.38 * np.clip(1 - np.abs(down - 2.5) / 5, 0, 1))
    groove = 1 - 0.16 * np.exp(-((x / 1.4) ** 2))
    return np.asarray(np.dstack([_TONGUE * (light * groove * inside)[..., None], inside]), np.float32)


def _over(front: Floats, back: Floats) -> Floats:
    return np.asarray(front + back * (1 - front[..., 3:]), np.float32)
