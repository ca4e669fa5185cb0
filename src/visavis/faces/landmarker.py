"""478 points of a face with both irises, and its expression as ARKit blendshapes: MediaPipe's face landmarker."""

import math
import zipfile
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis import models
from visavis.faces.detector import FaceDetector, FoundFace
from visavis.faces.network import Floats, Network
from visavis.faces.points import ARKIT_NAMES, LEFT_EYE_OUTER, RIGHT_EYE_OUTER, SEEN_BY_BLENDSHAPES

POINTS = 478
MARGIN = 1.5
"""The network's square view is this much larger than the face's box."""

THERE = 0.5
"""Presence from which a view counts as showing a face; the default of MediaPipe's own task."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """One face in one picture."""

    points: Floats
    """float32[478, 3]: x, y in pixels of the picture; z on the same scale, negative towards the camera."""
    blendshapes: Floats
    """float32[52] in the order of `points.ARKIT_NAMES`, 0 to 1; all 0 where they were not asked for."""
    presence: float
    """0 to 1: how surely there is a face."""

    @property
    def xy(self) -> Floats:
        """float32[478, 2], pixels."""
        return self.points[:, :2]

    def blendshape(self, name: str) -> float:
        """One blendshape by its ARKit name."""
        return float(self.blendshapes[ARKIT_NAMES.index(name)])


class FaceLandmarker:
    """Measures faces; about 10 ms a frame, and 2 ms more for blendshapes. Belongs to one thread at a time."""

    def __init__(self, *, blendshapes: bool = True) -> None:
        with zipfile.ZipFile(models.path("face-landmarker") / "face_landmarker.task") as task:
            self._points = Network(task.read("face_landmarks_detector.tflite"))
            self._shapes = Network(task.read("face_blendshapes.tflite")) if blendshapes else None
        self._detector: FaceDetector | None = None

    def measure(
        self, frame: NDArray[np.uint8], near: FoundFace | Landmarks | None = None, *, points_only: bool = False
    ) -> Landmarks | None:
        """The face at `near`: one that was found in this frame, or the same face measured in the frame before.

        Without `near` the largest face is looked for. None where there is none. `points_only` leaves out the
        blendshapes, or keeps those of `near` where that was measured.
        """
        if near is None:
            self._detector = self._detector or FaceDetector()
            found = self._detector.find(frame)
            if not found:
                return None
            near = found[0]
        view = _view_of_found(near) if isinstance(near, FoundFace) else _view_of_measured(near)
        side = self._points.input_shape[1]
        to_view = view.matrix(side)
        crop = _cut(frame, to_view, side)
        values, logit, *_ = self._points(np.multiply(crop[..., ::-1], 1 / 255, dtype=np.float32))
        presence = float(1 / (1 + np.exp(-np.clip(logit.ravel()[0], -50, 50))))
        if presence < THERE:
            return None
        points = values.reshape(POINTS, 3)
        back = cv2.invertAffineTransform(to_view)
        points[:, :2] = points[:, :2] @ back[:, :2].T.astype(np.float32) + back[:, 2].astype(np.float32)
        points[:, 2] *= view.side / side
        if points_only:
            shapes = near.blendshapes if isinstance(near, Landmarks) else np.zeros(len(ARKIT_NAMES), np.float32)
            return Landmarks(points, shapes, presence)
        return Landmarks(points, self._blendshapes(points), presence)

    def _blendshapes(self, points: Floats) -> Floats:
        shapes = np.zeros(len(ARKIT_NAMES), np.float32)
        if self._shapes is not None:
            # The network's first figure is how neutral the face is; it has none for the tongue.
            shapes[:-1] = self._shapes(points[SEEN_BY_BLENDSHAPES, :2])[0].ravel()[1:]
        return shapes


@dataclass(frozen=True, slots=True)
class _View:
    """A square of the picture, upright for the face."""

    centre: tuple[float, float]
    side: float
    angle: float
    """Radians that the face is turned clockwise."""

    def matrix(self, size: int) -> NDArray[np.float64]:
        """float64[2, 3] from picture to view pixels."""
        scale = size / self.side
        cosine, sine = math.cos(self.angle) * scale, math.sin(self.angle) * scale
        x, y = self.centre
        return np.array(
            [
                [cosine, sine, size / 2 - cosine * x - sine * y],
                [-sine, cosine, size / 2 + sine * x - cosine * y],
            ]
        )


def _view_of_found(face: FoundFace) -> _View:
    (right_x, right_y), (left_x, left_y) = face.right_eye, face.left_eye
    return _View(
        face.centre, MARGIN * max(face.width, face.height, 1.0), math.atan2(left_y - right_y, left_x - right_x)
    )


def _view_of_measured(face: Landmarks) -> _View:
    across = face.xy[LEFT_EYE_OUTER] - face.xy[RIGHT_EYE_OUTER]
    angle = math.atan2(float(across[1]), float(across[0]))
    cosine, sine = math.cos(angle), math.sin(angle)
    upright = face.xy @ np.array([[cosine, -sine], [sine, cosine]], np.float32)
    low, high = upright.min(0), upright.max(0)
    x, y = ((low + high) / 2).tolist()
    centre = (cosine * x - sine * y, sine * x + cosine * y)
    return _View(centre, MARGIN * max(float((high - low).max()), 1.0), angle)


def _cut(frame: NDArray[np.uint8], to_view: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    """The view's pixels uint8[side, side, 3]. A much larger face is shrunk with an area filter before."""
    shrink = int(1 / math.hypot(to_view[0, 0], to_view[0, 1]))
    if shrink > 1:
        frame = np.asarray(
            cv2.resize(frame, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
        to_view = to_view.copy()
        to_view[:, :2] *= shrink
    # warpAffine counts from the middle of the upper left pixel, we from its corner.
    to_view = to_view.copy()
    to_view[:, 2] += 0.5 * to_view[:, :2].sum(1) - 0.5
    return np.asarray(
        cv2.warpAffine(frame, to_view, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.uint8
    )
