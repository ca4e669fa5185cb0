"""How the points of a face move with each ARKit unit: measured once on a CC0 head, see `training/face_units`."""

from functools import cache
from pathlib import Path

import numpy as np

from visavis.faces.points import ARKIT_NAMES
from visavis.replica.photo.contents import Floats

FILE = Path(__file__).with_suffix(".npz")


@cache
def unit_offsets() -> Floats:
    """float32[52, 478, 3]: offset of every point at full weight, x right, y down, z away from the camera; in distances
    between the outer corners of the eyes, units in the order of `ARKIT_NAMES`.
    """
    with np.load(FILE) as stored:
        assert tuple(stored["names"]) == ARKIT_NAMES
        return np.asarray(stored["units"], np.float32)
