"""Writes `.replica` files: whole, or not at all."""

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from visavis import __version__
from visavis.replica.bundle import pictures
from visavis.replica.bundle.manifest import FORMAT, MANIFEST, Manifest
from visavis.replica.bundle.pictures import LOSSLESS, Picture
from visavis.replica.bundle.reader import PART_NAME, open_bundle
from visavis.replica.consent import Consent

FPS = 25
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PACKED_ALREADY = {".png", ".jpg", ".webp", ".mp4", ".webm"}
_PIECE = 1 << 20


class BundleWriter:
    """A context manager: the file appears, complete, when it is left without an error. For one thread."""

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        renderer: str,
        size: tuple[int, int],
        consent: Consent,
        licence: str = "all rights reserved by the person shown",
        maker: str = f"visavis {__version__}",
        version: str = "1.0.0",
        made_at: datetime | None = None,
    ) -> None:
        """`size` is width and height of the frames; for the other fields see `Manifest`.

        Raises `ValueError` for what a manifest cannot hold.
        """
        self._path = path
        self._about = Manifest(
            format=FORMAT,
            name=name,
            version=version,
            licence=licence,
            maker=maker,
            made_at=made_at or datetime.now(UTC),
            renderer=renderer,
            consent=consent,
            fps=FPS,
            size=size,
            checksums={},
        )
        self._checksums: dict[str, str] = {}

    def json(self, name: str, value: BaseModel | Mapping[str, Any]) -> None:
        """Add a JSON part."""
        data = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        self.part(name, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False).encode())

    def picture(self, name: str, picture: Picture, quality: int = LOSSLESS) -> None:
        """Add a picture: .png (lossless), .webp (lossless without `quality`) or .jpg."""
        self.part(name, pictures.packed(name, picture, quality))

    def array(self, name: str, array: NDArray[Any]) -> None:
        """Add an array as .npy; its own type is kept, so give it the smallest that will do."""
        packed = io.BytesIO()
        np.save(packed, np.ascontiguousarray(array), allow_pickle=False)
        self.part(name, packed.getvalue())

    def file(self, name: str, path: Path) -> None:
        """Add a file as it is."""
        self.part(name, path.read_bytes())

    def part(self, name: str, data: bytes) -> None:
        """Add a part as it is. Raises `ValueError` for names that no bundle can have and parts that are there."""
        if not PART_NAME.fullmatch(name) or name == MANIFEST or name in self._checksums:
            raise ValueError(f"{name!r} cannot be added: not a part's name, or there already")
        self._checksums[name] = hashlib.sha256(data).hexdigest()
        self._put(name, data)

    def _put(self, name: str, data: bytes) -> None:
        packing = zipfile.ZIP_STORED if PurePosixPath(name).suffix in _PACKED_ALREADY else zipfile.ZIP_DEFLATED
        self._archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, packing)

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(prefix=".", suffix=".unfinished", dir=self._path.parent)
        self._unfinished = Path(unfinished)
        self._file = os.fdopen(handle, "wb")
        self._archive = zipfile.ZipFile(self._file, "w")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                manifest = self._about.model_copy(update={"checksums": self._checksums})
                self._put(MANIFEST, manifest.model_dump_json(indent=1).encode())
            self._archive.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if kind is None:
                self._unfinished.chmod(0o644)
                self._unfinished.replace(self._path)
        finally:
            self._file.close()
            self._unfinished.unlink(missing_ok=True)


def add_parts(path: Path, parts: Mapping[str, bytes]) -> None:
    """Add parts to a finished bundle, or replace them; at every moment the file is whole. Raises `BundleError`."""
    with open_bundle(path) as bundle:
        own = bundle.manifest
        writer = BundleWriter(
            path,
            name=own.name,
            renderer=own.renderer,
            size=own.size,
            consent=own.consent,
            licence=own.licence,
            maker=own.maker,
            version=own.version,
            made_at=own.made_at,
        )
        with writer:
            for name in (name for name in own.checksums if name not in parts):
                writer.part(name, bundle.part(name))
            for name, data in parts.items():
                writer.part(name, data)
