"""The grade of the stock portraits: from a flat render to a picture that looks like a camera's."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
"""float32[H, W, 3], BGR, 0 to 1."""


def grade(still: NDArray[np.uint8], size: int) -> Image:
    """Enlarge a square still to `size` pixels, sharpen it lightly, and give it contrast, warmth and a vignette."""
    enlarged = cv2.resize(still.astype(np.float32) / 255, (size, size), interpolation=cv2.INTER_LANCZOS4)
    fine = enlarged - cv2.GaussianBlur(enlarged, (0, 0), 1.1 * size / still.shape[0])
    picture = enlarged + 0.55 * fine
    picture = np.clip((picture - 0.03) / 0.83, 0, 1)
    picture += 0.30 * (picture * picture * (3 - 2 * picture) - picture)
    grey = picture.mean(2, keepdims=True)
    picture = grey + 1.17 * (picture - grey)
    picture *= np.array([0.97, 1.0, 1.03], np.float32)
    return np.clip(picture * _vignette(size)[..., None], 0, 1).astype(np.float32)


def _vignette(size: int) -> Image:
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    return 1 - 0.30 * ((x - 0.5) ** 2 + (y - 0.45) ** 2)
