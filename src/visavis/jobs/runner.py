"""Takes jobs from the store and has them done. Owner of the child processes of one server.

A job belongs to whoever renews its lease. When a server dies, its children die with it, their leases run out, and the
next server takes the jobs up again in the same folders.
"""

import asyncio
import json
import logging
import os
import shutil
import socket
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress
from itertools import count
from pathlib import Path
from typing import Any

from visavis.errors import BadInputError
from visavis.jobs import Failure, Kind
from visavis.jobs.child import RESULT
from visavis.jobs.process import ChildDiedError, answers_of
from visavis.priority import LONG_WORK
from visavis.store.errors import ConflictError, NotFoundError, StoreError
from visavis.store.jobs import Job, Jobs

_log = logging.getLogger(__name__)

LEASE_S = 30.0
RENEW_EVERY_S = 8.0
POLL_S = 2.0
"""How long jobs that another process added may wait to be noticed."""

CRASHES = 3
"""A job whose children died this often is given up."""

CRASH_PAUSE_S = 2.0


class JobRunner:
    """Does jobs of some kinds, a few at once."""

    def __init__(
        self,
        jobs: Jobs,
        kinds: Sequence[Kind],
        folder: Path,
        at_once: int = 1,
        lease_s: float = LEASE_S,
        niceness: int = LONG_WORK,
    ) -> None:
        """`folder` holds a folder for each unfinished job; every server that shares the store should see the same.

        niceness: how far the children stand back, 0 to 19; see `visavis.priority`.
        """
        self._jobs = jobs
        self._kinds = {kind.name: kind for kind in kinds}
        self._folder = folder
        self._at_once = at_once
        self._lease_s = lease_s
        self._niceness = niceness
        self._numbers = count()
        self._running: dict[str, tuple[Job, asyncio.Task[None]]] = {}
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """A job was added: look at once."""
        self._awake.set()

    async def cancel(self, subject_id: str, reason: str) -> None:
        """End the unfinished jobs of a resource; their children are gone when this returns, if they ran here."""
        await self._jobs.cancel(subject_id, reason)
        mine = [task for job, task in self._running.values() if job.subject_id == subject_id]
        for task in mine:
            task.cancel()
        if mine:
            await asyncio.wait(mine)

    async def run(self) -> None:
        """Do jobs until cancelled; what is unfinished then goes back into the queue."""
        self._folder.mkdir(parents=True, exist_ok=True)
        await self._tidy()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._awake.clear()
                try:
                    while len(self._running) < self._at_once and await self._take(tasks):
                        pass
                except StoreError as error:
                    _log.warning("jobs wait: %s", error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._awake.wait()

    async def _take(self, tasks: asyncio.TaskGroup) -> bool:
        worker = f"{socket.gethostname()}:{os.getpid()}:{next(self._numbers)}"
        job = await self._jobs.claim(list(self._kinds), worker, self._lease_s)
        if job is None:
            return False
        task = tasks.create_task(self._do(job, worker), name=f"job {job.job_id}")
        self._running[job.job_id] = job, task
        return True

    async def _do(self, job: Job, worker: str) -> None:
        try:
            await self._try(job, worker)
        except asyncio.CancelledError:
            # Cancelled jobs are not released: the row says already that they ended.
            with suppress(StoreError):
                await self._jobs.release(worker)
            raise
        except (ConflictError, NotFoundError):
            _log.info("job %s (%s): not ours any more", job.job_id, job.kind)
        except Exception:
            _log.exception("job %s (%s) will be tried again", job.job_id, job.kind)
            await self._try_later(worker)
        finally:
            del self._running[job.job_id]
            with suppress(StoreError):
                await self._tidy_one(job.job_id)
            self._awake.set()

    async def _try(self, job: Job, worker: str) -> None:
        kind = self._kinds[job.kind]
        folder = self._folder / job.job_id
        folder.mkdir(parents=True, exist_ok=True)
        try:
            answer = await self._answer(kind, job, worker, folder)
        except BadInputError as error:
            answer = {"error": {"type": "invalid_input", "message": str(error)}}
        except ChildDiedError as died:
            if job.attempts < CRASHES:
                _log.warning("job %s (%s): its process %s; trying again", job.job_id, job.kind, died)
                await self._try_later(worker)
                return
            answer = {"error": {"type": "worker_crashed", "message": f"The process that did the work {died}."}}
        if "result" in answer:
            await kind.finished(job, answer["result"], folder)
            await self._jobs.complete(job.job_id, worker, answer["result"])
        else:
            failure = Failure(answer["error"]["type"], answer["error"]["message"])
            _log.warning("job %s (%s) failed: %s", job.job_id, job.kind, failure.message)
            await kind.failed(job, failure)
            await self._jobs.fail(job.job_id, worker, failure.message)

    async def _answer(self, kind: Kind, job: Job, worker: str, folder: Path) -> dict[str, Any]:
        """What the child said last, its own answer from before a restart if there is one."""
        with suppress(FileNotFoundError):
            known: dict[str, Any] = json.loads((folder / RESULT).read_text())
            return known
        work_input = await kind.begin(job, folder)
        percent, renewed_at = job.progress, time.monotonic()
        async with aclosing(answers_of(kind.work, work_input, folder, self._niceness)) as answers:
            async for answer in answers:
                if "progress" not in answer:
                    return answer
                # A resumed job may begin below where it was; nobody is shown that.
                now_percent = max(percent, int(100 * answer["progress"]))
                if now_percent == percent and time.monotonic() - renewed_at < RENEW_EVERY_S:
                    continue
                await self._jobs.progress(job.job_id, worker, now_percent, self._lease_s)
                if now_percent > percent:
                    await kind.progressed(job, now_percent)
                percent, renewed_at = now_percent, time.monotonic()
        raise ChildDiedError("said nothing")

    async def _try_later(self, worker: str) -> None:
        await asyncio.sleep(CRASH_PAUSE_S)
        with suppress(StoreError):
            await self._jobs.release(worker)

    async def _tidy(self) -> None:
        for folder in await asyncio.to_thread(lambda: list(self._folder.iterdir())):
            with suppress(StoreError):
                await self._tidy_one(folder.name)

    async def _tidy_one(self, job_id: str) -> None:
        """Remove the folder of a job that is over."""
        try:
            over = (await self._jobs.get(job_id)).status in ("completed", "error")
        except NotFoundError:
            over = True
        if over:
            await asyncio.to_thread(shutil.rmtree, self._folder / job_id, ignore_errors=True)
