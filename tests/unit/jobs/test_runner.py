"""Jobs are done in processes of their own, reported, cancelled, and taken up again after every kind of death."""

import asyncio
import os
import signal
import sys
from contextlib import suppress

import psutil
import pytest

from tests.unit.jobs.conftest import KEY, NotingKind
from visavis.jobs import Failure


@pytest.fixture
def go_on(tmp_path):
    """A file whose existence lets the work go on."""
    return tmp_path / "go_on"


def waiting(go_on, at=2):
    return {"numbers": [1, 2, 3, 4], "wait_at": at, "go_on": str(go_on)}


async def test_work_is_done_and_its_files_are_kept(store, running, over, until, tmp_path):
    kind = NotingKind("add_up")
    async with running(kind) as runner:
        job = await store.jobs.add("note", "s1", {"numbers": [1, 2, 3], "go_on": ""})
        runner.wake()
        done = await over(job.job_id)
        await until(job.job_id, lambda job: not (tmp_path / "jobs" / job.job_id).exists())
    assert (done.status, done.progress, done.result["total"]) == ("completed", 100, 6)
    assert (kind.told[0], kind.told[-1]) == ("begin", "finished")
    assert kind.kept["total.txt"] == "6"


async def test_progress_is_told_while_the_work_runs(store, running, over, until, go_on):
    kind = NotingKind("add_up")
    async with running(kind) as runner:
        job = await store.jobs.add("note", "s1", waiting(go_on))
        runner.wake()
        await until(job.job_id, lambda job: job.progress == 50 and kind.told == ["begin", 50])
        go_on.touch()
        await over(job.job_id)


async def test_work_runs_behind_everything_else(store, running, over):
    async with running(NotingKind("where_am_i")) as runner:
        job = await store.jobs.add("note", "s1", {})
        runner.wake()
        done = await over(job.job_id)
    assert done.result["nice"] == 19
    assert done.result["session"]
    assert done.result["pid"] != os.getpid()


async def test_what_libraries_print_is_no_answer(store, running, over):
    async with running(NotingKind("print_a_lot")) as runner:
        job = await store.jobs.add("note", "s1", {})
        runner.wake()
        assert (await over(job.job_id)).result == {"honest": True}


@pytest.mark.parametrize(
    ("function", "error_type", "text"),
    [("cannot", "download_link", "audio_url: nobody is there"), ("refuse", "invalid_input", "expected words")],
)
async def test_failures_have_a_type_and_a_text(store, running, over, function, error_type, text):
    kind = NotingKind(function)
    async with running(kind) as runner:
        job = await store.jobs.add("note", "s1", {})
        runner.wake()
        done = await over(job.job_id)
    failure = kind.told[-1]
    assert isinstance(failure, Failure)
    assert failure.error_type == error_type
    assert text in failure.message
    assert done.error_message == failure.message
    assert done.attempts == 1


async def test_work_that_cannot_begin_fails(store, running, over):
    kind = NotingKind("add_up")
    async with running(kind) as runner:
        job = await store.jobs.add("note", "s1", {"impossible": True})
        runner.wake()
        assert "replica_id" in (await over(job.job_id)).error_message
    assert kind.told[-1].error_type == "invalid_input"


async def test_process_that_died_once_is_started_again(store, running, over):
    async with running(NotingKind("die_once")) as runner:
        job = await store.jobs.add("note", "s1", {})
        runner.wake()
        done = await over(job.job_id)
    assert done.result == {"second": True}
    assert done.attempts == 2


async def test_process_that_always_dies_is_given_up(store, running, over, tmp_path):
    kind = NotingKind("die")
    async with running(kind) as runner:
        job = await store.jobs.add("note", "s1", {})
        runner.wake()
        done = await over(job.job_id)
    assert done.status == "error"
    assert "SIGKILL" in done.error_message
    assert "out of memory, almost" in done.error_message
    assert kind.told[-1].error_type == "worker_crashed"
    assert (tmp_path / "jobs" / "deaths").read_text() == "xxx"


