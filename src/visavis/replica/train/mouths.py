"""Cutting pictures of the mouth out of the film, each brought to the usual place and size of the head."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.faces.points import LOWER_LIP_OUTER, UPPER_LIP_OUTER
from visavis.replica import FPS, Frame
from visavis.replica.patches.geometry import Floats, inverse, moved, smoothed
from visavis.replica.patches.points import CONTROL, MOVING
from visavis.replica.train.anatomy import Anatomy
from visavis.replica.train.tracking import Track

MOST = 3_000
QUALITY = 93
LOOK_SIZE = (16, 8)
LOOKS = 6

BLURRED = 0.45
"""Pictures with less than this share of the median sharpness are left out: the head moved."""

TURNED_PX = 9.0
"""Pictures whose head is turned further from the loop's than this, by the tip of the nose, are left out."""

RUN = FPS
BLUR_PX = 3.0


@dataclass(frozen=True, slots=True)
class Region:
    """The part of the canonical head that is cut out."""

    left: float
    top: float
    width: int
    height: int

    @property
    def corner(self) -> Floats:
        """Upper left, canonical."""
        return np.array([self.left, self.top], np.float32)


def choose_region(anatomy: Anatomy) -> Region:
    """From under the nose to under the chin, and some cheek on both sides."""
    mean = anatomy.mean
    lips, nose, chin = mean[:20].mean(0), mean[CONTROL.index(2)], mean[CONTROL.index(152)]
    lowest = float(np.percentile(anatomy.controls[:, CONTROL.index(152), 1], 98))
    top = float(nose[1]) - 0.01 * anatomy.eyes_px
    bottom = max(lowest, float(chin[1])) + 0.30 * anatomy.eyes_px
    width = round(1.5 * anatomy.eyes_px / 8) * 8
    return Region(float(lips[0]) - width / 2, top, width, round((bottom - top) / 4) * 4)


def choose_moments(track: Track, anatomy: Anatomy, shots: list[slice], usual_pose: Floats) -> NDArray[np.intp]:
    """Numbers of the pictures to cut from: all that are sharp and from the front, or the most different runs."""
    clear = track.sharpness > BLURRED * np.median(track.sharpness)
    frontal = np.linalg.norm(anatomy.pose - usual_pose, axis=1) < TURNED_PX
    good = np.zeros(len(clear), np.bool_)
    for shot in shots:
        good[shot] = (clear & frontal)[shot]
    numbers = np.nonzero(good)[0]
    if len(numbers) <= MOST:
        return numbers
    runs = [numbers[start : start + RUN] for start in range(0, len(numbers), RUN)]
    return np.sort(np.concatenate(_different(runs, anatomy.lips)))


def _different(runs: list[NDArray[np.intp]], lips: Floats) -> list[NDArray[np.intp]]:
    """Runs, chosen one after the other for showing what none before has shown."""
    nearest = np.full(sum(map(len, runs)), np.inf, np.float32)
    owner = np.repeat(np.arange(len(runs)), [len(run) for run in runs])
    shown = lips[np.concatenate(runs)]
    chosen: list[NDArray[np.intp]] = []
    free = np.ones(len(runs), np.bool_)
    while sum(map(len, chosen)) < MOST - RUN:
        finite = np.where(np.isfinite(nearest), nearest, 1e3)
        gain = np.where(free, np.bincount(owner, finite, len(runs)), -1)
        best = int(gain.argmax())
        free[best] = False
        chosen.append(runs[best])
        for moment in lips[runs[best]][::3]:
            nearest = np.minimum(nearest, np.linalg.norm(shown - moment, axis=1))
    return chosen


def cut(frame: Frame, placement: Floats, region: Region) -> Frame:
    """The region uint8[h, w, 3] of a picture of the film."""
    return np.asarray(warped(frame, placement, region.corner, (region.width, region.height)), np.uint8)


def warped(frame: Frame, placement: Floats, corner: Floats, size: tuple[int, int]) -> Frame:
    """The rectangle of a canonical or frame space at `corner`, given how that space lies in the picture."""
    matrix = placement.astype(np.float64).copy()
    matrix[:, 2] = moved(corner[None], placement)[0]
    shrink = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if shrink > 1.6:
        # More film pixels than frame pixels: what would alias is taken out before.
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.35 * shrink), np.uint8)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(frame, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def colours(picture: Frame, points: Floats) -> Floats:
    """Colours float32[R, 3] of a picture around points float32[R, 2]."""
    blurred = cv2.GaussianBlur(picture, (0, 0), BLUR_PX)
    found = cv2.remap(blurred, points[None].astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found[0], np.float32)


def look(picture: Frame, outer: Floats) -> Floats:
    """float32[128]: what is seen of lips and between them, in a shape of its own; `outer` float32[22, 2] are the
    upper and then the lower edges of the lips, left to right.
    """
    columns, rows = LOOK_SIZE
    across = np.linspace(0.6, 9.4, columns)
    edges = [
        np.stack([np.interp(across, np.arange(11), edge[:, axis]) for axis in (0, 1)], 1)
        for edge in (outer[:11], outer[11:])
    ]
    down = np.linspace(0.05, 0.95, rows)[:, None, None]
    places = (edges[0] + down * (edges[1] - edges[0])).astype(np.float32)
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (0, 0), 1.2)
    return np.asarray(cv2.remap(grey, places, None, cv2.INTER_LINEAR), np.float32).ravel()


def look_components(looks: Floats) -> Floats:
    """float32[N, LOOKS]: looks float32[N, 128] by their main components, of unit size in all."""
    centred = looks - looks.mean(0)
    _, _, axes = np.linalg.svd(centred[:: max(len(looks) // 1500, 1)], full_matrices=False)
    components = centred @ axes[:LOOKS].T
    return np.asarray(components / max(float(np.linalg.norm(components.std(0))), 1e-6), np.float32)


def outer_edges(points: Floats) -> Floats:
    """float32[22, 2] for `look`, from a face's points float32[478, 2]."""
    return np.concatenate([points[list(UPPER_LIP_OUTER)], points[list(LOWER_LIP_OUTER)]])


def steady_controls(anatomy: Anatomy, shots: list[slice]) -> Floats:
    """Control points float32[T, P, 2], canonical, without the landmarks' noise: lips as their components say."""
    modelled = anatomy.shape(anatomy.lips, anatomy.pose)
    rest = anatomy.controls - modelled
    steady = anatomy.controls.copy()
    for shot in shots:
        steady[shot] = modelled[shot] + smoothed(rest[shot], (1, 2, 3, 4, 5, 4, 3, 2, 1))
        steady[shot, MOVING:] = smoothed(anatomy.controls[shot, MOVING:], (1, 2, 3, 2, 1))
    return steady


def canonical_points(track: Track, anatomy: Anatomy, number: int) -> Floats:
    """All points float32[478, 2] of one picture, canonical."""
    return moved(track.points[number, :, :2], inverse(anatomy.placement[number]))
