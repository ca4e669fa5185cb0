"""Would this picture do in a training video? What a camera shows, judged before anything is recorded."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from visavis.errors import BadInputError
from visavis.faces import FaceDetector, FaceLandmarker
from visavis.replica import Frame
from visavis.replica.bundle import pictures
from visavis.replica.train import TrainingError
from visavis.replica.train.checks import check_angle, check_light, check_size
from visavis.replica.train.survey import Glimpse, glimpse

LARGEST_SIDE = 4_096

OFF_CENTRE = 0.17
"""How far the middle of the face may be from that of the picture, as a share of its width."""

ROOM_ABOVE = 0.04
"""Least room over the forehead, as a share of the height."""

About = Literal["person", "size", "place", "angle", "light"]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that is not as it should be; with `must` a training would refuse it."""

    about: About
    text: str
    must: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A picture, what it shows, and what is to be said of that."""

    width: int
    height: int
    seen: Glimpse
    remarks: tuple[Remark, ...]


class Judge:
    """Looks at pictures; about 15 ms each. Belongs to one thread at a time.

    Raises `visavis.models.ModelMissingError`.
    """

    def __init__(self) -> None:
        self._detector, self._landmarker = FaceDetector(), FaceLandmarker(blendshapes=False)

    def look(self, data: bytes) -> Judged:
        """Judge a JPEG, PNG or WebP picture. Raises `BadInputError`."""
        picture = _opened(data)
        height, width = picture.shape[:2]
        seen = glimpse(0.0, picture, self._detector, self._landmarker)
        return Judged(width, height, seen, tuple(_remarks(seen, width, height)))


def _opened(data: bytes) -> Frame:
    expected = f"a JPEG, PNG or WebP picture of at most {LARGEST_SIDE} pixels a side"
    with suppress(ValueError, cv2.error):
        height, width = pictures.size(data)
        if 0 < max(height, width) <= LARGEST_SIDE:
            opened = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            if opened is not None:
                return np.asarray(opened, np.uint8)
    raise BadInputError("body", f"{len(data)} bytes", expected)


def _remarks(seen: Glimpse, width: int, height: int) -> Iterator[Remark]:
    if seen.faces == 0 or seen.eyes_px == 0:
        yield Remark("person", "No face is seen; expected one person who looks at the camera.", True)
        return
    if seen.faces > 1:
        yield Remark("person", f"{seen.faces} faces are seen; expected one person alone.", True)
    yield from _checked("size", check_size, seen)
    left, top, right, _ = seen.box
    if abs((left + right) / 2 - width / 2) > OFF_CENTRE * width:
        yield Remark("place", "The face is at the side; expected it in the middle.", False)
    elif top < ROOM_ABOVE * height:
        yield Remark("place", "The top of the head is cut off; expected room above it.", False)
    yield from _checked("angle", check_angle, seen)
    yield from _checked("light", check_light, seen)


def _checked(about: About, check: Callable[[list[Glimpse]], list[str]], seen: Glimpse) -> Iterator[Remark]:
    try:
        yield from (Remark(about, text, False) for text in check([seen]))
    except TrainingError as error:
        yield Remark(about, str(error), True)
