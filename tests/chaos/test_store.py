"""The store when processes are killed, the database crashes, or the disk is full."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.postgresql import Postgresql, is_installed, running_postgresql
from visavis.store import Store, open_store
from visavis.store.blobs import Blobs
from visavis.store.errors import NotFoundError, StorageFullError, StoreError

pytestmark = pytest.mark.slow

KEY = Fernet.generate_key().decode()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Postgresql]:
    if not is_installed():
        pytest.skip("PostgreSQL is not installed")
    with running_postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/visavis.db"
    server: Postgresql = request.getfixturevalue("postgresql")
    return server.new_database()


@asynccontextmanager
async def writer(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that stores conversations, once it has begun."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.chaos.writer",
        *arguments,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
    )
    try:
        assert await said(process) == "ready"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    return (await process.stdout.readline()).decode().strip()


async def killed_after(process: asyncio.subprocess.Process, count: int) -> list[str]:
    """Everything that the process has acknowledged when it is killed after `count` acknowledgements."""
    assert process.stdout
    acknowledged = [await said(process) for _ in range(count)]
    process.kill()
    rest = (await process.stdout.read()).decode()
    complete = rest[: rest.rfind("\n") + 1]
    return acknowledged + complete.split()


async def check_complete(store: Store, acknowledged: list[str]) -> None:
    """Everything acknowledged is there, whole; what was not acknowledged is there whole or not at all."""
    for name in acknowledged:
        assert len((await store.conversations.snapshot(name))["text"]) == 3500
    total = (await store.conversations.page()).total
    stored = await store.conversations.page(limit=100_000)
    assert total == len(stored.items) == (await store.webhooks.page(status="pending")).total
    assert len(acknowledged) <= total <= len(acknowledged) + 64 * 10


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(database_url: str, tmp_path: Path):
    acknowledged: list[str] = []
    for _ in range(4):
        async with writer(database_url, str(tmp_path), KEY) as process:
            acknowledged += await killed_after(process, random.randint(1, 60))
        async with open_store(database_url, str(tmp_path), [KEY]) as store:
            await check_complete(store, acknowledged)
    assert len(set(acknowledged)) == len(acknowledged) >= 4


async def test_nothing_acknowledged_is_lost_when_postgresql_crashes(postgresql: Postgresql, tmp_path: Path):
    url = postgresql.new_database()
    async with open_store(url, str(tmp_path), [KEY]) as store:
        acknowledged: list[str] = []
        enough = asyncio.Event()

        async def write_until_it_fails() -> None:
            while True:
                text = {"text": "x" * 3500}
                acknowledged.append((await store.conversations.create(snapshot=text)).conversation_id)
                if len(acknowledged) >= 50:
                    enough.set()

        writing = [asyncio.create_task(write_until_it_fails()) for _ in range(8)]
        await enough.wait()
        await asyncio.to_thread(postgresql.stop, signal.SIGQUIT)
        failures = await asyncio.gather(*writing, return_exceptions=True)
        assert all(isinstance(failure, StoreError) for failure in failures), failures
        with pytest.raises(StoreError):
            await store.conversations.page()
        await asyncio.to_thread(postgresql.start)
        # The same store goes on, with new connections.
        for name in acknowledged:
            assert len((await store.conversations.snapshot(name))["text"]) == 3500
        await store.conversations.create(snapshot={})


async def test_full_disk_is_a_clear_error_and_everything_goes_on_when_there_is_space(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/visavis.db"
    async with writer(url, str(tmp_path), KEY, "400000") as process:
        acknowledged: list[str] = []
        while not (line := await said(process)).startswith("error"):
            acknowledged.append(line)
        assert line.startswith("error StorageFullError The database could not be written, nothing was stored")
        assert len(acknowledged) > 5
        assert await said(process) == f"total {len(acknowledged)}"
        assert process.stdin
        process.stdin.write(b"there is space again\n")
        acknowledged += await killed_after(process, 20)
    async with open_store(url, str(tmp_path), [KEY]) as store:
        await check_complete(store, acknowledged)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
async def test_file_that_does_not_fit_leaves_nothing_behind(tmp_path: Path):
    place = tmp_path / "small"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(mounted, check=False, capture_output=True).returncode:  # noqa: ASYNC221
        pytest.skip("file systems cannot be mounted here")
    try:
        blobs = Blobs(str(place))
        await blobs.write("a", b"kept")
        with pytest.raises(StorageFullError, match="'b'"):
            await blobs.write("b", b"x" * 2_000_000)
        with pytest.raises(StorageFullError):
            await blobs.write("a", b"x" * 2_000_000)
        with pytest.raises(NotFoundError):
            await blobs.read("b")
        assert await blobs.read("a") == b"kept"
        assert os.listdir(place) == ["a"]
        await blobs.write("b", b"x" * 500_000)
    finally:
        subprocess.run(["umount", str(place)], check=True)  # noqa: ASYNC221
