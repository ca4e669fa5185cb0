"""One person's head and lips, taken apart: where the head is, how it is turned, and what the lips do besides.

Everything is measured in *canonical* coordinates: frame pixels of the person's usual head, upright in its usual place.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavis.faces.points import LEFT_EYE_OUTER, RIGHT_EYE_OUTER
from visavis.replica.patches.geometry import fit_similarity, inverse, moved, smoothed
from visavis.replica.patches.points import CONTROL, HELD, MOVING, POSED
from visavis.replica.train.tracking import Track

FRAME_SIDE = 512
EYES_PX = 112.0
"""Wanted distance of the outer eye corners in the frame, and how far down the eyes are."""
EYES_DOWN = 0.40

COMPONENTS = 10
"""Lip components that are kept: the rest is noise of the landmarks."""

JAW_WEIGHT = 0.6
"""How much the jaw counts beside the lips; its landmarks are guesses where the chin has no edge."""

STEADY = (1, 2, 3, 2, 1)
POSE_STEADY = (1, 2, 3, 4, 3, 2, 1)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Crop:
    """The square of the film that becomes the frame."""

    left: float
    top: float
    side: float

    @property
    def scale(self) -> float:
        """Frame pixels per film pixel."""
        return FRAME_SIDE / self.side

    def to_frame(self) -> Floats:
        """float32[2, 3], film to frame."""
        scale = self.scale
        return np.array([[scale, 0, -self.left * scale], [0, scale, -self.top * scale]], np.float32)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A person, and how they moved."""

    crop: Crop
    head: Floats
    """float32[478, 2]: the usual head, canonical."""
    placement: Floats
    """float32[T, 2, 3]: canonical to film."""
    pose: Floats
    """float32[T, 2]: how the head is turned; canonical pixels that the nose moves, about."""
    controls: Floats
    """float32[T, P, 2]: control points as measured, canonical, steadied only by what `placement` is."""
    mean: Floats
    """float32[P, 2]: control points on average."""
    by_pose: Floats
    """float32[2, P, 2]: how control points move with the pose."""
    components: Floats
    """float32[K, P, 2]: how they move with the lips; rows are orthonormal in the weighted points."""
    lips: Floats
    """float32[T, K]: what the lips did."""

    @property
    def eyes_px(self) -> float:
        """Distance of the outer eye corners, canonical."""
        return float(np.linalg.norm(self.head[RIGHT_EYE_OUTER] - self.head[LEFT_EYE_OUTER]))

    def shape(self, lips: Floats, pose: Floats) -> Floats:
        """Control points float32[..., P, 2], canonical."""
        by_lips = np.tensordot(lips, self.components, 1)
        return np.asarray(self.mean + np.tensordot(pose, self.by_pose, 1) + by_lips, np.float32)


def choose_crop(track: Track, used: NDArray[np.bool_], size: tuple[int, int]) -> Crop:
    """The square around the head as it mostly is; `size` is the film's width and height."""
    xy = track.points[used][:, :, :2]
    eyes = np.median(xy[:, [RIGHT_EYE_OUTER, LEFT_EYE_OUTER]].mean(1), axis=0)
    middle = np.median((xy.min(1) + xy.max(1)) / 2, axis=0)
    side = min(float(np.median(track.eyes_px[used])) * FRAME_SIDE / EYES_PX, *size)
    left = float(np.clip(middle[0] - side / 2, 0, size[0] - side))
    top = float(np.clip(eyes[1] - EYES_DOWN * side, 0, size[1] - side))
    return Crop(left, top, side)


def take_apart(track: Track, shots: list[slice], size: tuple[int, int]) -> Anatomy:
    """Describe the person and every picture."""
    used = np.zeros(len(track.seen), np.bool_)
    for shot in shots:
        used[shot] = True
    crop = choose_crop(track, used, size)
    in_frame = moved(track.points[..., :2], crop.to_frame())
    canonical = _usual_head(in_frame[used])
    to_frame = _steadied(fit_similarity(canonical[list(HELD)], in_frame[:, list(HELD)]), shots, STEADY)
    local = moved(in_frame, inverse(to_frame))
    pose = _steadied(_pose(local, used), shots, POSE_STEADY)
    controls = local[:, list(CONTROL)]
    mean, by_pose, components, lips = _lips(controls, pose, used)
    to_film = inverse(crop.to_frame())
    placement = np.concatenate(
        [to_film[:, :2] @ to_frame[..., :2], (to_frame[..., 2] @ to_film[:, :2].T + to_film[:, 2])[..., None]], -1
    ).astype(np.float32)
    return Anatomy(crop, canonical, placement, pose, controls, mean, by_pose, components, lips)


def _usual_head(in_frame: Floats) -> Floats:
    """float32[478, 2]: the mean head, with place, size and tilt taken out before the mean and put back after."""
    usual = np.median(in_frame, axis=0)
    held = list(HELD)
    for _ in range(2):
        there = moved(in_frame, inverse(fit_similarity(usual[held], in_frame[:, held])))
        usual = np.asarray(there.mean(0), np.float32)
    return usual


def _steadied(values: Floats, shots: list[slice], taps: tuple[int, ...]) -> Floats:
    steady = values.copy()
    for shot in shots:
        steady[shot] = smoothed(values[shot], taps)
    return steady


def _pose(local: Floats, used: NDArray[np.bool_]) -> Floats:
    """Two numbers for the turn of the head, scaled to pixels of the tip of the nose."""
    posed = local[:, list(POSED)].reshape(len(local), -1)
    middle = posed[used].mean(0)
    _, _, axes = np.linalg.svd(posed[used][:: max(used.sum() // 3000, 1)] - middle, full_matrices=False)
    size = np.maximum(np.linalg.norm(axes[:2].reshape(2, -1, 2)[:, 0], axis=1), 1e-3)
    return np.asarray((posed - middle) @ axes[:2].T * size, np.float32)


def _lips(controls: Floats, pose: Floats, used: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats, Floats]:
    count = len(controls)
    flat = controls.reshape(count, -1)
    with_one = np.concatenate([pose, np.ones((count, 1), np.float32)], 1)
    fitted, *_ = np.linalg.lstsq(with_one[used], flat[used], rcond=None)
    rest = (flat - with_one @ fitted).reshape(controls.shape)
    weight = np.zeros(controls.shape[1], np.float32)
    weight[:40], weight[40:MOVING] = 1, JAW_WEIGHT
    weighted = (rest * weight[:, None]).reshape(count, -1)
    _, _, axes = np.linalg.svd(weighted[used][:: max(used.sum() // 4000, 1)], full_matrices=False)
    lips = (weighted @ axes[:COMPONENTS].T).astype(np.float32)
    components = axes[:COMPONENTS].reshape(COMPONENTS, -1, 2) / np.maximum(weight, 1e-6)[:, None]
    components[:, MOVING:] = 0
    mean, by_pose = fitted[2].reshape(-1, 2), fitted[:2].reshape(2, -1, 2)
    return tuple(np.asarray(part, np.float32) for part in (mean, by_pose, components, lips))  # type: ignore[return-value]
