"""SQLite: one thread writes, a few read, in one file with a write-ahead log.

Writes that arrive while the disk is busy are committed together: 50 clients wait for one flush of the disk, not for
50. Owns the queue of writes.
"""

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from visavis.errors import BadInputError
from visavis.store.database import Database, T, Work, for_people
from visavis.store.errors import StoreBusyError, StoreError
from visavis.store.migrations import upgrade

_READERS = 3
_LARGEST_GROUP = 64
_MOST_WAITING = 2000
_BUSY_TIMEOUT_S = 10
"""How long to wait for another process that writes to the same file."""


@asynccontextmanager
async def sqlite(path: Path) -> AsyncIterator[Database]:
    """The database in the file `path`, made if there is none; only its owner can read it."""
    _make_file(path)
    engine = _engine(path)
    writer = ThreadPoolExecutor(1, "store-write")
    readers = ThreadPoolExecutor(_READERS, "store-read")
    loop = asyncio.get_running_loop()
    try:
        await loop.run_in_executor(writer, _prepare, path, engine)
        database = SqliteDatabase(engine, writer, readers)
        try:
            yield database
        finally:
            await database.close()
    finally:
        writer.shutdown()
        readers.shutdown()
        engine.dispose()


@dataclass(frozen=True)
class _Waiting:
    work: Work[Any]
    done: asyncio.Future[Any]


@dataclass(frozen=True)
class _Outcome:
    result: Any = None
    error: Exception | None = None


class SqliteDatabase:
    """One file."""

    def __init__(self, engine: Engine, writer: ThreadPoolExecutor, readers: ThreadPoolExecutor) -> None:
        self._connections = _ConnectionPerThread(engine)
        self._writer = writer
        self._readers = readers
        self._waiting: deque[_Waiting] = deque()
        self._committing: asyncio.Task[None] | None = None

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Work[T]) -> T:
        """See `Database.write`. Raises `StoreBusyError` when thousands of writes wait already."""
        if len(self._waiting) >= _MOST_WAITING:
            raise StoreBusyError(f"{_MOST_WAITING} writes wait for the disk already.")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(work, done))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all(), name="store commits")
        return await done

    async def close(self) -> None:
        """Finish the writes that wait, then let go of the file."""
        if self._committing:
            await asyncio.wait([self._committing])
        # Whoever waited for a read may have gone; the thread that reads has not, and SQLite crashes when its file goes.
        await asyncio.to_thread(self._readers.shutdown, cancel_futures=True)
        self._connections.close()

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _LARGEST_GROUP))]
                works = [one.work for one in group]
                try:
                    outcomes = await loop.run_in_executor(self._writer, self._commit, works)
                except Exception as error:  # the store is closed
                    outcomes = [_Outcome(error=error)] * len(works)
                for one, outcome in zip(group, outcomes, strict=True):
                    _settle(one.done, outcome)
        finally:
            self._committing = None

    def _read(self, work: Work[T]) -> T:
        connection = self._connections.get()
        try:
            with connection.begin():
                return work(connection)
        except Exception as error:
            raise for_people(error) from error

    def _commit(self, works: list[Work[Any]]) -> list[_Outcome]:
        """Run each work in its own savepoint of one transaction."""
        connection = self._connections.get(writes=True)
        try:
            with connection.begin():
                outcomes = [_attempt(connection, work) for work in works]
        except Exception as error:  # the transaction as a whole: nothing of it is stored
            return [_Outcome(error=for_people(error))] * len(works)
        return outcomes


def _settle(done: asyncio.Future[Any], outcome: _Outcome) -> None:
    if done.done():  # nobody waits any more
        return
    if outcome.error:
        done.set_exception(outcome.error)
    else:
        done.set_result(outcome.result)


def _attempt(connection: Connection, work: Work[Any]) -> _Outcome:
    savepoint = connection.begin_nested()
    try:
        result = work(connection)
        savepoint.commit()
    except DBAPIError as error:
        if not _in_transaction(connection):
            raise  # SQLite gave up the whole transaction, as it does when the disk is full
        savepoint.rollback()
        return _Outcome(error=for_people(error))
    except Exception as error:
        savepoint.rollback()
        return _Outcome(error=for_people(error))
    return _Outcome(result)


def _in_transaction(connection: Connection) -> bool:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver.in_transaction


class _ConnectionPerThread:
    """Connections stay open: opening one costs more than a query."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._here = threading.local()
        self._all: list[Connection] = []

    def get(self, writes: bool = False) -> Connection:
        connection: Connection | None = getattr(self._here, "connection", None)
        if connection is None:
            connection = self._engine.connect().execution_options(visavis_writes=writes)
            self._here.connection = connection
            self._all.append(connection)
        return connection

    def close(self) -> None:
        for connection in self._all:
            connection.close()


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise BadInputError("VISAVIS_DATA", path, f"a place that can be written ({error.strerror})") from error


def _prepare(path: Path, engine: Engine) -> None:
    try:
        _use_write_ahead_log(path)
        with engine.connect().execution_options(visavis_writes=True) as connection, connection.begin():
            upgrade(connection)
    except DBAPIError as error:
        raise for_people(error) from error
    except sqlite3.Error as error:
        raise StoreError(f"The database {path} cannot be used: {error}.") from error


def _use_write_ahead_log(path: Path) -> None:
    """The file remembers it. Two processes that do this at once get an error, whatever the timeout."""
    with closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)) as driver:
        for attempts_left in reversed(range(50)):
            try:
                driver.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if not attempts_left:
                    raise
                time.sleep(0.1)


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=NullPool,
        connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_S, "isolation_level": None},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(driver: sqlite3.Connection, _record: object) -> None:
    # FULL: what is acknowledged survives also a loss of power.
    driver.execute("PRAGMA synchronous = FULL")
    driver.execute("PRAGMA cache_size = -8192")
    driver.execute("PRAGMA temp_store = MEMORY")


def _begin(connection: Connection) -> None:
    # A transaction that begins with reading and goes on with writing could meet somebody else's write in between.
    writes = connection.get_execution_options().get("visavis_writes", False)
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    try:
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
    except sqlite3.Error as error:
        raise OperationalError("BEGIN", None, error) from error
