"""How the skin around the mouth moves from the resting face to each key, as two smooth fields split at the lip line.

A mouth that opens tears the picture apart: the upper and the lower lip leave in different directions. So there are two
displacement fields over the same resting picture, one that continues the upper lip's motion across the line where the
lips meet and one that continues the lower lip's; each is smooth, and the gap between them is the open mouth.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from geometry import Points
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

Field = NDArray[np.float32]
"""float32[rows, columns, 2]: displacement (x, y) in canvas pixels, sampled every `step` pixels."""


@dataclass(frozen=True)
class Region:
    """The moving part of the canvas, pixels; `step` is the spacing of the field samples."""

    x: int
    y: int
    width: int
    height: int
    step: int

    def samples(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Canvas positions of the field samples, which lie at the centres of step x step cells."""
        offset = (self.step - 1) / 2
        return np.meshgrid(
            self.x + offset + np.arange(0, self.width, self.step),
            self.y + offset + np.arange(0, self.height, self.step),
        )

    def cut(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return picture[self.y : self.y + self.height, self.x : self.x + self.width]


def visible(points: Points, faces: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    """Which projected vertices (canvas pixels and depth) can be seen from the camera."""
    corners = points[faces]
    one, two = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    facing = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] < 0
    nearest = np.full((size, size), 1e6, np.float32)
    for face in sorted(np.nonzero(facing)[0], key=lambda index: -corners[index, :, 2].mean()):
        outline = np.round(corners[face, :, :2] * 16).astype(np.int32)
        cv2.fillConvexPoly(nearest, outline, float(corners[face, :, 2].mean()), cv2.LINE_8, 4)
    column, row = (np.clip(np.round(points[:, axis]).astype(int), 0, size - 1) for axis in (0, 1))
    tolerance_m = 0.002
    seen = np.zeros(len(points), bool)
    seen[np.unique(faces[facing])] = True
    return seen & (points[:, 2] < nearest[row, column] + tolerance_m)


def lip_line(picture: NDArray[np.float32], corners: tuple[float, float], rows: tuple[int, int]) -> Points:
    """Where the closed lips meet: the darkest row in every column between the corners, smoothed."""
    grey = cv2.GaussianBlur(picture[..., 1], (0, 0), 1.2)
    columns = np.arange(int(corners[0]) + 4, int(corners[1]) - 3)
    darkest = rows[0] + np.argmin(grey[rows[0] : rows[1], columns], axis=0)
    along = np.linspace(corners[0], corners[1], 65)
    smooth = np.polynomial.Polynomial.fit(columns, darkest, 7)
    return np.stack([along, smooth(np.clip(along, columns[0], columns[-1]))], 1)


def fields(
    rest: Points,
    posed: Mapping[str, Points],
    usable: NDArray[np.bool_],
    line: Points,
    fixed: Points,
    region: Region,
) -> dict[str, tuple[Field, Field]]:
    """Upper and lower displacement fields of every key, from the vertices that can be seen.

    `fixed` are positions that no key moves: hair, clothes, the room.
    """
    margin = 60
    near = usable & (np.abs(rest[:, 0] - region.x - region.width / 2) < region.width / 2 + margin)
    near &= np.abs(rest[:, 1] - region.y - region.height / 2) < region.height / 2 + margin
    move = np.stack([points[near, :2] - rest[near, :2] for points in posed.values()], 1)
    position = np.concatenate([rest[near, :2], fixed])
    move = np.concatenate([move, np.zeros((len(fixed), *move.shape[1:]))])
    meets = np.interp(position[:, 0], line[:, 0], line[:, 1])
    beside = (position[:, 0] < line[0, 0] - 1) | (position[:, 0] > line[-1, 0] + 1)
    grid = np.stack(region.samples(), -1).reshape(-1, 2)
    solvers = _halves(position, move, position[:, 1] < meets - 5, position[:, 1] > meets + 5, beside)
    miss = [np.abs(solve(position) - move.reshape(len(move), -1)).sum(1) for solve in solvers]
    close = (np.abs(position[:, 1] - meets) <= 5) & ~beside
    upper = np.where(close, miss[0] < miss[1], position[:, 1] < meets)
    solvers = _halves(position, move, upper, ~upper, beside)
    shape = (region.height // region.step, region.width // region.step, len(posed), 2)
    halves = [solve(grid).reshape(shape).astype(np.float32) for solve in solvers]
    return {key: (halves[0][:, :, index], halves[1][:, :, index]) for index, key in enumerate(posed)}


def _halves(
    position: Points, move: Points, upper: NDArray[np.bool_], lower: NDArray[np.bool_], beside: NDArray[np.bool_]
) -> list[RBFInterpolator]:
    """Interpolators of the upper and the lower side; what lies beside the mouth belongs to both."""
    return [
        RBFInterpolator(
            position[chosen], move[chosen].reshape(chosen.sum(), -1), neighbors=40, smoothing=0.3, kernel="linear"
        )
        for chosen in (upper | beside, lower | beside)
    ]


def sample(field: Field, points: Points, region: Region) -> Points:
    """Displacement at canvas positions."""
    offset = (region.step - 1) / 2
    x = ((points[:, 0] - region.x - offset) / region.step).astype(np.float32)
    y = ((points[:, 1] - region.y - offset) / region.step).astype(np.float32)
    return cv2.remap(field, x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0].astype(np.float64)


def close_onto(upper: Field, lower: Field, line: Points, seam: Points, region: Region) -> tuple[Field, Field]:
    """Bend both fields so that the lip line lands on `seam`, where the picture of a closed key shows it.

    The correction fades out over the thickness of a lip.
    """
    reach = 14.0
    x, y = region.samples()
    distance = np.abs(y - np.interp(x, line[:, 0], line[:, 1]))
    beyond = np.maximum(np.maximum(line[0, 0] - x, x - line[-1, 0]), 0)
    fade = np.clip(1 - np.hypot(distance, beyond) / reach, 0, 1) ** 2
    bent = []
    for straight in (upper, lower):
        field = straight.copy()
        landing = line + sample(field, line, region)
        miss = np.interp(landing[:, 0], seam[:, 0], seam[:, 1]) - landing[:, 1]
        miss *= np.clip(np.minimum(landing[:, 0] - seam[0, 0] + 6, seam[-1, 0] - landing[:, 0] + 6) / 12, 0, 1)
        field[..., 1] += fade * np.interp(x, line[:, 0], miss)
        bent.append(field)
    return bent[0], bent[1]
