"""What is particular about SQLite: writes in groups, one file for several processes."""

import asyncio
import sqlite3
import stat
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from visavis.store import tables
from visavis.store.database import open_database
from visavis.store.errors import NotFoundError, StoreBusyError
from visavis.store.sqlite import sqlite

ANOTHER_PROCESS = """
import asyncio, sys
from visavis.store import open_store
async def main(folder, key, name):
    async with open_store(f"sqlite:///{folder}/visavis.db", folder, [key]) as store:
        await asyncio.gather(*(store.conversations.create(snapshot={}, name=name) for _ in range(200)))
        for _ in range(50):
            await store.conversations.create(snapshot={}, name=name)
asyncio.run(main(*sys.argv[1:]))
"""


async def test_work_that_fails_takes_nobody_along(tmp_path: Path):
    async with sqlite(tmp_path / "visavis.db") as database:

        def good(connection: Connection) -> None:
            row = {"kind": "k", "subject_id": "s", "quantity": 1, "at": None}
            connection.execute(insert(tables.usage), row | {"at": tables._EPOCH})

        def bad(connection: Connection) -> None:
            good(connection)
            raise NotFoundError("thing", "x")

        outcomes = await asyncio.gather(*(database.write(work) for work in [good, bad] * 20), return_exceptions=True)
        assert [type(one) for one in outcomes] == [type(None), NotFoundError] * 20
        count = await database.read(lambda connection: connection.execute(tables.usage.select()).all())
        assert len(count) == 20


async def test_writes_that_arrive_together_share_a_commit(tmp_path: Path):
    async with sqlite(tmp_path / "visavis.db") as database:
        gate, transactions = threading.Event(), []
        first = asyncio.create_task(database.write(lambda connection: gate.wait(5)))
        await asyncio.sleep(0.05)
        rest = [
            asyncio.create_task(database.write(lambda connection: transactions.append(connection.get_transaction())))
            for _ in range(50)
        ]
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.gather(first, *rest)
        assert len(transactions) == 50
        assert len(set(map(id, transactions))) == 1


async def test_caller_that_gives_up_does_not_stop_the_others(tmp_path: Path):
    async with sqlite(tmp_path / "visavis.db") as database:
        gate = threading.Event()
        first = asyncio.create_task(database.write(lambda connection: gate.wait(5)))
        second = asyncio.create_task(database.write(lambda connection: 2))
        third = asyncio.create_task(database.write(lambda connection: 3))
        await asyncio.sleep(0.05)
        first.cancel()
        second.cancel()
        gate.set()
        assert await asyncio.wait_for(third, 60) == 3
        assert await database.write(lambda connection: 4) == 4


async def test_too_many_waiting_writes_are_refused_and_the_others_done(tmp_path: Path):
    async with sqlite(tmp_path / "visavis.db") as database:
        outcomes = await asyncio.gather(
            *(database.write(lambda connection: "done") for _ in range(2300)), return_exceptions=True
        )
        refused = [one for one in outcomes if isinstance(one, StoreBusyError)]
        assert len(refused) == 300
        assert outcomes.count("done") == 2000


async def test_reading_goes_on_while_somebody_writes(tmp_path: Path):
    async with sqlite(tmp_path / "visavis.db") as database:
        gate = threading.Event()
        writing = asyncio.create_task(database.write(lambda connection: gate.wait(5)))
        await asyncio.sleep(0.05)
        found = await asyncio.wait_for(
            database.read(lambda connection: connection.execute(tables.keys.select()).all()), 5
        )
        assert found == []
        assert not writing.done()
        gate.set()
        await writing


async def test_two_processes_write_to_one_file(tmp_path: Path, secret_key: str):
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", ANOTHER_PROCESS, str(tmp_path), secret_key, name)
        for name in ("one", "two")
    ]
    assert [await process.wait() for process in processes] == [0, 0]
    with sqlite3.connect(tmp_path / "visavis.db") as opened:
        assert opened.execute("SELECT name, count(*) FROM conversations GROUP BY name").fetchall() == [
            ("one", 250),
            ("two", 250),
        ]
        assert opened.execute("SELECT n FROM counts WHERE kind = 'conversations'").fetchall() == [(500,)]


async def test_file_that_somebody_keeps_locked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from visavis.store import sqlite as module

    monkeypatch.setattr(module, "_BUSY_TIMEOUT_S", 0.2)
    path = tmp_path / "visavis.db"
    async with open_database(f"sqlite:///{path}") as database:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="busy"):
            await database.write(lambda connection: None)
        other.execute("ROLLBACK")
        assert await database.write(lambda connection: 1) == 1
        other.close()


async def test_only_the_owner_can_read_the_file(tmp_path: Path):
    path = tmp_path / "folder" / "visavis.db"
    async with sqlite(path):
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
