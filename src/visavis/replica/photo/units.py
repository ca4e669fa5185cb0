"""How the points of a face move with each ARKit unit: measured once on a CC0 head by `stock/face_units.py`."""

from functools import cache
from pathlib import Path

import numpy as np

from visavis.faces.points import ARKIT_NAMES
from visavis.replica.photo.contents import Floats

FILE = Path(__file__).with_suffix(".npz")

GAINS = {
    "jawOpen": (0.88, 0.88),
    "mouthClose": (0.88, 0.88),
    "mouthPressLeft": (0.3, 0.3),
    "mouthPressRight": (0.3, 0.3),
    "mouthUpperUpLeft": (1.0, 1.5),
    "mouthUpperUpRight": (1.0, 1.5),
    "mouthLowerDownLeft": (1.0, 1.5),
    "mouthLowerDownRight": (1.0, 1.5),
    "mouthPucker": (1.45, 1.2),
    "mouthFunnel": (1.9, 0.8),
}
"""Units that move faces in photos more, or less, than the head they were measured on: aside and down; set by eye."""


@cache
def unit_offsets() -> Floats:
    """float32[52, 478, 3]: offset of every point at full weight, x right, y down, z away from the camera; in distances
    between the outer corners of the eyes, units in the order of `ARKIT_NAMES`.
    """
    with np.load(FILE) as stored:
        assert tuple(stored["names"]) == ARKIT_NAMES
        units = np.asarray(stored["units"], np.float32)
    for name, gain in GAINS.items():
        units[ARKIT_NAMES.index(name), :, :2] *= gain
    return units
