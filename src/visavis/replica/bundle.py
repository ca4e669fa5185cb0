"""The `.replica` file: a face, packed as one zip of a manifest, pictures and displacement fields.

manifest.json        who it is, and the geometry below
room.png             the background, BGR, frame size
person.png           the person at rest, BGR times opacity and opacity, frame size times `supersampling` ("canvas")
mouth/KEY.png        the mouth region of every key, BGR, canvas pixels
mouth/window.png     how much of the mouth region may move, 0 to 255
mouth/fields.npy     float16[K, 2, h, w, 2]: skin displacement from rest to each key and shape, above and below the
                         lip line, canvas pixels, sampled at the centres of step x step cells
mouth/line.npy       float32[N, 2]: where the lips meet at rest, pixels of the region, left to right
eyes/LEVEL.png       the eye region, from just closing to closed, BGR, canvas pixels
eyes/aperture.png    the visible eyeballs, 0 to 255
head/depth.npy       float16[n, n]: how far in front of the neck every part of the picture lies, frame pixels
head/brows.npy       float16[n, n, 2]: displacement of a full brow raise, frame pixels
"""

import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from visavis.errors import VisavisError

FORMAT = 1

MOST_BYTES = 512 * 2**20
"""All of a bundle, unpacked and decoded: bundles come from strangers, and a small file can unpack to anything."""

_LARGEST_MANIFEST = 2**20
_PNG = b"\x89PNG\r\n\x1a\n"

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]


class BundleError(VisavisError):
    """A `.replica` file cannot be used; the text names the file and what is wrong with it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"replica file {path.name}: {reason}")


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


class MouthManifest(BaseModel):
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


class EyesManifest(BaseModel):
    """The eyes' region and how far closed each of its pictures is, rising to 1."""

    model_config = ConfigDict(frozen=True)

    box: Box
    levels: tuple[float, ...] = Field(min_length=1)


class HeadManifest(BaseModel):
    """Where the head turns (frame pixels), and the rows between which the neck passes motion on to the body."""

    model_config = ConfigDict(frozen=True)

    pivot: tuple[float, float]
    neck_rows: tuple[float, float]


class Manifest(BaseModel):
    """What a bundle says about itself."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1]
    name: str = Field(min_length=1)
    version: str
    licence: str
    maker: str
    fps: int = Field(gt=0)
    size: tuple[int, int]
    supersampling: int = Field(ge=1, le=4)
    mouth: MouthManifest
    eyes: EyesManifest
    head: HeadManifest


@dataclass(frozen=True, slots=True)
class Bundle:
    """A loaded replica file; see this module's text for what each array holds."""

    manifest: Manifest
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


def load(path: Path) -> Bundle:
    """Read and check a bundle. Raises `BundleError`."""
    with _opened(path) as archive:
        manifest = _manifest(path, archive)
        read = _Reader(path, archive)
        width, height = manifest.size
        scale = manifest.supersampling
        mouth, eyes = manifest.mouth, manifest.eyes
        for name, box in (("mouth", mouth.box), ("eyes", eyes.box)):
            if box.x + box.width > width * scale or box.y + box.height > height * scale:
                raise BundleError(path, f"{name}.box in manifest.json reaches beyond the picture")
        mouth_shape, eyes_shape = (mouth.box.height, mouth.box.width), (eyes.box.height, eyes.box.width)
        cells = (mouth.box.height // mouth.step, mouth.box.width // mouth.step)
        return Bundle(
            manifest=manifest,
            room=read.picture("room.png", (height, width, 3)),
            person=read.picture("person.png", (height * scale, width * scale, 4)),
            mouth_keys=tuple(read.picture(f"mouth/{key}.png", (*mouth_shape, 3)) for key in mouth.keys),
            mouth_window=read.picture("mouth/window.png", mouth_shape),
            mouth_fields=read.array("mouth/fields.npy", (len(mouth.names), 2, *cells, 2)),
            lip_line=read.array("mouth/line.npy", (None, 2)),
            eye_levels=tuple(read.picture(f"eyes/{i}.png", (*eyes_shape, 3)) for i in range(len(eyes.levels))),
            eye_aperture=read.picture("eyes/aperture.png", eyes_shape),
            depth=read.array("head/depth.npy", (None, None)),
            brows=read.array("head/brows.npy", (None, None, 2)),
        )


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    if not path.is_file():
        raise BundleError(path, "there is no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise BundleError(path, f"damaged, or not a replica file ({error})") from None


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        if archive.getinfo("manifest.json").file_size > _LARGEST_MANIFEST:
            raise BundleError(path, "manifest.json is too large")
        data: Any = json.loads(archive.read("manifest.json"))
    except KeyError:
        raise BundleError(path, "manifest.json is missing") from None
    except (ValueError, RecursionError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise BundleError(path, f"manifest.json is not JSON ({error})") from None
    if isinstance(data, dict) and data.get("format") != FORMAT:
        raise BundleError(path, f"format {data.get('format')!r} is not known; this version reads format {FORMAT}")
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise BundleError(path, f"{where} in manifest.json: {first['msg']}") from None


class _Reader:
    """Reads the parts of one archive and checks their shapes."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self._left = MOST_BYTES

    def picture(self, name: str, shape: tuple[int, ...]) -> Picture:
        packed = self._bytes(name)
        if not packed.startswith(_PNG) or len(packed) < 33:
            raise BundleError(self._path, f"{name} is not a PNG picture")
        # What decoding would cost is known before: width and height come first in the file.
        width, height = int.from_bytes(packed[16:20]), int.from_bytes(packed[20:24])
        if (height, width) != shape[:2]:
            raise BundleError(self._path, f"{name} has shape {(height, width)}; expected {shape[:2]}, height and width")
        self._spend(width * height * 4)
        picture = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise BundleError(self._path, f"{name} is not a picture")
        if picture.shape != shape or picture.dtype != np.uint8:
            raise BundleError(self._path, f"{name} has shape {picture.shape}; expected {shape}, 8 bits")
        return np.asarray(picture, np.uint8)

    def array(self, name: str, shape: tuple[int | None, ...]) -> Floats:
        packed = self._bytes(name)
        try:
            self._spend(_unpacked_size(packed))
            array = np.load(io.BytesIO(packed), allow_pickle=False)
        except (ValueError, EOFError, MemoryError) as error:
            raise BundleError(self._path, f"{name} is not an array ({error})") from None
        fits = array.ndim == len(shape) and all(
            want in (None, got) for want, got in zip(shape, array.shape, strict=True)
        )
        if not fits:
            raise BundleError(self._path, f"{name} has shape {array.shape}; expected {shape}")
        array = array.astype(np.float32)
        if not np.isfinite(array).all():
            raise BundleError(self._path, f"{name} contains values that are not finite")
        return np.asarray(array, np.float32)

    def _bytes(self, name: str) -> bytes:
        try:
            self._spend(self._archive.getinfo(name).file_size)
            return self._archive.read(name)
        except KeyError:
            raise BundleError(self._path, f"{name} is missing") from None
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
            raise BundleError(self._path, f"{name} cannot be unpacked ({error})") from None

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise BundleError(self._path, f"its parts are larger than {MOST_BYTES // 2**20} MiB in all")


def _unpacked_size(packed: bytes) -> int:
    """Bytes that the array in an .npy file takes, as its header says. Raises `ValueError`."""
    file = io.BytesIO(packed)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return math.prod(shape) * (dtype.itemsize + 4)
