"""Hands in a picture and their gestures: MediaPipe's gesture recogniser (anchors, margins and turns are its)."""

import io
import math
import zipfile
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis import models
from visavis.faces.network import Floats, Network

GESTURES = ("", "fist", "open palm", "pointing up", "thumb down", "thumb up", "victory", "love")
"""In the order of the network; the first is any other hand."""

SURE_PALM = 0.6
SURE_HAND = 0.6
SURE_GESTURE = 0.6
MOST_HANDS = 2

_WRIST, _INDEX, _MIDDLE, _RING = 0, 5, 9, 13
_PALM = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]
"""Points by which a hand is followed: all but the upper parts of the fingers."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One hand in one picture."""

    points: Floats
    """float32[21, 2], pixels."""
    gesture: str
    """One of `GESTURES`."""
    certainty: float

    @property
    def size(self) -> float:
        """Longer side of its box, pixels."""
        return float(np.ptp(self.points, 0).max())

    @property
    def x(self) -> float:
        """Its middle, pixels from the left."""
        return float(self.points[:, 0].mean())


@dataclass(frozen=True, slots=True)
class _View:
    """A square that is upright for a hand; the angle is that of the hand, radians clockwise."""

    x: float
    y: float
    side: float
    angle: float


class Hands:
    """Finds hands and follows them; 13 ms to find, 11 ms for each hand. Belongs to one thread at a time."""

    def __init__(self) -> None:
        with zipfile.ZipFile(models.path("hand-gestures") / "gesture_recognizer.task") as task:
            landmarker = zipfile.ZipFile(io.BytesIO(task.read("hand_landmarker.task")))
            recogniser = zipfile.ZipFile(io.BytesIO(task.read("hand_gesture_recognizer.task")))
        self._palms = Network(landmarker.read("hand_detector.tflite"))
        self._points = Network(landmarker.read("hand_landmarks_detector.tflite"))
        self._embedder = Network(recogniser.read("gesture_embedder.tflite"))
        self._gestures = Network(recogniser.read("canned_gesture_classifier.tflite"))
        self._anchors = _anchors()
        self._views: list[_View] = []

    @property
    def following(self) -> bool:
        """There were hands in the last picture."""
        return bool(self._views)

    def see(self, frame: NDArray[np.uint8]) -> list[Hand]:
        """The hands in uint8[H, W, 3] BGR: those that are followed, else what can be found."""
        found = [self._measure(frame, view) for view in self._views or self._find(frame)]
        self._views = [again for one in found if one is not None for again in [one[1]]]
        return [one[0] for one in found if one is not None]

    def _find(self, frame: NDArray[np.uint8]) -> list[_View]:
        side = self._palms.input_shape[1]
        height, width = frame.shape[:2]
        scale = side / max(height, width)
        small = cv2.resize(frame, (max(round(width * scale), 1), max(round(height * scale), 1)))
        square = np.zeros((side, side, 3), np.float32)
        left, top = (side - small.shape[1]) // 2, (side - small.shape[0]) // 2
        square[top : top + small.shape[0], left : left + small.shape[1]] = small[..., ::-1]
        values, logits = self._palms(np.asarray(square / 255, np.float32))
        scores = 1 / (1 + np.exp(-np.clip(logits.ravel(), -80, 80)))
        views: list[_View] = []
        for index in np.argsort(-scores)[:8]:
            if scores[index] < SURE_PALM or len(views) == MOST_HANDS:
                break
            view = _view_of_palm(values[0, index], self._anchors[index], side, (left, top), scale)
            if all(math.hypot(view.x - other.x, view.y - other.y) > other.side / 4 for other in views):
                views.append(view)
        return views

    def _measure(self, frame: NDArray[np.uint8], view: _View) -> tuple[Hand, _View] | None:
        side = self._points.input_shape[1]
        scale = side / max(view.side, 1.0)
        cosine, sine = math.cos(view.angle) * scale, math.sin(view.angle) * scale
        to_view = np.array(
            [
                [cosine, sine, side / 2 - cosine * view.x - sine * view.y],
                [-sine, cosine, side / 2 + sine * view.x - cosine * view.y],
            ]
        )
        crop = cv2.warpAffine(frame, to_view, (side, side), flags=cv2.INTER_LINEAR)
        flat, presence, right_handed, in_world = self._points(np.multiply(crop[..., ::-1], 1 / 255, dtype=np.float32))
        if presence.ravel()[0] < SURE_HAND:
            return None
        points = flat.reshape(21, 3)
        back = cv2.invertAffineTransform(to_view).astype(np.float32)
        points[:, :2] = points[:, :2] @ back[:, :2].T + back[:, 2]
        points[:, 2] /= scale
        world = in_world.reshape(21, 3).copy()
        turn = np.array([[math.cos(view.angle), -math.sin(view.angle)], [math.sin(view.angle), math.cos(view.angle)]])
        world[:, :2] = world[:, :2] @ turn.T.astype(np.float32)
        gesture, certainty = self._gesture(points, world, float(right_handed.ravel()[0]))
        return Hand(points[:, :2], gesture, certainty), _view_of_points(points)

    def _gesture(self, points: Floats, world: Floats, right_handed: float) -> tuple[str, float]:
        (embedding,) = self._embedder(_normal(points), np.array([right_handed], np.float32), _normal(world))
        (scores,) = self._gestures(embedding)
        best = int(np.argmax(scores.ravel()))
        certainty = float(scores.ravel()[best])
        return (GESTURES[best], certainty) if certainty >= SURE_GESTURE else ("", certainty)


def _anchors() -> Floats:
    """float32[2016, 2]: two at each of 24 x 24 places, six at each of 12 x 12."""
    parts = []
    for places, each in ((24, 2), (12, 6)):
        y, x = np.divmod(np.arange(places * places), places)
        parts.append(np.repeat(np.stack([x + 0.5, y + 0.5], 1) / places, each, 0))
    return np.concatenate(parts).astype(np.float32)


def _view_of_palm(values: Floats, anchor: Floats, side: int, margin: tuple[int, int], scale: float) -> _View:
    points = values.reshape(-1, 2) / side
    centre, size, keypoints = points[0] + anchor, points[1], points[2:] + anchor
    offset = np.array(margin, np.float32)
    centre, keypoints = (centre * side - offset) / scale, (keypoints * side - offset) / scale
    upwards = keypoints[2] - keypoints[0]
    angle = math.atan2(float(upwards[1]), float(upwards[0])) + math.pi / 2
    long = float(size.max()) * side / scale
    shift = -0.5 * float(size[1]) * side / scale
    x, y = float(centre[0]) - math.sin(angle) * shift, float(centre[1]) + math.cos(angle) * shift
    return _View(x, y, 2.6 * long, angle)


def _view_of_points(points: Floats) -> _View:
    knuckles = ((points[_INDEX] + points[_RING]) / 2 + points[_MIDDLE]) / 2 - points[_WRIST]
    angle = math.atan2(float(knuckles[1]), float(knuckles[0])) + math.pi / 2
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], np.float32)
    upright = points[_PALM, :2] @ turn
    low, high = upright.min(0), upright.max(0)
    middle, size = (low + high) / 2, high - low
    middle[1] -= 0.1 * size[1]
    x, y = (turn @ middle).tolist()
    return _View(x, y, 2.0 * float(size.max()), angle)


def _normal(points: Floats) -> Floats:
    from_wrist = points - points[0]
    longest = max(float(np.ptp(from_wrist[:, 0])), float(np.ptp(from_wrist[:, 1])), 1e-5)
    return np.asarray(from_wrist / longest, np.float32)
