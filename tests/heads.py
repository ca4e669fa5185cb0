"""Heads for tests of perception: recorded talkers of the GRID corpus, and the same heads turned by known angles."""

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from visavis.faces import FaceLandmarker, Landmarks
from visavis.replica import Frame

ALIGN_UNITS_PER_S = 25_000


def grid_folder() -> Path:
    """The corpus; a test that asks for it is skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("VISAVIS_TEST_DATA", beside))
    if not (folder / "grid_s1").is_dir():
        pytest.skip("recorded talkers are absent: no ../shared/data/grid_s1, nor in $VISAVIS_TEST_DATA")
    return folder


def spoken_span(clip: Path) -> tuple[float, float] | None:
    """When the clip's sentence begins and ends, seconds; None where that was not written down."""
    aligned = clip.with_suffix(".align")
    if not aligned.is_file():
        return None
    rows = [line.split() for line in aligned.read_text().splitlines() if line.strip()]
    words = [(int(start), int(end)) for start, end, word in rows if word not in ("sil", "sp")]
    return words[0][0] / ALIGN_UNITS_PER_S, words[-1][1] / ALIGN_UNITS_PER_S


def clips() -> list[Path]:
    """One clip of every talker, then the other clips of the first one."""
    folder = grid_folder()
    return sorted(folder.glob("grid_others/*.mpg")) + sorted(folder.glob("grid_s1/*.mpg"))


def frames(clip: Path, size: tuple[int, int] = (640, 512)) -> list[Frame]:
    """All frames of a clip, 25 a second."""
    with av.open(str(clip)) as video:
        return [
            np.asarray(cv2.resize(frame.to_ndarray(format="bgr24"), size), np.uint8) for frame in video.decode(video=0)
        ]


Points = NDArray[np.float64]


@cache
def _landmarker() -> FaceLandmarker:
    return FaceLandmarker()


class TurnedHead:
    """A head that can be turned: its points are turned in space, and the picture follows them.

    The picture is moved, not rendered, so beyond 20 degrees it stops looking like a face.
    """

    def __init__(self, frame: Frame) -> None:
        face = _landmarker().measure(frame)
        assert face is not None, "no face in the frame"
        self._frame = frame
        self._points = face.points.astype(np.float64)
        self.face: Landmarks = face
        rows, columns = np.mgrid[0 : frame.shape[0], 0 : frame.shape[1]].astype(np.float32)
        self._grid = columns, rows
        self._step = 8

    def turned(self, yaw_deg: float, pitch_deg: float) -> Frame:
        """The frame with the head turned to the right of the picture and chin down by so much."""
        points = self._points
        centre = points.mean(0)
        radius = float(np.linalg.norm(points[10] - points[152]))
        centre = centre + np.array([0, 0, 0.35 * radius])
        yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
        about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        turned = (points - centre) @ (about_x @ about_y).T + centre
        return self._moved(points[:468, :2], turned[:468, :2], radius)

    def _moved(self, before: Points, after: Points, radius: float) -> Frame:
        """Each pixel near the face comes from where its neighbours among the points come from."""
        height, width = self._frame.shape[:2]
        rows, columns = np.mgrid[0 : height : self._step, 0 : width : self._step]
        places = np.stack([columns.ravel(), rows.ravel()], 1).astype(float)
        distance, nearest = cKDTree(after).query(places, k=8)
        weight = 1 / (distance + 2.0) ** 2
        weight /= weight.sum(1, keepdims=True)
        shift = (weight[..., None] * (before - after)[nearest]).sum(1)
        shift *= np.clip(1.25 - distance[:, :1] / (0.55 * radius), 0, 1)
        shift = shift.reshape(*rows.shape, 2).astype(np.float32)
        dense = cv2.resize(shift, (width, height), interpolation=cv2.INTER_LINEAR)
        moved = cv2.remap(
            self._frame,
            self._grid[0] + dense[..., 0],
            self._grid[1] + dense[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(moved, np.uint8)


def nodding(
    head: TurnedHead, seconds: float, amplitude_deg: float, hertz: float = 2.0, *, shake: bool = False
) -> list[Frame]:
    """25 frames a second of a head that stands still for a third, goes to and fro, and stands still again."""
    made = []
    for number in range(round(seconds * 25)):
        at = number / 25
        inside = seconds / 3 <= at <= 2 * seconds / 3
        swing = amplitude_deg * np.sin(2 * np.pi * hertz * (at - seconds / 3)) if inside else 0.0
        made.append(head.turned(swing, 0.0) if shake else head.turned(0.0, swing))
    return made


def write_camera(path: Path, pictures: Iterable[Frame]) -> Path:
    """A file for Chromium's fake camera, which it plays over and over."""
    with path.open("wb") as file:
        for picture in pictures:
            file.write(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    return path
