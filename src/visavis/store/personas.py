"""Personas: the JSON document as the client sent it, its secrets encrypted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select, update

from visavis.store import ids
from visavis.store.database import Database
from visavis.store.paging import Page, Rows, now
from visavis.store.secrets import Secrets, masked, unmasked
from visavis.store.tables import personas

Kind = Literal["user", "system"]
_rows = Rows(personas, "persona", without=("name",))


@dataclass(frozen=True)
class StoredPersona:
    """One persona. In `document` secrets are `********` unless they were asked for."""

    persona_id: str
    kind: Kind
    document: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class Personas:
    """The personas of a store."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    async def create(
        self, document: Mapping[str, Any], *, kind: Kind = "user", persona_id: str | None = None
    ) -> StoredPersona:
        """Store a new persona; `persona_name` in the document is its name."""
        made = now()
        values = {
            "id": persona_id or ids.persona_id(),
            "kind": kind,
            "name": _name(document),
            "created_at": made,
            "updated_at": made,
            "document": self._secrets.seal_document(dict(document)),
        }
        await self._database.write(lambda connection: connection.execute(insert(personas).values(values)) and None)
        return StoredPersona(str(values["id"]), kind, masked(dict(document)), made, made)

    async def put(self, persona_id: str, document: Mapping[str, Any], *, kind: Kind = "system") -> StoredPersona:
        """Store a persona under a fixed id, replacing what is there; unchanged content is not written again."""

        def work(connection: Connection) -> StoredPersona:
            row = connection.execute(select(personas).where(personas.c.id == persona_id)).first()
            if row is not None and self._is(row, kind, document):
                return self._read(row, reveal=False)
            made = now()
            values = {"kind": kind, "name": _name(document), "updated_at": made, "deleted_at": None}
            values["document"] = self._secrets.seal_document(dict(document))
            if row is None:
                connection.execute(insert(personas).values(id=persona_id, created_at=made, **values))
            else:
                connection.execute(update(personas).where(personas.c.id == persona_id).values(values))
            created = made if row is None else row.created_at
            return StoredPersona(persona_id, kind, masked(dict(document)), created, made)

        return await self._database.write(work)

    async def get(self, persona_id: str, *, reveal: bool = False) -> StoredPersona:
        """One persona; with `reveal` its secrets are in clear. Raises `NotFoundError`."""
        row = await self._database.read(lambda connection: _rows.one(connection, persona_id))
        return self._read(row, reveal)

    async def page(self, *, limit: int = 10, offset: int = 0, kind: Kind | None = None) -> Page[StoredPersona]:
        """Personas, newest first."""

        def work(connection: Connection) -> tuple[list[Row[Any]], int]:
            return _rows.page(connection, limit, offset, kind), _rows.total(connection, kind)

        rows, total = await self._database.read(work)
        return Page(tuple(self._read(row, reveal=False) for row in rows), total)

    async def replace(self, persona_id: str, document: Mapping[str, Any]) -> StoredPersona:
        """Store a changed document. Each `********` in it keeps the secret that is stored. Raises `NotFoundError`."""

        def work(connection: Connection) -> StoredPersona:
            row = _rows.one(connection, persona_id)
            whole = unmasked(dict(document), self._secrets.open_document(row.document))
            changed = now()
            values = {
                "name": _name(document),
                "document": self._secrets.seal_document(whole),
                "updated_at": changed,
            }
            connection.execute(update(personas).where(personas.c.id == persona_id).values(values))
            return StoredPersona(persona_id, row.kind, masked(whole), row.created_at, changed)

        return await self._database.write(work)

    async def delete(self, persona_id: str, *, hard: bool = False) -> None:
        """Remove a persona from every list; with `hard` its data too. Raises `NotFoundError`."""

        def work(connection: Connection) -> None:
            _rows.one(connection, persona_id)
            if hard:
                connection.execute(delete(personas).where(personas.c.id == persona_id))
            else:
                gone = update(personas).where(personas.c.id == persona_id).values(deleted_at=now())
                connection.execute(gone)

        await self._database.write(work)

    def _is(self, row: Row[Any], kind: Kind, document: Mapping[str, Any]) -> bool:
        living = row.kind == kind and row.deleted_at is None
        return living and bool(self._secrets.open_document(row.document) == dict(document))

    def _read(self, row: Row[Any], reveal: bool) -> StoredPersona:
        document = self._secrets.open_document(row.document) if reveal else masked(row.document)
        return StoredPersona(row.id, row.kind, document, row.created_at, row.updated_at)


def _name(document: Mapping[str, Any]) -> str:
    return str(document.get("persona_name") or "")
