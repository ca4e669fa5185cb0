"""The way from open to closed eyes: lids that travel over a standing eyeball."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from look import Image
from numpy.typing import NDArray

Points = NDArray[np.float64]

LASH_PX = 5.0
"""Canvas pixels of lashes that hang over the lid's edge and travel with it."""

REACH_PX = 52.0
"""Canvas pixels above and below an eye over which the skin stretches."""


def half_closed(open_eyes: Image, closed_eyes: Image, eyes: Sequence[Mapping[str, Points]], closing: float) -> Image:
    """The picture with all eyes closed by `closing` (0 to 1).

    Each eye gives the curves `upper`, `lower` (edges of the open lids) and `closed` (where they meet), canvas pixels.
    """
    result = open_eyes
    for eye in eyes:
        result = _close(result, closed_eyes, eye, closing)
    return result


def _close(open_eyes: Image, closed_eyes: Image, eye: Mapping[str, Points], closing: float) -> Image:
    height, width = open_eyes.shape[:2]
    columns = np.arange(width, dtype=np.float64)
    upper, lower, shut = (np.interp(columns, eye[name][:, 0], eye[name][:, 1]) for name in ("upper", "lower", "closed"))
    first, last = eye["closed"][0, 0], eye["closed"][-1, 0]
    rows = np.arange(height, dtype=np.float64)[:, None]
    above = upper + closing * (shut - upper)
    below = np.maximum(lower + closing * (shut - lower), above)

    def piece(edge: Points, source: Points, image: Image, side: int) -> Image:
        """The skin on one side of `edge`, taken from an image where that edge lies at `source`."""
        far = edge + side * REACH_PX
        share = np.clip((far - rows) / (far - edge), 0, None)
        map_y = np.where(share > 0, rows + share * (source - edge), rows)
        map_x = np.broadcast_to(columns, map_y.shape)
        return cv2.remap(
            image, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )

    ease = closing * closing * (3 - 2 * closing)
    lid = (1 - ease) * piece(above, upper, open_eyes, -1) + ease * piece(above, shut, closed_eyes, -1)
    cheek = (1 - ease) * piece(below, lower, open_eyes, 1) + ease * piece(below, shut, closed_eyes, 1)
    over = np.clip((above + LASH_PX * min(1.0, 3 * closing) - rows) / 2 + 0.5, 0, 1)[..., None]
    under = np.clip((rows - below) / 2 + 0.5, 0, 1)[..., None]
    shaded = open_eyes * (1 - 0.25 * closing * np.clip(1 - np.abs(rows - above) / 16, 0, 1))[..., None]
    picture = cheek * under + shaded * (1 - under)
    picture = lid * over + picture * (1 - over)
    window = _window(columns, first - 14, last + 14, 14) * _window(rows, upper.min() - REACH_PX, shut.max() + 14, 12)
    return (open_eyes + window[..., None] * (picture - open_eyes)).astype(np.float32)


def _window(where: Points, start: float, end: float, soft: float) -> Points:
    """One between start and end, easing to zero over `soft` beyond them."""
    linear = np.clip(np.minimum(where - start, end - where) / soft + 1, 0, 1)
    return linear * linear * (3 - 2 * linear)
