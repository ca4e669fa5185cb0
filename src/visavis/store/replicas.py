"""Replicas: faces with voices, stock ones and those that people train."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from visavis.store import ids
from visavis.store.database import Database
from visavis.store.paging import Page, Rows, now
from visavis.store.tables import replicas

Kind = Literal["user", "system"]
Status = Literal["started", "completed", "error"]
_rows = Rows(replicas, "replica")


@dataclass(frozen=True)
class StoredReplica:
    """One replica; `progress` is 0-100, `bundle` the name of its blob, `document` what else the client sent."""

    replica_id: str
    kind: Kind
    name: str
    model_name: str
    status: Status
    progress: int
    error_message: str | None
    bundle: str | None
    document: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class Replicas:
    """The replicas of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self,
        *,
        name: str,
        model_name: str,
        replica_id: str | None = None,
        kind: Kind = "user",
        status: Status = "started",
        progress: int = 0,
        bundle: str | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> StoredReplica:
        """Store a new replica, or replace the one that has this id (stock replicas at every start)."""
        made = now()
        values = {
            "kind": kind,
            "name": name,
            "model_name": model_name,
            "status": status,
            "progress": progress,
            "error_message": None,
            "bundle": bundle,
            "document": dict(document or {}),
            "deleted_at": None,
        }
        chosen = replica_id or ids.replica_id()

        def work(connection: Connection) -> StoredReplica:
            row = connection.execute(select(replicas).where(replicas.c.id == chosen)).first()
            if row is None:
                new = {**values, "id": chosen, "created_at": made, "updated_at": made}
                connection.execute(insert(replicas).values(new))
            elif any(getattr(row, column) != value for column, value in values.items()):
                connection.execute(
                    update(replicas).where(replicas.c.id == chosen).values({**values, "updated_at": made})
                )
            return _read(_rows.one(connection, chosen))

        return await self._database.write(work)

    async def get(self, replica_id: str) -> StoredReplica:
        """One replica. Raises `NotFoundError`."""
        return _read(await self._database.read(lambda connection: _rows.one(connection, replica_id)))

    async def page(
        self,
        *,
        limit: int = 10,
        offset: int = 0,
        kind: Kind | None = None,
        replica_ids: Sequence[str] | None = None,
        model_name: str | None = None,
    ) -> Page[StoredReplica]:
        """Replicas, newest first."""

        def work(connection: Connection) -> tuple[list[Row[Any]], int]:
            narrow: list[ColumnElement[bool]] = []
            if replica_ids is not None:
                narrow.append(replicas.c.id.in_(replica_ids))
            if model_name is not None:
                narrow.append(replicas.c.model_name == model_name)
            if narrow:
                return _rows.filtered(connection, limit, offset, kind, narrow)
            return _rows.page(connection, limit, offset, kind), _rows.total(connection, kind)

        rows, total = await self._database.read(work)
        return Page(tuple(_read(row) for row in rows), total)

    async def update(
        self,
        replica_id: str,
        *,
        name: str | None = None,
        status: Status | None = None,
        progress: int | None = None,
        error_message: str | None = None,
        bundle: str | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> StoredReplica:
        """Change what is given. Raises `NotFoundError`."""
        given = {
            "name": name,
            "status": status,
            "progress": progress,
            "error_message": error_message,
            "bundle": bundle,
            "document": None if document is None else dict(document),
        }
        values = {column: value for column, value in given.items() if value is not None} | {"updated_at": now()}

        def work(connection: Connection) -> Row[Any]:
            _rows.one(connection, replica_id)
            connection.execute(update(replicas).where(replicas.c.id == replica_id).values(values))
            return _rows.one(connection, replica_id)

        return _read(await self._database.write(work))

    async def delete(self, replica_id: str, *, hard: bool = False) -> StoredReplica:
        """Remove a replica from every list, with `hard` its row too; returns what it was, for its blobs to be removed.

        Raises `NotFoundError`.
        """

        def work(connection: Connection) -> Row[Any]:
            row = _rows.one(connection, replica_id)
            if hard:
                connection.execute(delete(replicas).where(replicas.c.id == replica_id))
            else:
                connection.execute(update(replicas).where(replicas.c.id == replica_id).values(deleted_at=now()))
            return row

        return _read(await self._database.write(work))


def _read(row: Row[Any]) -> StoredReplica:
    return StoredReplica(
        row.id,
        row.kind,
        row.name,
        row.model_name,
        row.status,
        row.progress,
        row.error_message,
        row.bundle,
        row.document,
        row.created_at,
        row.updated_at,
    )
