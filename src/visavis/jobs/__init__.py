"""Long work: queued in the store, done in processes of its own at low priority, taken up again after any crash.

A kind of work has two halves. The **work** is a coroutine function that runs in the child process and knows neither
store nor server: it gets its input and a folder, reports progress, and returns a result. The **kind** (`Kind`) runs in
the server and turns begin, progress, result and failure into rows, files and webhooks.

The folder stays when the work is interrupted and is there again when it is resumed, so work that takes long keeps its
checkpoints in it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from visavis.errors import VisavisError
from visavis.store.jobs import Job

Json: TypeAlias = Mapping[str, Any]

Report: TypeAlias = Callable[[float], None]
"""Told which share of the work is done, 0 to 1. Cheap; may be called for every frame."""

Work: TypeAlias = Callable[[dict[str, Any], Path, Report], Awaitable[dict[str, Any]]]
"""Input, folder and report to a JSON result that names files relative to the folder. Resuming calls it again with
the same input and the same folder. Raises `WorkError`, or any `VisavisError` for failures that trying again would not
mend."""


class WorkError(VisavisError):
    """The work cannot be done; `error_type` is one word of the API's list, such as `download_link`."""

    def __init__(self, error_type: str, text: str) -> None:
        super().__init__(text)
        self.error_type = error_type


@dataclass(frozen=True, slots=True)
class Failure:
    """Why work could not be done: a type for programs, a text for people."""

    error_type: str
    message: str


class Kind(Protocol):
    """The server's half of a kind of work. Its methods may run again after a crash, so they must bear that."""

    @property
    def name(self) -> str:
        """As in the store: `video`, `speech`, ..."""
        ...

    @property
    def work(self) -> str:
        """Where the child finds the work: `package.module:function`."""
        ...

    async def begin(self, job: Job, folder: Path) -> dict[str, Any]:
        """The work's input, as a child is about to begin (or begin again) in `folder`.

        A `BadInputError` means that the work cannot be done.
        """
        ...

    async def progressed(self, job: Job, percent: int) -> None:
        """Told about once a second while `percent` grows."""
        ...

    async def finished(self, job: Job, result: dict[str, Any], folder: Path) -> None:
        """Keep what the work made; afterwards the folder is removed."""
        ...

    async def failed(self, job: Job, failure: Failure) -> None:
        """The work cannot be done."""
        ...
