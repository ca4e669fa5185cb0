"""Videos and speeches: what was asked for, how far it is, and the names of the files that came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, update

from visavis.store import ids
from visavis.store.database import Database
from visavis.store.errors import NotFoundError
from visavis.store.paging import Page, Rows, now
from visavis.store.tables import videos

Kind = Literal["video", "speech"]
Status = Literal["queued", "generating", "ready", "error", "deleted"]


@dataclass(frozen=True)
class StoredVideo:
    """One video or speech; `document` holds the request, progress, file names, errors."""

    video_id: str
    name: str
    replica_id: str
    status: Status
    document: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class Videos:
    """The videos, or the speeches, of a store."""

    def __init__(self, database: Database, kind: Kind) -> None:
        self._database = database
        self._kind = kind
        self._rows = Rows(videos, kind)
        self._locked = self._rows.columns(*videos.c).with_for_update()

    async def create(self, *, name: str, replica_id: str, document: Mapping[str, Any]) -> StoredVideo:
        """Store a new one, queued."""
        made = now()
        row = {
            "id": ids.video_id(),
            "kind": self._kind,
            "name": name,
            "replica_id": replica_id,
            "status": "queued",
            "created_at": made,
            "updated_at": made,
            "document": dict(document),
        }
        await self._database.write(lambda connection: connection.execute(insert(videos), row) and None)
        return StoredVideo(str(row["id"]), name, replica_id, "queued", dict(document), made, made)

    async def get(self, video_id: str) -> StoredVideo:
        """One of them. Raises `NotFoundError`."""
        return _read(await self._database.read(lambda connection: self._living(connection, video_id)))

    async def page(self, *, limit: int = 10, offset: int = 0) -> Page[StoredVideo]:
        """All of them, newest first."""

        def work(connection: Connection) -> Page[StoredVideo]:
            rows = self._rows.page(connection, limit, offset, self._kind)
            return Page(tuple(_read(row) for row in rows), self._rows.total(connection, self._kind))

        return await self._database.read(work)

    async def update(
        self,
        video_id: str,
        *,
        name: str | None = None,
        status: Status | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> StoredVideo:
        """Change what is given; `changes` are merged into the document. Raises `NotFoundError`."""

        def work(connection: Connection) -> Row[Any]:
            row = self._living(connection, video_id, lock=True)
            values = {
                "name": row.name if name is None else name,
                "status": row.status if status is None else status,
                "document": {**row.document, **(changes or {})},
                "updated_at": now(),
            }
            connection.execute(update(videos).where(videos.c.id == video_id).values(values))
            return self._living(connection, video_id)

        return _read(await self._database.write(work))

    async def delete(self, video_id: str, *, hard: bool = False) -> StoredVideo:
        """Remove one from the list, with `hard` its row too; returns what it was, for its files to be removed.

        Raises `NotFoundError`.
        """

        def work(connection: Connection) -> Row[Any]:
            row = self._living(connection, video_id)
            if hard:
                connection.execute(delete(videos).where(videos.c.id == video_id))
            else:
                connection.execute(update(videos).where(videos.c.id == video_id).values(deleted_at=now()))
            return row

        return _read(await self._database.write(work))

    def _living(self, connection: Connection, video_id: str, lock: bool = False) -> Row[Any]:
        row = self._rows.one(connection, video_id, self._locked if lock else None)
        if row.kind != self._kind:
            raise NotFoundError(self._kind, video_id)
        return row


def _read(row: Row[Any]) -> StoredVideo:
    return StoredVideo(row.id, row.name, row.replica_id, row.status, row.document, row.created_at, row.updated_at)
