"""Where the faces are: MediaPipe's full-range face detector (faces up to about five metres from a camera)."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis import models
from visavis.faces.network import Floats, Network

SURE = 0.6
"""Score from which a box counts as a face; the threshold of MediaPipe's own graph."""

SAME_FACE = 0.3
"""Boxes whose overlap (intersection over union) is larger than this are one face."""

_CELLS = 48
"""The network answers for each of 48 x 48 places of its square input."""


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face and its six keypoints; left and right are the person's own."""

    left: float
    top: float
    width: float
    height: float
    """Box from forehead to chin, pixels; may reach beyond the picture."""
    score: float
    """0 to 1."""
    right_eye: tuple[float, float]
    left_eye: tuple[float, float]
    nose: tuple[float, float]
    mouth: tuple[float, float]
    right_ear: tuple[float, float]
    left_ear: tuple[float, float]

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box."""
        return self.left + self.width / 2, self.top + self.height / 2


class FaceDetector:
    """Finds faces; about 8 ms a frame. Belongs to one thread at a time."""

    def __init__(self, sure: float = SURE) -> None:
        self._network = Network((models.path("face-detector") / "face_detection_full_range.tflite").read_bytes())
        self._sure = sure
        middles = (np.arange(_CELLS, dtype=np.float32) + 0.5) / _CELLS
        x, y = np.meshgrid(middles, middles)
        self._anchors = np.stack([x.ravel(), y.ravel()], 1)

    def find(self, frame: NDArray[np.uint8]) -> list[FoundFace]:
        """All faces in the picture, the largest first."""
        side = self._network.input_shape[1]
        height, width = frame.shape[:2]
        scale = side / max(height, width)
        fitted = (max(round(width * scale), 1), max(round(height * scale), 1))
        small = cv2.resize(frame, fitted, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        left, top = (side - small.shape[1]) // 2, (side - small.shape[0]) // 2
        square = np.zeros((side, side, 3), np.float32)
        square[top : top + small.shape[0], left : left + small.shape[1]] = small[..., ::-1]
        regressed, logits = self._network(square / 127.5 - 1)
        scores = np.asarray(1 / (1 + np.exp(-np.clip(logits.ravel(), -80, 80))), np.float32)
        likely = np.nonzero(scores >= self._sure)[0]
        values = regressed[0, likely].reshape(-1, 8, 2) / side
        values[:, [0, *range(2, 8)]] += self._anchors[likely][:, None]
        places = _merged(values, scores[likely])
        found = [_face(place, score, side / scale, (left / scale, top / scale)) for place, score in places]
        return sorted(found, key=lambda face: -face.width * face.height)


def _merged(values: Floats, scores: Floats) -> list[tuple[Floats, float]]:
    """One place per face: the mean of all that overlap its best one, weighted by their scores."""
    corners = np.concatenate([values[:, 0] - values[:, 1] / 2, values[:, 0] + values[:, 1] / 2], 1)
    left = list(np.argsort(-scores))
    faces = []
    while left:
        overlap = _overlaps(corners[left[0]], corners[left])
        same = [index for index, share in zip(left, overlap, strict=True) if share > SAME_FACE]
        weights = scores[same] / scores[same].sum()
        faces.append((np.tensordot(weights, values[same], 1), float(scores[left[0]])))
        left = [index for index in left if index not in same]
    return faces


def _overlaps(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box with each, all float32[.., 4]: left, top, right, bottom."""
    shared = np.maximum(np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2]), 0).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return np.asarray(shared / np.maximum((box[2:] - box[:2]).prod() + areas - shared, 1e-9), np.float32)


def _face(place: Floats, score: float, scale: float, margin: tuple[float, float]) -> FoundFace:
    points = place * scale
    points[[0, *range(2, 8)]] -= np.array(margin, np.float32)
    (x, y), (width, height), *keypoints = points.tolist()
    right_eye, left_eye, nose, mouth, right_ear, left_ear = ((kx, ky) for kx, ky in keypoints)
    return FoundFace(
        left=x - width / 2,
        top=y - height / 2,
        width=width,
        height=height,
        score=score,
        right_eye=right_eye,
        left_eye=left_eye,
        nose=nose,
        mouth=mouth,
        right_ear=right_ear,
        left_ear=left_ear,
    )
