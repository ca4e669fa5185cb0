"""What a key-frame replica keeps in its bundle.

key_frames.json      the geometry below
room.webp            the background, BGR, frame size
person.png           the person at rest, BGR times opacity and opacity, frame size times `supersampling` ("canvas")
mouth/KEY.webp       the mouth region of every key, BGR, canvas pixels
mouth/window.png     how much of the mouth region may move, 0 to 255
mouth/fields.npy     float16[K, 2, h, w, 2]: skin displacement from rest to each key and shape, above and below the
                         lip line, canvas pixels, sampled at the centres of step x step cells
mouth/line.npy       float32[N, 2]: where the lips meet at rest, pixels of the region, left to right
eyes/LEVEL.webp      the eye region, from just closing to closed, BGR, canvas pixels
eyes/aperture.png    the visible eyeballs, 0 to 255
head/depth.npy       float16[n, n]: how far in front of the neck every part of the picture lies, frame pixels
head/brows.npy       float16[n, n, 2]: displacement of a full brow raise, frame pixels
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from visavis.replica.bundle import Bundle, Picture

Floats: TypeAlias = NDArray[np.float32]


class Box(BaseModel):
    """A rectangle on the canvas, pixels."""

    model_config = ConfigDict(frozen=True)

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(gt=0)
    height: int = Field(gt=0)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the rectangle."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


class MouthGeometry(BaseModel):
    """The mouth's region and the spacing of its field samples.

    `keys` are mouths with a picture of their own, `sil` (at rest) first; `shapes` move the resting picture.
    """

    model_config = ConfigDict(frozen=True)

    box: Box
    step: int = Field(gt=0)
    keys: tuple[str, ...] = Field(min_length=2)
    shapes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that has a weight, in the order of the weights."""
        return self.keys + self.shapes


class EyesGeometry(BaseModel):
    """The eyes' region and how far closed each of its pictures is, rising to 1."""

    model_config = ConfigDict(frozen=True)

    box: Box
    levels: tuple[float, ...] = Field(min_length=1)


class HeadGeometry(BaseModel):
    """Where the head turns (frame pixels), and the rows between which the neck passes motion on to the body."""

    model_config = ConfigDict(frozen=True)

    pivot: tuple[float, float]
    neck_rows: tuple[float, float]


class Geometry(BaseModel):
    """The part `key_frames.json`."""

    model_config = ConfigDict(frozen=True)

    supersampling: int = Field(ge=1, le=4)
    mouth: MouthGeometry
    eyes: EyesGeometry
    head: HeadGeometry


@dataclass(frozen=True, slots=True)
class KeyFrames:
    """Pictures and fields of one face, loaded; see this module's text for what each array holds."""

    size: tuple[int, int]
    """Width and height of the frames, pixels."""
    geometry: Geometry
    room: Picture
    person: Picture
    mouth_keys: tuple[Picture, ...]
    mouth_window: Picture
    mouth_fields: Floats
    lip_line: Floats
    eye_levels: tuple[Picture, ...]
    eye_aperture: Picture
    depth: Floats
    brows: Floats


def read(bundle: Bundle) -> KeyFrames:
    """Load and check the parts of a bundle. Raises `BundleError`."""
    geometry = bundle.json("key_frames.json", Geometry)
    width, height = bundle.manifest.size
    scale, mouth, eyes = geometry.supersampling, geometry.mouth, geometry.eyes
    for name, box in (("mouth", mouth.box), ("eyes", eyes.box)):
        if box.x + box.width > width * scale or box.y + box.height > height * scale:
            raise bundle.error("key_frames.json", f"has a {name}.box that reaches beyond the picture")
    mouth_shape, eyes_shape = (mouth.box.height, mouth.box.width), (eyes.box.height, eyes.box.width)
    cells = (mouth.box.height // mouth.step, mouth.box.width // mouth.step)
    return KeyFrames(
        size=(width, height),
        geometry=geometry,
        room=bundle.picture("room.webp", (height, width, 3)),
        person=bundle.picture("person.png", (height * scale, width * scale, 4)),
        mouth_keys=tuple(bundle.picture(f"mouth/{key}.webp", (*mouth_shape, 3)) for key in mouth.keys),
        mouth_window=bundle.picture("mouth/window.png", mouth_shape),
        mouth_fields=bundle.array("mouth/fields.npy", (len(mouth.names), 2, *cells, 2)),
        lip_line=bundle.array("mouth/line.npy", (None, 2)),
        eye_levels=tuple(bundle.picture(f"eyes/{i}.webp", (*eyes_shape, 3)) for i in range(len(eyes.levels))),
        eye_aperture=bundle.picture("eyes/aperture.png", eyes_shape),
        depth=bundle.array("head/depth.npy", (None, None)),
        brows=bundle.array("head/brows.npy", (None, None, 2)),
    )