async def test_cancelled_work_is_killed_and_stays_cancelled(store, running, over, until, go_on):
    kind = NotingKind("add_up")
    async with running(kind) as runner:
        job = await store.jobs.add("note", "s1", waiting(go_on))
        other = await store.jobs.add("note", "s2", {"numbers": [7], "go_on": ""})
        runner.wake()
        await until(job.job_id, lambda job: job.progress == 50)
        [child] = children()
        await runner.cancel("s1", "The thing was deleted.")
        assert not child.is_running()
        cancelled = await store.jobs.get(job.job_id)
        assert (cancelled.status, cancelled.error_message) == ("error", "The thing was deleted.")
        assert (await over(other.job_id)).result["total"] == 7
    assert "finished" not in kind.told[:2]


async def test_work_cancelled_elsewhere_is_noticed(store, running, until, go_on, monkeypatch):
    monkeypatch.setattr("visavis.jobs.runner.RENEW_EVERY_S", 0.1)
    async with running(NotingKind("add_up")) as runner:
        job = await store.jobs.add("note", "s1", waiting(go_on))
        runner.wake()
        await until(job.job_id, lambda job: job.progress == 50)
        [child] = children()
        await store.jobs.cancel("s1", "Deleted on another machine.")
        await asyncio.to_thread(child.wait, 20)


async def test_stopped_server_gives_its_jobs_back_and_the_next_goes_on_where_it_was(store, running, over, until, go_on):
    async with running(NotingKind("add_up")) as runner:
        job = await store.jobs.add("note", "s1", waiting(go_on))
        runner.wake()
        await until(job.job_id, lambda job: job.progress == 50)
    assert not children()
    assert (await store.jobs.get(job.job_id)).status == "queued"
    go_on.touch()
    async with running(NotingKind("add_up")):
        done = await over(job.job_id)
    assert done.result == {"total": 10, "steps": ["1", "2", "3", "4"]}


async def test_result_that_could_not_be_kept_is_kept_later_without_doing_the_work_again(store, running, over):
    class FullDisk(NotingKind):
        async def finished(self, job, result, folder):
            self.told.append("tried")
            if self.told.count("tried") == 1:
                raise OSError(28, "No space left on device")
            await super().finished(job, result, folder)

    kind = FullDisk("add_up")
    async with running(kind) as runner:
        job = await store.jobs.add("note", "s1", {"numbers": [5, 6], "go_on": ""})
        runner.wake()
        done = await over(job.job_id)
    assert done.result == {"total": 11, "steps": ["5", "6"]}
    assert kind.told.count("begin") == 1


async def test_jobs_of_other_kinds_are_left_alone(store, running):
    async with running(NotingKind("add_up")) as runner:
        job = await store.jobs.add("training", "s1", {})
        runner.wake()
        await asyncio.sleep(0.3)
        assert (await store.jobs.get(job.job_id)).status == "queued"


SERVER = """
import asyncio, sys
from pathlib import Path
from tests.unit.jobs.conftest import NotingKind
from visavis.jobs.runner import JobRunner
from visavis.store import open_store

async def main(database, blobs, key, folder):
    async with open_store(database, blobs, [key]) as store:
        await JobRunner(store.jobs, [NotingKind("add_up")], Path(folder), lease_s=2.0).run()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_killed_server_takes_its_children_along_and_the_next_server_resumes(
    store, running, over, until, go_on, tmp_path
):
    job = await store.jobs.add("note", "s1", waiting(go_on))
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, f"sqlite:///{tmp_path}/visavis.db", str(tmp_path / "blobs"), KEY),
        str(tmp_path / "jobs"),
    )
    try:
        await until(job.job_id, lambda job: job.progress == 50)
        [child] = psutil.Process(server.pid).children()
        server.send_signal(signal.SIGKILL)
        await server.wait()
        await asyncio.to_thread(child.wait, 20)
    finally:
        with suppress(ProcessLookupError):
            server.kill()
    assert (await store.jobs.get(job.job_id)).status == "running"
    go_on.touch()
    async with running(NotingKind("add_up"), lease_s=2.0):
        done = await over(job.job_id)
    assert done.result == {"total": 10, "steps": ["1", "2", "3", "4"]}
    assert done.attempts == 2


def children():
    """The children that do work for this process."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if any("visavis.jobs.child" in part for part in child.cmdline()):
                found.append(child)
    return found
