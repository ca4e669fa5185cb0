"""Work that child processes do in tests."""

import asyncio
import os
import signal
import sys
import time

from visavis.errors import BadInputError
from visavis.jobs import WorkError


async def add_up(work_input, folder, report):
    """Adds numbers one by one, remembers how far it got, and waits where it is told to."""
    checkpoint = folder / "checkpoint"
    at, total = map(int, checkpoint.read_text().split()) if checkpoint.exists() else (0, 0)
    for number in work_input["numbers"][at:]:
        at, total = at + 1, total + number
        unfinished = folder / "checkpoint.new"
        unfinished.write_text(f"{at} {total}")
        unfinished.replace(checkpoint)
        with (folder / "steps").open("a") as steps:
            steps.write(f"{number}\n")
        report(at / len(work_input["numbers"]))
        while number == work_input.get("wait_at") and not os.path.exists(work_input["go_on"]):  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.05)
    (folder / "total.txt").write_text(str(total))
    return {"total": total, "steps": (folder / "steps").read_text().split()}


async def print_a_lot(work_input, folder, report):
    print("this is no answer")  # noqa: T201
    os.write(1, b'{"result": {"stolen": true}}\n')
    return {"honest": True}


async def where_am_i(work_input, folder, report):
    return {"nice": os.getpriority(os.PRIO_PROCESS, 0), "session": os.getsid(0) == os.getpid(), "pid": os.getpid()}


async def cannot(work_input, folder, report):
    raise WorkError("download_link", "audio_url: nobody is there")


async def refuse(work_input, folder, report):
    raise BadInputError("script", "...", "words")


async def die(work_input, folder, report):
    with (folder.parent / "deaths").open("a") as deaths:
        deaths.write("x")
    print("out of memory, almost", file=sys.stderr)  # noqa: T201
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)  # noqa: ASYNC251


async def die_once(work_input, folder, report):
    if not (folder / "died").exists():
        (folder / "died").write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return {"second": True}
