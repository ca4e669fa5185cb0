"""Whether the secret key fits the data, and changing from one key to the next."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Connection, String, Table, cast, insert, select, update

from visavis.store.database import Database
from visavis.store.secrets import SEALED, Secrets
from visavis.store.tables import conversations, jobs, personas, secrets, tools

_CHECK = "key check"
_BATCH = 200
_DOCUMENTS = [
    (personas, personas.c.document),
    (conversations, conversations.c.snapshot),
    (conversations, conversations.c.properties),
    (jobs, jobs.c.input),
    (tools, tools.c.document),
]
"""Every column that holds sealed secrets."""


async def fit_key(database: Database, sealing: Secrets) -> None:
    """Raise `SecretKeyError` if the data was sealed with another key; seal it anew if it was with a former one."""
    if await database.write(lambda connection: _is_former(connection, sealing)):
        for table, column in _DOCUMENTS:
            last: str | None = ""
            while last is not None:
                last = await database.write(_resealing(table, column, last, sealing))
        await database.write(lambda connection: _reseal_named(connection, sealing))


def _is_former(connection: Connection, sealing: Secrets) -> bool:
    check = connection.execute(select(secrets.c.sealed).where(secrets.c.name == _CHECK)).scalar()
    if check is None:
        connection.execute(insert(secrets), {"name": _CHECK, "sealed": sealing.seal(b"visavis")})
        return False
    sealing.open(check)
    return not sealing.is_newest(check)


def _resealing(table: Table, column: Column[Any], after: str, sealing: Secrets) -> Callable[[Connection], str | None]:
    """Work that seals the next rows anew and returns the last one's id, None when there are no more."""

    def work(connection: Connection) -> str | None:
        query = (
            select(table.c.id, column)
            .where(table.c.id > after, cast(column, String).like(f'%"{SEALED}%'))
            .order_by(table.c.id)
            .limit(_BATCH)
            .with_for_update()
        )
        rows = list(connection.execute(query))
        for row in rows:
            anew = sealing.seal_document(sealing.open_document(row[1]))
            connection.execute(update(table).where(table.c.id == row.id).values({column.name: anew}))
        return str(rows[-1].id) if rows else None

    return work


def _reseal_named(connection: Connection, sealing: Secrets) -> None:
    """The check is among them, so that an interrupted change starts again."""
    for row in list(connection.execute(select(secrets))):
        anew = sealing.seal(sealing.open(row.sealed))
        connection.execute(update(secrets).where(secrets.c.name == row.name).values(sealed=anew))
