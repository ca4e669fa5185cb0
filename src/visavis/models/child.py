"""A Python child process that never outlives whoever waits for it."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress


async def run_python(*arguments: str) -> tuple[int, str, str]:
    """Run this Python with `arguments`; gives exit status, standard output and standard error.

    Cancelling kills the child.
    """
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        output, complaints = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace"), complaints.decode(errors="replace")
