"""Faces with known expressions, for `benchmarks.perception`: portraits of the GRID talkers, moved by ARKit weights.

A photo replica is made of one still of each talker and drawn with the weights of five expressions, in several
strengths and poses. What is shown is therefore known exactly; it is acted by a renderer, not by the person.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from tests.heads import clips, frames
from visavis.faces.points import ARKIT_NAMES
from visavis.layers.perception.expression import FROWN, SMILE, SNEER, SURPRISE
from visavis.replica import Frame
from visavis.replica.bundle import open_bundle
from visavis.replica.consent import declared
from visavis.replica.life import Pose
from visavis.replica.photo.contents import read
from visavis.replica.photo.renderer import Face, PhotoRenderer
from visavis.replica.train import train_photo

ACTED: Mapping[str, Mapping[str, float]] = {
    "": {},
    SMILE: {"mouthSmile": 0.9, "cheekSquint": 0.5, "mouthDimple": 0.2},
    SURPRISE: {"browInnerUp": 0.9, "browOuterUp": 0.9, "eyeWide": 0.7, "jawOpen": 0.35},
    FROWN: {"browDown": 0.95, "eyeSquint": 0.4, "mouthPress": 0.3},
    SNEER: {"noseSneer": 1.0, "mouthUpperUp": 0.6, "browDown": 0.4, "eyeSquint": 0.5},
}
"""ARKit weights at full strength, after the action units of Ekman and Friesen's FACS: 6+12, 1+2+5+26, 4, 9+10."""

STRENGTHS = (0.6, 0.8, 1.0)
POSES = (Pose(), Pose(yaw_deg=8), Pose(yaw_deg=-8), Pose(pitch_deg=5))


@dataclass(frozen=True, slots=True)
class Acted:
    """One picture whose expression is known."""

    talker: int
    expression: str
    strength: float
    pixels: Frame


def weights(expression: str, strength: float) -> np.ndarray:
    """float32[52] of `visavis.replica.arkit`."""
    made = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, amount in ACTED[expression].items():
        for index, known in enumerate(ARKIT_NAMES):
            if known.removesuffix("Left").removesuffix("Right") == name:
                made[index] = amount * strength
    return made


@cache
def face(talker: int) -> Face:
    """A photo replica of one talker (the order is that of `tests.heads.clips`); about 15 s of processor time."""
    with TemporaryDirectory() as folder:
        photo = Path(folder) / "talker.png"
        cv2.imwrite(str(photo), _sharpened(frames(clips()[talker], (1080, 864))[5]))
        out = photo.with_suffix(".replica")
        consent = declared("A talker of the GRID corpus")
        train_photo(photo, Path(folder) / "work", out, name="Talker", consent=consent, report=lambda _: None)
        with open_bundle(out) as bundle:
            return Face(read(bundle))


def _sharpened(picture: Frame) -> Frame:
    """The corpus' small pictures are soft when enlarged; a portrait has to be in focus."""
    soft = cv2.GaussianBlur(picture, (0, 0), 2.5)
    return np.asarray(cv2.addWeighted(picture, 2.5, soft, -1.5, 0), np.uint8)


def acted(talker: int) -> Iterator[Acted]:
    """All expressions of one talker; the face at rest comes first."""
    renderer = PhotoRenderer(face(talker), None, seed=1)
    for expression in ACTED:
        for strength in STRENGTHS if expression else STRENGTHS[-1:]:
            for pose in POSES:
                yield Acted(talker, expression, strength, renderer.draw(weights(expression, strength), pose))
