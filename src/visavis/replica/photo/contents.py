"""What a replica of one photo keeps in its bundle.

photo.json           the geometry below, in frame pixels
room.webp            the background with the person taken out, BGR, frame size
person.png           the person, BGR times opacity and opacity, frame size times `SUPERSAMPLING` ("canvas")
face/fields.npy      float16[53, 2, h, w, 2]: displacement (x, y) of the skin for each of the 52 ARKit units and for
                         bringing the photo's lips together; above and below the lips; frame pixels, sampled at the
                         centres of `STEP` x `STEP` cells of the box `face`
head/depth.npy       float16[n, n]: how far in front of the neck every part of the frame lies, frame pixels
"""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from visavis.faces.points import ARKIT_NAMES
from visavis.replica.bundle import Bundle, Picture

Floats: TypeAlias = NDArray[np.float32]

SUPERSAMPLING: Final = 2
STEP: Final = 4
"""Frame pixels between the samples of the displacement fields."""

SEAL: Final = len(ARKIT_NAMES)
"""Index of the field that brings the photo's lips together; before it come ARKit's units."""

_Pixel = Annotated[float, Field(ge=-4096, le=8192)]
_Positive = Annotated[float, Field(gt=0, le=4096)]
Point = tuple[_Pixel, _Pixel]
Curve = Annotated[tuple[Point, ...], Field(min_length=3, max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Box(_Part):
    """A rectangle of the frame, pixels."""

    x: int = Field(ge=0, le=4096)
    y: int = Field(ge=0, le=4096)
    width: int = Field(gt=0, le=4096)
    height: int = Field(gt=0, le=4096)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the rectangle."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


class Eye(_Part):
    """One eye in the photo, from left to right in the picture."""

    upper: Curve
    lower: Curve
    """Edges of the lids."""
    iris: Point
    iris_radius: _Positive
    brow: _Pixel
    """Row of the brow's lower edge."""


class Lips(_Part):
    """Edges of the lips where they meet, or would: from the right to the left corner of the person's mouth."""

    upper: Curve
    lower: Curve
    open: bool
    """Whether the photo shows the inside of the mouth."""


class Head(_Part):
    """Where the head turns, and the rows between which the neck passes motion on to the body."""

    pivot: Point
    neck_rows: tuple[_Pixel, _Pixel]


class Light(_Part):
    """How the inside of the mouth is lit to belong to the photo."""

    white: tuple[float, float, float] = Field(description="BGR of a white thing in the light that falls on the face.")
    blur_px: float = Field(ge=0, le=16, description="How soft the photo is, canvas pixels.")


class Geometry(_Part):
    """The part `photo.json`."""

    face: Box
    eyes_px: _Positive
    """Distance between the outer corners of the eyes."""
    roll_deg: float = Field(ge=-45, le=45, description="How far the face is turned clockwise in the photo.")
    head: Head
    lips: Lips
    eyes: tuple[Eye, Eye]
    light: Light
    calm: dict[str, float] = Field({}, description="Weights of units that take the photo's own smile back.")


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """One photo, ready to be moved; see this module's text for what each array holds."""

    size: tuple[int, int]
    geometry: Geometry
    room: Picture
    person: Picture
    fields: Floats
    depth: Floats


def read(bundle: Bundle) -> Portrait:
    """Load and check the parts of a bundle. Raises `BundleError`."""
    width, height = bundle.manifest.size
    geometry = bundle.json("photo.json", Geometry)
    face = geometry.face
    if face.x + face.width > width or face.y + face.height > height:
        raise bundle.error("photo.json", "has a face that reaches beyond the picture")
    if face.width % STEP or face.height % STEP:
        raise bundle.error("photo.json", f"has a face whose sides are not multiples of {STEP}")
    unknown = set(geometry.calm) - set(ARKIT_NAMES)
    if unknown:
        raise bundle.error("photo.json", f"knows {min(unknown)}, which is none of ARKit's units")
    cells = (face.height // STEP, face.width // STEP)
    return Portrait(
        size=(width, height),
        geometry=geometry,
        room=bundle.picture("room.webp", (height, width, 3)),
        person=bundle.picture("person.png", (height * SUPERSAMPLING, width * SUPERSAMPLING, 4)),
        fields=bundle.array("face/fields.npy", (SEAL + 1, 2, *cells, 2)),
        depth=bundle.array("head/depth.npy", (None, None)),
    )
