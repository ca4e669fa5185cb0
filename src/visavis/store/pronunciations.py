"""Pronunciation dictionaries that personas share: the JSON document as the client sent it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from visavis.store import ids
from visavis.store.database import Database
from visavis.store.errors import NotFoundError
from visavis.store.paging import Page, now
from visavis.store.tables import pronunciation_dictionaries as table

_living = table.c.deleted_at.is_(None)


@dataclass(frozen=True)
class StoredDictionary:
    """One dictionary: `name` and `rules` are in its document."""

    dictionary_id: str
    document: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class PronunciationDictionaries:
    """The dictionaries of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, document: Mapping[str, Any]) -> StoredDictionary:
        """Store a new one."""
        made = now()
        values: dict[str, Any] = {
            "id": ids.dictionary_id(),
            "created_at": made,
            "updated_at": made,
            "document": dict(document),
        }
        await self._database.write(lambda connection: connection.execute(insert(table).values(values)) and None)
        return StoredDictionary(values["id"], dict(document), made, made)

    async def get(self, dictionary_id: str) -> StoredDictionary:
        """One of them. Raises `NotFoundError`."""
        return _read(await self._database.read(lambda connection: _one(connection, dictionary_id)))

    async def page(self, *, limit: int = 10, offset: int = 0, oldest_first: bool = False) -> Page[StoredDictionary]:
        """Dictionaries, newest first unless asked otherwise."""
        order = (table.c.created_at, table.c.id)

        def work(connection: Connection) -> tuple[Sequence[Row[Any]], int]:
            query = select(table).where(_living).limit(limit).offset(offset)
            sorted_query = query.order_by(*(order if oldest_first else (column.desc() for column in order)))
            total = connection.execute(select(func.count()).select_from(table).where(_living)).scalar_one()
            return connection.execute(sorted_query).all(), int(total)

        rows, total = await self._database.read(work)
        return Page(tuple(map(_read, rows)), total)

    async def replace(self, dictionary_id: str, document: Mapping[str, Any]) -> StoredDictionary:
        """Store a changed document. Raises `NotFoundError`."""

        def work(connection: Connection) -> StoredDictionary:
            row = _one(connection, dictionary_id)
            changed = now()
            values = {"document": dict(document), "updated_at": changed}
            connection.execute(update(table).where(table.c.id == dictionary_id).values(values))
            return StoredDictionary(dictionary_id, dict(document), row.created_at, changed)

        return await self._database.write(work)

    async def delete(self, dictionary_id: str) -> None:
        """Remove one for good. Raises `NotFoundError`."""

        def work(connection: Connection) -> None:
            _one(connection, dictionary_id)
            connection.execute(delete(table).where(table.c.id == dictionary_id))

        await self._database.write(work)


def _read(row: Row[Any]) -> StoredDictionary:
    return StoredDictionary(row.id, row.document, row.created_at, row.updated_at)


def _one(connection: Connection, dictionary_id: str) -> Row[Any]:
    row = connection.execute(select(table).where(table.c.id == dictionary_id, _living)).first()
    if row is None:
        raise NotFoundError("pronunciation dictionary", dictionary_id)
    return row
