"""A store and a runner whose kind of work notes what it is told."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from cryptography.fernet import Fernet

from tests import waiting
from visavis.errors import BadInputError
from visavis.jobs import runner as runner_module
from visavis.jobs.runner import JobRunner
from visavis.store import open_store

KEY = Fernet.generate_key().decode()


class NotingKind:
    """Work of `tests.unit.jobs.works`; the job's input names which."""

    def __init__(self, function, name="note"):
        self.name = name
        self.work = f"tests.unit.jobs.works:{function}"
        self.told = []
        self.kept = {}

    async def begin(self, job, folder):
        self.told.append("begin")
        if job.input.get("impossible"):
            raise BadInputError("replica_id", "r0", "one that exists")
        return job.input

    async def progressed(self, job, percent):
        self.told.append(percent)

    async def finished(self, job, result, folder):
        self.kept = {path.name: path.read_text() for path in folder.iterdir() if path.suffix == ".txt"}
        self.told.append("finished")

    async def failed(self, job, failure):
        self.told.append(failure)


@pytest.fixture
async def store(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/visavis.db", str(tmp_path / "blobs"), [KEY]) as opened:
        yield opened


@pytest.fixture
def running(store, tmp_path, monkeypatch):
    """Runs a runner for as long as a block lasts."""
    monkeypatch.setattr(runner_module, "CRASH_PAUSE_S", 0.01)

    @asynccontextmanager
    async def run(*kinds, at_once=1, lease_s=30.0):
        found = JobRunner(store.jobs, kinds, tmp_path / "jobs", at_once, lease_s)
        task = asyncio.create_task(found.run())
        try:
            yield found
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return run


@pytest.fixture
def until(store):
    """Waits until something is true of a job."""

    async def wait(job_id, condition, within_s=60.0):
        return await waiting.until(lambda: store.jobs.get(job_id), condition, within_s)

    return wait


@pytest.fixture
def over(until):
    """Waits until a job is over."""

    async def wait(job_id):
        return await until(job_id, lambda job: job.status in ("completed", "error"))

    return wait
