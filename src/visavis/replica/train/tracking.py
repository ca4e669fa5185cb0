"""The face in every picture of a stretch of video, measured once and kept."""

from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.faces import FaceLandmarker, Landmarks
from visavis.faces.points import LEFT_EYE_OUTER, LIPS_INNER, LIPS_OUTER, LOWER_LIP, RIGHT_EYE_OUTER, UPPER_LIP
from visavis.replica import FPS, Frame
from visavis.replica.train import Report
from visavis.replica.train.film import Film, pictures
from visavis.replica.train.stages import share_of

THUMBNAIL, SMALL = (48, 48), (16, 16)

JUMP_SHARE = 0.05
"""A face that moves by more than this share of the distance of its eyes, all of it between two pictures and not before
or after, is another shot."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Track:
    """What was measured, one row for every picture. Where no face was seen, `points` repeat the picture before."""

    points: Floats
    """float32[T, 478, 3], pixels of the film."""
    seen: NDArray[np.bool_]
    change: Floats
    """float32[T]: mean difference of the picture from the one before, grey levels of a thumbnail."""
    sharpness: Floats
    """float32[T]: variance of the Laplacian around the mouth, which falls with blur."""
    inside: Floats
    """float32[T]: how bright the brightest tenth between the lips is, relative to the lips; 0 for closed lips."""
    small: NDArray[np.uint8]
    """uint8[T, 16, 16, 3]: the picture itself, very small: light, hair and posture."""

    @property
    def eyes_px(self) -> Floats:
        """Distance of the outer corners of the eyes, float32[T]."""
        return np.asarray(
            np.linalg.norm(self.points[:, RIGHT_EYE_OUTER, :2] - self.points[:, LEFT_EYE_OUTER, :2], axis=1)
        )

    @property
    def opening(self) -> Floats:
        """Distance of the lips as a share of that of the eyes, float32[T]."""
        gap = np.linalg.norm(self.points[:, UPPER_LIP, :2] - self.points[:, LOWER_LIP, :2], axis=1)
        return np.asarray(gap / np.maximum(self.eyes_px, 1e-6), np.float32)

    def shots(self) -> list[slice]:
        """Stretches without a cut and with the face always seen, longer than half a second."""
        middle = self.points[:, [RIGHT_EYE_OUTER, LEFT_EYE_OUTER], :2].mean(1)
        steps = np.r_[0, np.linalg.norm(np.diff(middle, axis=0), axis=1)] / np.maximum(self.eyes_px, 1e-6)
        usual = _neighbours(steps)
        usual_change = _neighbours(self.change)
        moved = (steps > JUMP_SHARE) & (steps > 4 * usual)
        changed = (self.change > 6) & (self.change > 5 * usual_change)
        subtle = (self.change > 1.5 + 3 * usual_change) & (steps > 0.012 + 3 * usual)
        lost_or_found = np.diff(self.seen, prepend=self.seen[:1])
        edges = [0, *np.nonzero(moved | changed | subtle | lost_or_found)[0].tolist(), len(self.seen)]
        spans = [slice(first, last) for first, last in pairwise(edges)]
        return [span for span in spans if span.stop - span.start > FPS // 2 and self.seen[span].all()]

    def save(self, path: Path) -> None:
        """Keep it; the file is whole or absent."""
        unfinished = path.with_suffix(".unfinished.npz")
        np.savez(unfinished, **{field.name: getattr(self, field.name) for field in fields(self)})
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` kept."""
        with np.load(path) as kept:
            return cls(**{field.name: kept[field.name] for field in fields(cls)})


def follow(film: Film, start_s: float, end_s: float, report: Report) -> Track:
    """Measure the largest face in every picture from `start_s` to `end_s`."""
    landmarker = FaceLandmarker(blendshapes=False)
    expected = max((end_s - start_s) * FPS, 1)
    face: Landmarks | None = None
    before: Frame | None = None
    rows: list[tuple[Floats, bool, float, float, float]] = []
    small: list[Frame] = []
    for picture in pictures(film, start_s, end_s):
        thumbnail = np.asarray(cv2.resize(picture, THUMBNAIL, interpolation=cv2.INTER_AREA))
        change = float(cv2.absdiff(thumbnail, before).mean()) if before is not None else 0.0
        before = thumbnail
        small.append(np.asarray(cv2.resize(thumbnail, SMALL, interpolation=cv2.INTER_AREA), np.uint8))
        if face is None or len(rows) % FPS == 0:
            # Following alone would stay on a wrong face for ever.
            face = landmarker.measure(picture)
        face = (landmarker.measure(picture, face) if face is not None else None) or landmarker.measure(picture)
        if face is None:
            last = rows[-1][0] if rows else np.zeros((478, 3), np.float32)
            rows.append((last, False, change, 0.0, 0.0))
        else:
            rows.append((face.points.copy(), True, change, *_mouth(picture, face.xy)))
        report(share_of("track", len(rows) / expected))
    points, seen, changes, sharpness, inside = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Track(
        np.array(points, np.float32).reshape(-1, 478, 3),
        np.array(seen, np.bool_),
        np.array(changes, np.float32),
        np.array(sharpness, np.float32),
        np.array(inside, np.float32),
        np.array(small, np.uint8).reshape(-1, *SMALL, 3),
    )


def _mouth(picture: Frame, xy: Floats) -> tuple[float, float]:
    """Sharpness around the mouth, and how bright it is between the lips."""
    outer = xy[list(LIPS_OUTER)]
    low, high = outer.min(0), outer.max(0)
    margin = 0.3 * (high[0] - low[0])
    limits = np.array([picture.shape[1], picture.shape[0]])
    left, top = np.clip(low - margin, 0, limits - 2).astype(int)
    right, bottom = np.clip(high + margin, (left + 2, top + 2), limits).astype(int)
    grey = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    # Blur is judged at one size of the face, whatever the film's.
    width = 120
    scaled = cv2.resize(
        grey, (width, max(round(width * grey.shape[0] / grey.shape[1]), 8)), interpolation=cv2.INTER_AREA
    )
    sharpness = float(cv2.Laplacian(scaled, cv2.CV_32F).var())
    inner = xy[list(LIPS_INNER)] - (left, top)
    if inner[:, 1].max() - inner[:, 1].min() < 0.04 * (high[0] - low[0]):
        return sharpness, 0.0
    lips, gap = np.zeros_like(grey), np.zeros_like(grey)
    cv2.fillPoly(lips, [np.round(outer - (left, top)).astype(np.int32)], 255)
    cv2.fillPoly(gap, [np.round(inner).astype(np.int32)], 255)
    red = grey[(lips > 0) & (gap == 0)]
    between = grey[gap > 0]
    if not len(red) or not len(between):
        return sharpness, 0.0
    return sharpness, float(np.percentile(between, 90) / max(float(np.median(red)), 1.0))


def _neighbours(values: NDArray[np.floating]) -> Floats:
    """The median of the four values around each, itself left out."""
    padded = np.pad(values, 2, mode="reflect") if len(values) > 2 else np.pad(values, 2, mode="edge")
    around = np.stack([padded[shift : shift + len(values)] for shift in (0, 1, 3, 4)])
    return np.asarray(np.median(around, axis=0), np.float32)
