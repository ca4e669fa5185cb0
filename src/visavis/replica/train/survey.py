"""A quick look over a whole video before work begins: is there one face, how large, how well seen, and where?"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.faces import FaceDetector, FaceLandmarker, FoundFace, Landmarks
from visavis.faces.points import LEFT_EYE_OUTER, NOSE_TIP, RIGHT_EYE_OUTER
from visavis.replica import Frame
from visavis.replica.train import Report
from visavis.replica.train.film import Film, glimpses
from visavis.replica.train.stages import share_of

MOST_GLIMPSES = 240
SHORTEST_STEP_S = 1.0

USED_S = 300.0
"""Of longer videos the best stretch of this length is used: more adds little to a face, and much to the time."""

BYSTANDER = 0.35
"""Faces smaller than this share of the largest are pictures on a wall, not people."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What one picture shows."""

    time_s: float
    faces: int
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Left, top, right and bottom of the largest face, pixels."""
    eyes_px: float = 0.0
    """Distance of the outer corners of the eyes."""
    turned: float = 0.0
    """How far the nose is from the middle between the eyes, as a share of their distance: 0 from the front."""
    brightness: float = 0.0
    """Mean of the face, 0 to 255."""
    contrast: float = 0.0
    """Spread of the face's brightness between its dark and its bright twentieth, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Glimpses from beginning to end."""

    glimpses: tuple[Glimpse, ...]

    def stretch(self, duration_s: float) -> tuple[float, float]:
        """Begin and end of the part to be used: all of it, or the `USED_S` with the best faces."""
        if duration_s <= USED_S or not self.glimpses:
            return 0.0, duration_s
        times = np.array([glimpse.time_s for glimpse in self.glimpses])
        worth = np.array([_worth(glimpse) for glimpse in self.glimpses])
        starts = [time for time in times if time <= duration_s - USED_S] or [0.0]
        sums = [worth[(times >= start) & (times < start + USED_S)].sum() for start in starts]
        best = float(starts[int(np.argmax(sums))])
        return best, best + USED_S


def look_over(film: Film, report: Report) -> Survey:
    """Look at up to `MOST_GLIMPSES` pictures, evenly spread."""
    count = int(np.clip(film.duration_s / SHORTEST_STEP_S, 1, MOST_GLIMPSES))
    times = (np.arange(count) + 0.5) * film.duration_s / count
    detector, landmarker = FaceDetector(), FaceLandmarker(blendshapes=False)
    seen = []
    for number, (time_s, picture) in enumerate(zip(times.tolist(), glimpses(film, times.tolist()), strict=False)):
        seen.append(glimpse(time_s, picture, detector, landmarker))
        report(share_of("survey", (number + 1) / count))
    return Survey(tuple(seen))


def glimpse(time_s: float, picture: Frame, detector: FaceDetector, landmarker: FaceLandmarker) -> Glimpse:
    """What a picture shows, from the time `time_s` of its video."""
    found = detector.find(picture)
    if not found:
        return Glimpse(time_s, 0)
    largest = found[0]
    people = sum(face.width > BYSTANDER * largest.width for face in found)
    face = landmarker.measure(picture, largest)
    if face is None:
        return Glimpse(time_s, people, _box(largest))
    right, left, nose = (face.xy[point] for point in (RIGHT_EYE_OUTER, LEFT_EYE_OUTER, NOSE_TIP))
    across = left - right
    eyes_px = float(np.hypot(*across))
    turned = float(((nose - (left + right) / 2) @ across) / max(eyes_px, 1e-6) ** 2)
    low, high = face.xy.min(0), face.xy.max(0)
    grey = cv2.cvtColor(_cut(picture, low, high), cv2.COLOR_BGR2GRAY)
    darkest, brightest = np.percentile(grey, (5, 95)) if grey.size else (0.0, 0.0)
    return Glimpse(
        time_s,
        people,
        (float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        eyes_px,
        turned,
        float(grey.mean()) if grey.size else 0.0,
        float(brightest - darkest),
    )


def _cut(picture: Frame, low: NDArray[np.float32], high: NDArray[np.float32]) -> Frame:
    height, width = picture.shape[:2]
    left, top = np.clip(low, 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(high, (left + 1, top + 1), (width, height)).astype(int)
    return picture[top:bottom, left:right]


def _box(face: FoundFace | Landmarks) -> tuple[float, float, float, float]:
    assert isinstance(face, FoundFace)
    return face.left, face.top, face.left + face.width, face.top + face.height


def _worth(glimpse: Glimpse) -> float:
    """0 to 1: how much a picture like this helps."""
    if glimpse.faces != 1 or glimpse.eyes_px == 0:
        return 0.0
    frontal = max(0.0, 1 - abs(glimpse.turned) / 0.4)
    lit = float(np.clip((glimpse.brightness - 30) / 60, 0, 1))
    return frontal * (0.3 + 0.7 * lit)
