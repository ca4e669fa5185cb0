"""Reads `.replica` files, which come from strangers: nothing is unpacked, decoded or believed before it is checked.

A bundle is one zip of parts with short names; its manifest has the SHA-256 of every other part, so a damaged or changed
part is found when it is read.
"""

import hashlib
import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray
from pydantic import BaseModel, ValidationError

from visavis.replica.bundle import pictures
from visavis.replica.bundle.errors import BundleError
from visavis.replica.bundle.manifest import FORMAT, MANIFEST, Manifest
from visavis.replica.bundle.pictures import Picture

MOST_BYTES = 1 << 30
"""All of a bundle, unpacked and decoded."""

MOST_PARTS = 4_096
PART_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*){0,3}", re.ASCII)

_LARGEST_JSON = 1 << 20
_LONGEST_NAME = 120
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)

Model = TypeVar("Model", bound=BaseModel)


class Bundle:
    """An opened bundle. Every method raises `BundleError` that names the part and what is wrong with it."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self._left = MOST_BYTES
        _check_table(path, archive)
        self.manifest = _manifest(path, archive)

    def __contains__(self, name: str) -> bool:
        """Whether there is such a part."""
        return name in self.manifest.checksums

    def part(self, name: str) -> bytes:
        """A part as it is."""
        if name not in self.manifest.checksums:
            raise self.error(name, "is missing")
        try:
            self._spend(self._archive.getinfo(name).file_size)
            data = self._archive.read(name)
        except KeyError:
            raise self.error(name, "is missing") from None
        except _DAMAGED as error:
            raise self.error(name, f"cannot be unpacked ({error})") from None
        if hashlib.sha256(data).hexdigest() != self.manifest.checksums[name]:
            raise self.error(name, "has another checksum than manifest.json says: it is damaged or was changed")
        return data

    def json(self, name: str, model: type[Model]) -> Model:
        """A JSON part, checked against a model."""
        data = self.part(name)
        if len(data) > _LARGEST_JSON:
            raise self.error(name, "is too large")
        return _validated(self.path, name, _parsed(self.path, name, data), model)

    def picture(self, name: str, shape: tuple[int | None, ...]) -> Picture:
        """A picture part as uint8 of this shape: (H, W), (H, W, 3) BGR or (H, W, 4); None where any length will do."""
        data = self.part(name)
        try:
            height, width = pictures.size(data)
            if not _fits((height, width), shape[:2]):
                raise self._shape_error(name, (height, width), shape[:2])
            self._spend(height * width * 4)
            picture = pictures.unpacked(data)
        except ValueError as error:
            raise self.error(name, f"is not a picture ({error})") from None
        if not _fits(picture.shape, shape):
            raise self._shape_error(name, picture.shape, shape)
        return picture

    def array(self, name: str, shape: tuple[int | None, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """An array part (.npy) of this shape, None where any length will do; as `dtype`, which must hold its values.

        Floating-point values are finite.
        """
        data, wanted = self.part(name), np.dtype(dtype)
        try:
            self._spend(_unpacked_size(data, wanted))
            array = np.load(io.BytesIO(data), allow_pickle=False)
        except (ValueError, EOFError, MemoryError, SyntaxError) as error:
            raise self.error(name, f"is not an array ({error})") from None
        if not _fits(array.shape, shape):
            raise self._shape_error(name, array.shape, shape)
        if not np.can_cast(array.dtype, wanted, "safe"):
            raise self.error(name, f"holds values of type {array.dtype}; expected {wanted}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise self.error(name, "contains values that are not finite")
        return np.asarray(array.astype(wanted, copy=False))

    def error(self, name: str, what: str) -> BundleError:
        """For renderers that find more wrong with a part."""
        return BundleError(self.path, f"{name} {what}")

    def _shape_error(self, name: str, got: tuple[int, ...], wanted: tuple[int | None, ...]) -> BundleError:
        shown = ", ".join("any" if side is None else str(side) for side in wanted)
        return self.error(name, f"has shape {tuple(got)}; expected ({shown})")

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise BundleError(self.path, f"its parts are larger than {MOST_BYTES >> 20} MiB in all")


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Open a `.replica` file for reading. Raises `BundleError`."""
    if not path.is_file():
        raise BundleError(path, "there is no such file")
    try:
        archive = zipfile.ZipFile(path)
    except (*_DAMAGED, ValueError) as error:
        raise BundleError(path, f"damaged, or not a replica file ({error})") from None
    with archive:
        yield Bundle(path, archive)


def _check_table(path: Path, archive: zipfile.ZipFile) -> None:
    """The zip's own table of contents: few parts, plain names, nothing twice, nothing that unpacks to too much."""
    entries = archive.infolist()
    if len(entries) > MOST_PARTS:
        raise BundleError(path, f"it has {len(entries)} parts; expected at most {MOST_PARTS}")
    names = [entry.filename for entry in entries]
    for name in names:
        if len(name) > _LONGEST_NAME or not PART_NAME.fullmatch(name):
            expected = "letters, digits, '_', '-', '.' and '/' between"
            raise BundleError(path, f"{name[:_LONGEST_NAME]!r} is no name of a part; expected {expected}")
    if len(set(names)) < len(names):
        raise BundleError(path, "a part is there twice")
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & 1:
            raise BundleError(path, f"{entry.filename} is neither stored nor deflated")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise BundleError(path, f"its parts are larger than {MOST_BYTES >> 20} MiB in all")


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        if archive.getinfo(MANIFEST).file_size > _LARGEST_JSON:
            raise BundleError(path, f"{MANIFEST} is too large")
        data = _parsed(path, MANIFEST, archive.read(MANIFEST))
    except KeyError:
        raise BundleError(path, f"{MANIFEST} is missing") from None
    except _DAMAGED as error:
        raise BundleError(path, f"{MANIFEST} cannot be unpacked ({error})") from None
    if isinstance(data, dict) and data.get("format") != FORMAT:
        raise BundleError(path, f"format {data.get('format')!r} is not known; this version reads format {FORMAT}")
    manifest = _validated(path, MANIFEST, data, Manifest)
    strangers = set(archive.namelist()) - set(manifest.checksums) - {MANIFEST}
    if strangers:
        raise BundleError(path, f"{min(strangers)} has no checksum in {MANIFEST}")
    return manifest


def _parsed(path: Path, name: str, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(path, f"{name} is not JSON ({error})") from None


def _validated(path: Path, name: str, data: Any, model: type[Model]) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "all of it"
        raise BundleError(path, f"{where} in {name}: {first['msg']}") from None


def _fits(got: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(got) == len(wanted) and all(expected in (None, side) for side, expected in zip(got, wanted, strict=True))


def _unpacked_size(data: bytes, wanted: np.dtype[Any]) -> int:
    """Bytes that the array in an .npy file takes, as its header says, also while it is converted."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    converted = 0 if dtype == wanted else wanted.itemsize
    return math.prod(shape) * (dtype.itemsize + converted)
