"""The process that does one piece of work: `python -m visavis.jobs.child package.module:function`.

It reads one JSON line `{"input": …, "folder": …, "niceness": …}` from standard input and stands back by that niceness,
because calls come first. It writes JSON lines: every second `{"progress": 0.4}`, which also says that it lives, and at
the end `{"result": …}` or `{"error": {"type": …, "message": …}}`. When standard input ends, whoever started it is gone,
and so is it.
"""

import asyncio
import importlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import IO, Any

from visavis.errors import VisavisError
from visavis.jobs import Work, WorkError
from visavis.priority import stand_back

RESULT = "result.json"
"""Written into the folder when the work is done, so that it need not be done again if nobody heard of it."""

BEAT_S = 1.0


def main() -> None:
    """Do the work that standard input describes."""
    answers = _take_standard_output()
    task = json.loads(sys.stdin.readline())
    stand_back(task["niceness"])
    threading.Thread(target=_die_with_parent, daemon=True).start()
    folder = Path(task["folder"])
    with _Heart(answers) as heart:
        answer = _done(_work(sys.argv[1]), task["input"], folder, heart)
    if "result" in answer:
        unfinished = folder / f".{RESULT}"
        unfinished.write_text(json.dumps(answer))
        unfinished.replace(folder / RESULT)
    _write(answers, answer)


def _done(work: Work, work_input: dict[str, Any], folder: Path, heart: "_Heart") -> dict[str, Any]:
    try:
        return {"result": asyncio.run(_run(work, work_input, folder, heart))}
    except VisavisError as error:
        error_type = error.error_type if isinstance(error, WorkError) else "invalid_input"
        return {"error": {"type": error_type, "message": str(error)}}


async def _run(work: Work, work_input: dict[str, Any], folder: Path, heart: "_Heart") -> dict[str, Any]:
    return await work(work_input, folder, heart.report)


class _Heart:
    """Tells the progress every second while it is entered."""

    def __init__(self, answers: IO[str]) -> None:
        self._answers = answers
        self._share = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def report(self, share: float) -> None:
        self._share = share

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            _write(self._answers, {"progress": self._share})

    def __enter__(self) -> "_Heart":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()


def _take_standard_output() -> IO[str]:
    """Libraries print; what they print must not be mistaken for an answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _die_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def _work(place: str) -> Work:
    module, _, function = place.partition(":")
    found: Work = getattr(importlib.import_module(module), function)
    return found


def _write(answers: IO[str], line: dict[str, Any]) -> None:
    answers.write(json.dumps(line) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
