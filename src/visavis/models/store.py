"""The cache folder: which models lie in it, and whether they are sound. Changed only by `visavis.models.pulling`.

CACHE/NAME/                 the files of one model, complete or absent
CACHE/NAME/onnx/            what was made of them, with `conversion.json` saying by which converter
CACHE/.partial/NAME/        an unfinished download; never read by anybody else
"""

import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from visavis.models.errors import ModelMissingError
from visavis.models.manifest import Manifest, Model, ModelFile

CONVERTED_FOLDER = "onnx"
CONVERSION_RECORD = "conversion.json"
CONVERTER_VERSIONS = {"moonshine-onnx": 1}
"""Raise a number to have everybody's models converted again at the next pull."""


class State(StrEnum):
    """How a model lies in the cache, judged by names and sizes alone."""

    READY = "ready"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNCONVERTED = "not converted"


class ConvertedFile(BaseModel):
    """One file that a conversion wrote."""

    model_config = ConfigDict(frozen=True)
    name: str
    size: int
    sha256: str


class ConversionRecord(BaseModel):
    """`conversion.json`: what was made of a model's files, and by which converter."""

    model_config = ConfigDict(frozen=True)
    conversion: str
    version: int
    files: tuple[ConvertedFile, ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what it should be."""

    path: Path
    problem: str


class ModelStore:
    """The models of `manifest` in the cache folder `folder`."""

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        self.manifest = manifest
        self.folder = folder

    def path(self, name: str) -> Path:
        """Folder of a model that is ready; raises `ModelMissingError` naming the command that gets it."""
        model = self.manifest.model(name)
        match self.state(name):
            case State.READY:
                return self.folder_of(model)
            case State.MISSING:
                raise ModelMissingError(name)
            case State.DAMAGED:
                raise ModelMissingError(name, "is damaged")
            case State.UNCONVERTED:
                raise ModelMissingError(name, "has not been converted")

    def folder_of(self, model: Model) -> Path:
        """Where the files of a model belong, there or not."""
        if model.bundled is None:
            return self.folder / model.name
        spec = importlib.util.find_spec(model.bundled.module)
        if spec is None or not spec.submodule_search_locations:
            return self.folder / model.name
        return Path(next(iter(spec.submodule_search_locations))) / model.bundled.folder

    def partial_folder(self, model: Model) -> Path:
        """Where an unfinished download of a model lies."""
        return self.folder / ".partial" / model.name

    def state(self, name: str) -> State:
        """State of a model by the names and sizes of its files; costs nothing."""
        model = self.manifest.model(name)
        sizes = [_size(path) == size for path, size, _ in self._originals(model)]
        if not all(sizes):
            anything = any(path.exists() for path, _, _ in self._originals(model))
            return State.DAMAGED if anything else State.MISSING
        if model.conversion is None:
            return State.READY
        record = self._record(model)
        if record is None:
            return State.UNCONVERTED
        sound = all(_size(path) == size for path, size, _ in self._converted(model, record))
        return State.READY if sound else State.DAMAGED

    def verify(self, name: str, on_bytes: Callable[[int], None] = lambda _: None) -> list[Damage]:
        """Hash every file of a model again; empty when all are as they should be."""
        model = self.manifest.model(name)
        expected = list(self._originals(model))
        if model.conversion and (record := self._record(model)):
            expected += self._converted(model, record)
        elif model.conversion:
            converted = self.folder_of(model) / CONVERTED_FOLDER
            return [*_damages(expected, on_bytes), Damage(converted, "has not been converted")]
        return list(_damages(expected, on_bytes))

    def sound(self, model: Model, file: ModelFile) -> bool:
        """Whether one downloaded file is there and hashes right."""
        return not list(_damages([(self.folder_of(model) / file.name, file.size, file.sha256)], lambda _: None))

    def _originals(self, model: Model) -> Iterator[tuple[Path, int, str]]:
        folder = self.folder_of(model)
        return ((folder / file.name, file.size, file.sha256) for file in model.files)

    def _converted(self, model: Model, record: ConversionRecord) -> Iterator[tuple[Path, int, str]]:
        folder = self.folder_of(model) / CONVERTED_FOLDER
        return ((folder / file.name, file.size, file.sha256) for file in record.files)

    def _record(self, model: Model) -> ConversionRecord | None:
        assert model.conversion is not None
        path = self.folder_of(model) / CONVERTED_FOLDER / CONVERSION_RECORD
        try:
            record = ConversionRecord.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        current = (model.conversion, CONVERTER_VERSIONS[model.conversion])
        return record if (record.conversion, record.version) == current else None


def sha256(path: Path, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """Hash of a file, as lower-case hexadecimal digits; reports the bytes as they are read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            on_bytes(len(block))
    return digest.hexdigest()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _damages(expected: list[tuple[Path, int, str]], on_bytes: Callable[[int], None]) -> Iterator[Damage]:
    for path, size, digest in expected:
        found = _size(path)
        if found is None:
            yield Damage(path, "is missing")
        elif found != size:
            yield Damage(path, f"has {found:,} bytes instead of {size:,}")
        elif sha256(path, on_bytes) != digest:
            yield Damage(path, "has the right size but a wrong sha256")
