"""PostgreSQL through asyncpg, with a pool of connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from visavis.store.database import Database, T, Work, for_people
from visavis.store.errors import StoreBusyError, StoreError
from visavis.store.migrations import upgrade

_POOL = 16
_WAIT_FOR_CONNECTION_S = 10
_STATEMENT_TIMEOUT_MS = "20000"
_ATTEMPTS = 4
_RUN_AGAIN = ("40001", "40P01")
"""Serialisation failure, deadlock (PostgreSQL, appendix A)."""
_MIGRATION_LOCK = 0x7669_7361_7669_73


@asynccontextmanager
async def postgresql(url: URL) -> AsyncIterator[Database]:
    """The database at `url`; several processes and machines may use it at once."""
    engine = create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=_POOL,
        max_overflow=0,
        pool_timeout=_WAIT_FOR_CONNECTION_S,
        pool_pre_ping=False,
        connect_args={
            "timeout": _WAIT_FOR_CONNECTION_S,
            "server_settings": {"application_name": "visavis", "statement_timeout": _STATEMENT_TIMEOUT_MS},
        },
    )
    try:
        await _prepare(engine, url)
        yield PostgresqlDatabase(engine)
    finally:
        await engine.dispose()


class PostgresqlDatabase:
    """One database of a server."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # Without a transaction around it, a read is one round trip.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        return await self._run(self._reading, work)

    async def write(self, work: Work[T]) -> T:
        """See `Database.write`."""
        return await self._run(self._engine, work)

    async def _run(self, engine: AsyncEngine, work: Work[T]) -> T:
        for attempts_left in reversed(range(_ATTEMPTS)):
            committing = False
            try:
                async with engine.connect() as connection:
                    result = await connection.run_sync(work)
                    committing = True
                    await connection.commit()
                    return result
            except DBAPIError as error:
                # A connection that broke before the commit has stored nothing: the server was restarted meanwhile.
                broke_before = error.connection_invalidated and not committing
                again = broke_before or getattr(error.orig, "sqlstate", None) in _RUN_AGAIN
                if not again or not attempts_left:
                    raise for_people(error) from error
            except (SQLAlchemyError, OSError) as error:
                raise _unreachable(error) from error
        raise AssertionError("the last attempt returns or raises")


def _unreachable(error: Exception) -> Exception:
    if isinstance(error, TimeoutError) or type(error).__name__ == "TimeoutError":
        return StoreBusyError("All connections to PostgreSQL are in use.")
    if isinstance(error, OSError):
        return StoreError(f"PostgreSQL cannot be reached: {error}.")
    return for_people(error)


async def _prepare(engine: AsyncEngine, url: URL) -> None:
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            await connection.run_sync(upgrade)
    except (SQLAlchemyError, OSError) as error:
        where = url.render_as_string(hide_password=True)
        raise StoreError(f"PostgreSQL at {where} cannot be used: {_first_line(error)}.") from error
    except Exception as error:
        if type(error).__module__.startswith("asyncpg"):
            where = url.render_as_string(hide_password=True)
            raise StoreError(f"PostgreSQL at {where} cannot be used: {_first_line(error)}.") from error
        raise


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
