"""The `.voice` file: who speaks, who agreed, and how their network differs from the stock one.

One zip of `voice.json` and, for a voice that was trained, `weights.bin`: for every weight of hibari's graph, in the
order of their names, the difference from the stock voice as an integer number of steps. The file holds no graph, so a
stranger's file cannot bring anything that computes; and it takes 2 MB instead of 8.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from visavis.errors import BadInputError
from visavis.layers.tts.hibari_network import HEART_SHA256, read_graph
from visavis.layers.tts.hibari_weights import Floats, Graph
from visavis.layers.tts.manner import Manner
from visavis.replica.consent import Consent

ABOUT, WEIGHTS = "voice.json", "weights.bin"
LARGEST_FILE = 32 << 20
_LARGEST_JSON = 1 << 18
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    ValueError,
    EOFError,
    RecursionError,
    RuntimeError,
    OSError,
)
_EPOCH = (1980, 1, 1, 0, 0, 0)

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class MannerOfVoice(BaseModel):
    """How this voice differs from what its network says; see `visavis.layers.tts.manner.Manner`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    speed: Annotated[_Finite, Field(ge=0.5, le=2)] = 1.0
    pitch_semitones: Annotated[_Finite, Field(ge=-12, le=12)] = 0.0
    pitch_range: Annotated[_Finite, Field(ge=0, le=3)] = 1.0
    energy_db: Annotated[_Finite, Field(ge=-20, le=20)] = 0.0
    transpose: Annotated[_Finite, Field(ge=0.3, le=2)] = 1.0
    throat: Annotated[_Finite, Field(ge=0.7, le=1.4)] = 1.0
    breath_db: Annotated[_Finite, Field(ge=-12, le=12)] = 0.0

    def manner(self) -> Manner:
        """The same, for the network."""
        return Manner(**self.model_dump())


class AboutVoice(BaseModel):
    """`voice.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: Annotated[str, Field(min_length=1, max_length=200)]
    base: Literal["5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"] = HEART_SHA256  # type: ignore[assignment]
    """SHA-256 of the graph that the weights belong to."""
    licence: Annotated[str, Field(min_length=1, max_length=200)] = "all rights reserved by the person heard"
    consent: Consent
    made_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    manner: MannerOfVoice = MannerOfVoice()
    steps: dict[str, Annotated[_Finite, Field(ge=0, le=1)]] = {}
    """What one unit of each weight's difference is; empty for a voice that has the stock one's network."""
    weights_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    figures: dict[str, _Finite] = {}
    """What was measured when it was made."""


class Voice:
    """A voice that can be spoken with, as read from its file."""

    def __init__(self, about: AboutVoice, weights: Mapping[str, Floats] | None) -> None:
        self.about = about
        self.weights = weights

    @classmethod
    def trained(cls, about: AboutVoice, weights: Mapping[str, Floats]) -> "Voice":
        """A voice with these weights, which are not rounded yet."""
        return cls(about, weights)

    def packed(self) -> bytes:
        """The file. Weights are rounded to half of the step that the graph's own 8-bit matrices have."""
        about, packed = self.about, None
        if self.weights is not None:
            base = base_weights()
            steps = {name: _step(name, self.weights[name] - base[name]) for name in base}
            differences = [np.rint((self.weights[name] - base[name]) / steps[name]).ravel() for name in base]
            units = np.clip(np.concatenate(differences), -32767, 32767).astype("<i2")
            packed = zlib.compress(units.view(np.uint8).reshape(-1, 2).T.tobytes(), 6)
            about = about.model_copy(update={"steps": steps, "weights_sha256": hashlib.sha256(packed).hexdigest()})
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(zipfile.ZipInfo(ABOUT, _EPOCH), about.model_dump_json(indent=1))
            if packed is not None:
                archive.writestr(zipfile.ZipInfo(WEIGHTS, _EPOCH), packed)
        return file.getvalue()

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        unfinished = path.with_name(f".{path.name}.unfinished")
        unfinished.write_bytes(self.packed())
        unfinished.replace(path)


def read_voice(data: bytes, field: str = "voice") -> Voice:
    """A voice from the bytes of its file. Raises `BadInputError` that names `field`: files come from strangers."""
    expected = "a .voice file made by `visavis voice train`"
    if len(data) > LARGEST_FILE:
        raise BadInputError(field, f"{len(data)} bytes", f"{expected}, at most {LARGEST_FILE >> 20} MiB")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = _stored(archive, ABOUT, _LARGEST_JSON)
            about = AboutVoice.model_validate(json.loads(text))
            packed = _stored(archive, WEIGHTS, LARGEST_FILE) if about.weights_sha256 else None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInputError(field, f"{ABOUT}: {where}", f"{expected} ({first['msg']})") from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        ValueError,
        RecursionError,
        NotImplementedError,
        OSError,
    ) as error:
        raise BadInputError(field, "a file that cannot be read", f"{expected} ({error})") from None
    return Voice(about, _unpacked(about, packed, field) if packed is not None else None)


def open_voice(path: Path) -> Voice:
    """Read a `.voice` file. Raises `BadInputError`."""
    try:
        return read_voice(path.read_bytes(), str(path))
    except OSError as error:
        raise BadInputError("voice", path, f"a .voice file ({error.strerror})") from None


@cache
def base_weights() -> dict[str, Floats]:
    """The stock voice's weights, by name. Not to be changed."""
    return Graph(read_graph()).weights()


@cache
def _steps_of_base() -> dict[str, float]:
    return Graph(read_graph()).steps()


def _step(name: str, difference: Floats) -> float:
    largest = float(np.abs(difference).max()) or 1.0
    fine = _steps_of_base().get(name)
    return max(largest / 32767, fine / 2) if fine else largest / 127


def _stored(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > most:
        raise ValueError(f"{name} is compressed or too large")
    return archive.read(name)


def _unpacked(about: AboutVoice, packed: bytes, field: str) -> dict[str, Floats]:
    base = base_weights()
    size = 2 * sum(value.size for value in base.values())
    expected = "a .voice file as it was written"
    if hashlib.sha256(packed).hexdigest() != about.weights_sha256:
        raise BadInputError(field, WEIGHTS, f"{expected}; this one is damaged or was changed")
    try:
        planes = zlib.decompressobj().decompress(packed, size + 1)
    except zlib.error as error:
        raise BadInputError(field, WEIGHTS, f"{expected} ({error})") from None
    if len(planes) != size or set(about.steps) != set(base):
        raise BadInputError(field, WEIGHTS, f"{expected}; it has another number of weights")
    units = np.ascontiguousarray(np.frombuffer(planes, np.uint8).reshape(2, -1).T).view("<i2").ravel()
    weights, at = {}, 0
    for name, value in base.items():
        part = units[at : at + value.size].astype(np.float32).reshape(value.shape)
        weights[name] = np.asarray(value + part * np.float32(about.steps[name]), np.float32)
        at += value.size
    return weights
