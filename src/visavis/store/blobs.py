"""Blobs: files of any size under names, in a folder or in any other place that fsspec knows, such as `s3://bucket`."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar

import fsspec  # type: ignore[import-untyped]

from visavis.errors import BadInputError
from visavis.store.errors import NotFoundError, StorageFullError, StoreError

T = TypeVar("T")
_CHUNK_BYTES = 1 << 20


class Blobs:
    """Named files. A blob is there completely or not at all."""

    def __init__(self, url: str) -> None:
        """`url` is a folder or `s3://bucket/prefix`. Raises `BadInputError`."""
        try:
            # Other processes write too: no listing is remembered.
            self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except (ValueError, ImportError) as error:
            raise BadInputError("VISAVIS_BLOBS_URL", url, f"a folder or s3://bucket/prefix ({error})") from error
        self._is_folder = "file" in self._files.protocol

    async def write(self, name: str, source: bytes | Path) -> None:
        """Store bytes, or the content of a local file, under `name`, replacing what was there."""
        await self._do(name, lambda path: self._write(path, source))

    async def read(self, name: str) -> bytes:
        """The whole content. Raises `NotFoundError`."""
        content: bytes = await self._do(name, self._files.cat_file)
        return content

    async def size_bytes(self, name: str) -> int:
        """Its length. Raises `NotFoundError`."""
        return int(await self._do(name, self._files.size))

    async def stream(self, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` until before `end`, in pieces. Raises `NotFoundError`."""
        size = await self.size_bytes(name)
        end = size if end is None else min(end, size)
        for at in range(start, end, _CHUNK_BYTES):
            upto = min(at + _CHUNK_BYTES, end)
            yield await self._do(name, partial(self._files.cat_file, start=at, end=upto))

    async def fetch(self, name: str, target: Path) -> None:
        """Copy a blob to a local file. Raises `NotFoundError`."""
        await self._do(name, lambda path: self._files.get_file(path, str(target)))

    async def delete(self, name: str) -> None:
        """Remove a blob; one that is not there is fine."""
        with suppress(NotFoundError):
            await self._do(name, self._files.rm_file)

    async def exists(self, name: str) -> bool:
        """Whether there is one of this name."""
        return bool(await self._do(name, self._files.exists))

    def local_path(self, name: str) -> Path | None:
        """Where the blob lies, if blobs are kept in a folder."""
        return Path(self._path(name)) if self._is_folder else None

    def _path(self, name: str) -> str:
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or any(part in ("..", ".") or "\0" in part for part in parts):
            raise BadInputError("blob name", name, "a relative name without ..")
        return f"{self._root}/{name}"

    async def _do(self, name: str, work: Callable[[str], T]) -> T:
        path = self._path(name)
        try:
            return await asyncio.to_thread(work, path)
        except FileNotFoundError:
            raise NotFoundError("file", name) from None
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise StorageFullError(f"The file {name!r} could not be stored: {error.strerror}.") from error
            raise StoreError(f"The file {name!r} could not be read or written: {error}.") from error
        except Exception as error:  # of the storage's own library, such as missing credentials
            raise StoreError(f"The file {name!r} could not be read or written: {error}.") from error

    def _write(self, path: str, source: bytes | Path) -> None:
        if self._is_folder:
            _write_file(Path(path), source)
        elif isinstance(source, Path):
            self._files.put_file(str(source), path)
        else:
            self._files.pipe_file(path, source)


_NO_SPACE = (27, 28, 122)
"""EFBIG, ENOSPC, EDQUOT."""


def _write_file(path: Path, source: bytes | Path) -> None:
    """Beside its place first, so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("wb") as stream:
            _copy(source, stream)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
        _flush_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def _copy(source: bytes | Path, target: IO[bytes]) -> None:
    if isinstance(source, bytes):
        target.write(source)
        return
    with source.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            target.write(chunk)


def _flush_folder(folder: Path) -> None:
    """A rename is on disk when its folder is."""
    descriptor: Any = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
