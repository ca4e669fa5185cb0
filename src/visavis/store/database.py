"""What repositories need of a database: run a piece of work in a transaction, on SQLite or on PostgreSQL.

A piece of work is a plain function of a connection. It must have no effect but on the database: it is run again
when PostgreSQL asks for that (a deadlock or a serialisation failure).
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, StatementError

from visavis.errors import BadInputError, VisavisError
from visavis.store.errors import ConflictError, StorageFullError, StoreBusyError, StoreError

T = TypeVar("T")
Work = Callable[[Connection], T]


class Database(Protocol):
    """Runs work. Both methods raise what the work raises, or a `StoreError` that says what is wrong."""

    async def read(self, work: Work[T]) -> T:
        """The result of work that changes nothing."""
        ...

    async def write(self, work: Work[T]) -> T:
        """The result of work in one transaction, once it is safely on disk."""
        ...


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Connect to `sqlite:///path` or `postgresql://user:password@host/name` and bring the schema up to date.

    Raises `BadInputError`, `SchemaError`, `StoreError`.
    """
    from visavis.store.postgresql import postgresql
    from visavis.store.sqlite import sqlite

    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadInputError("VISAVIS_DATABASE_URL", "(not shown)", _EXPECTED_URL) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        opened = sqlite(Path(str(parsed.database)))
    elif backend in ("postgresql", "postgres"):
        opened = postgresql(parsed)
    else:
        raise BadInputError("VISAVIS_DATABASE_URL", f"{backend}:...", _EXPECTED_URL)
    async with opened as database:
        yield database


_EXPECTED_URL = "sqlite:////folder/file.db or postgresql://user:password@host/name"


def for_people(error: Exception) -> Exception:
    """The typed error for what a driver raised; other errors as they are."""
    if isinstance(error, StatementError) and isinstance(error.orig, VisavisError):
        return error.orig  # a value that no database can store
    return _driver_error(error) if isinstance(error, DBAPIError) else error


def _driver_error(error: DBAPIError) -> StoreError:
    reason = str(error.orig).splitlines()[0] if error.orig else "no reason given"
    sqlstate = str(getattr(error.orig, "sqlstate", "") or "")
    if sqlstate in ("53100", "53200") or re.search("disk is full|disk I/O error|No space left", reason):
        return StorageFullError(f"The database could not be written, nothing was stored: {reason}. Is the disk full?")
    if sqlstate in ("55P03", "57014", "53300") or re.search("database is locked|database is busy", reason):
        return StoreBusyError(f"The database is busy: {reason}.")
    if sqlstate == "23505" or "UNIQUE constraint failed" in reason:
        return ConflictError("There is already one with this id.")
    return StoreError(f"The database failed: {reason}.")
