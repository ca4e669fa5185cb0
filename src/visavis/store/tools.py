"""Tools that personas share: the JSON document as the client sent it, its secrets encrypted."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from visavis.store import ids
from visavis.store.database import Database
from visavis.store.errors import NotFoundError
from visavis.store.paging import Page, now
from visavis.store.secrets import Secrets, masked, unmasked
from visavis.store.tables import tools

_living = tools.c.deleted_at.is_(None)


@dataclass(frozen=True)
class StoredTool:
    """One tool. In `document` secrets are `********` unless they were asked for."""

    tool_id: str
    document: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class Tools:
    """The tools of a store."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    async def create(self, document: Mapping[str, Any]) -> StoredTool:
        """Store a new tool; `name` in the document is its name."""
        made = now()
        values = {
            "id": ids.tool_id(),
            "name": str(document["name"]),
            "created_at": made,
            "updated_at": made,
            "document": self._secrets.seal_document(dict(document)),
        }
        await self._database.write(lambda connection: connection.execute(insert(tools).values(values)) and None)
        return StoredTool(str(values["id"]), masked(dict(document)), made, made)

    async def get(self, tool_id: str, *, reveal: bool = False) -> StoredTool:
        """One tool; with `reveal` its secrets are in clear. Raises `NotFoundError`."""
        return self._read(await self._database.read(lambda connection: _one(connection, tool_id)), reveal)

    async def documents(self, tool_ids: Sequence[str]) -> list[dict[str, Any]]:
        """The documents of several, in clear and in this order; those that were deleted are left out."""
        found = []
        for tool_id in tool_ids:
            with suppress(NotFoundError):
                found.append((await self.get(tool_id, reveal=True)).document)
        return found

    async def page(
        self, *, limit: int = 10, offset: int = 0, oldest_first: bool = False, wanted: str | None = None
    ) -> Page[StoredTool]:
        """Tools, newest first unless asked otherwise; of those that are `wanted` by id or by a part of their name."""
        order = (tools.c.created_at, tools.c.id)
        which: list[ColumnElement[bool]] = [_living]
        if wanted:
            which.append(or_(tools.c.id == wanted, tools.c.name.icontains(wanted, autoescape=True)))

        def work(connection: Connection) -> tuple[Sequence[Row[Any]], int]:
            query = select(tools).where(*which).limit(limit).offset(offset)
            sorted_query = query.order_by(*(order if oldest_first else (column.desc() for column in order)))
            total = connection.execute(select(func.count()).select_from(tools).where(*which)).scalar_one()
            return connection.execute(sorted_query).all(), int(total)

        rows, total = await self._database.read(work)
        return Page(tuple(self._read(row, reveal=False) for row in rows), total)

    async def replace(self, tool_id: str, document: Mapping[str, Any]) -> StoredTool:
        """Store a changed document. Each `********` in it keeps the secret that is stored. Raises `NotFoundError`."""

        def work(connection: Connection) -> StoredTool:
            row = _one(connection, tool_id)
            whole = unmasked(dict(document), self._secrets.open_document(row.document))
            changed = now()
            values = {"name": whole["name"], "document": self._secrets.seal_document(whole), "updated_at": changed}
            connection.execute(update(tools).where(tools.c.id == tool_id).values(values))
            return StoredTool(tool_id, masked(whole), row.created_at, changed)

        return await self._database.write(work)

    async def delete(self, tool_id: str) -> None:
        """Remove a tool for good. Raises `NotFoundError`."""

        def work(connection: Connection) -> None:
            _one(connection, tool_id)
            connection.execute(delete(tools).where(tools.c.id == tool_id))

        await self._database.write(work)

    def _read(self, row: Row[Any], reveal: bool) -> StoredTool:
        document = self._secrets.open_document(row.document) if reveal else masked(row.document)
        return StoredTool(row.id, document, row.created_at, row.updated_at)


def _one(connection: Connection, tool_id: str) -> Row[Any]:
    row = connection.execute(select(tools).where(tools.c.id == tool_id, _living)).first()
    if row is None:
        raise NotFoundError("tool", tool_id)
    return row
