"""A child process and the conversation with it, as the server sees it."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

LOG = "log.txt"
SILENT_S = 120.0
"""A child that has not said for so long that it lives is taken for dead."""

_LONGEST_LINE = 1 << 20
_TAIL = 2_000


class ChildDiedError(Exception):
    """The child ended without an answer; the text says how."""


async def answers_of(
    work: str, work_input: dict[str, Any], folder: Path, niceness: int
) -> AsyncGenerator[dict[str, Any], None]:
    """Do `work` in a child process and yield its answers; the last is `{"result": …}` or `{"error": …}`.

    Closing or cancelling kills the child. Raises `ChildDiedError`.
    """
    with (folder / LOG).open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "visavis.jobs.child", work),
            stdin=PIPE,
            stdout=PIPE,
            stderr=log,
            start_new_session=True,
            limit=_LONGEST_LINE,
        )
    assert process.stdin and process.stdout
    try:
        with suppress(ConnectionError):
            task = {"input": work_input, "folder": str(folder), "niceness": niceness}
            process.stdin.write(json.dumps(task).encode() + b"\n")
            await process.stdin.drain()
        while line := await _line(process.stdout):
            answer = json.loads(line)
            yield answer
            if "result" in answer or "error" in answer:
                return
        raise ChildDiedError(_how_it_ended(await process.wait(), folder / LOG))
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(SILENT_S):
            return await stream.readline()
    except TimeoutError:
        raise ChildDiedError(f"has not moved for {SILENT_S:g} s") from None


def _how_it_ended(status: int, log: Path) -> str:
    with log.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _TAIL))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return f"{how}: {lines[-1]}" if lines else how
