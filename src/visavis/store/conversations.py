"""Conversations: what they are, the snapshot they start from, and what happened in them."""

import secrets as random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, not_, select, update

from visavis.store import ids
from visavis.store.database import Database
from visavis.store.paging import Page, Rows, now
from visavis.store.secrets import Secrets, masked
from visavis.store.servers import is_alive
from visavis.store.tables import conversation_log, conversations
from visavis.store.webhooks import NewDelivery, enqueue_all

Status = Literal["active", "ended"]
Json = dict[str, Any]
_rows = Rows(conversations, "conversation", without=("snapshot",))
_SNAPSHOT = _rows.columns(conversations.c.snapshot)
_PROPERTIES = _rows.columns(conversations.c.properties)
_INSERT = insert(conversations)
_LOG = insert(conversation_log)
_LOGGED = (
    select(conversation_log.c.body)
    .where(
        conversation_log.c.conversation_id == bindparam("conversation_id"),
        conversation_log.c.kind == bindparam("log_kind"),
    )
    .order_by(conversation_log.c.id)
)


@dataclass(frozen=True)
class StoredConversation:
    """One conversation, without its snapshot. Secrets in `properties` are `********`."""

    conversation_id: str
    name: str
    status: Status
    persona_id: str | None
    replica_id: str | None
    key_id: str | None
    callback_url: str | None
    nonce: str
    shutdown_reason: str | None
    server_id: str | None
    """The server that runs it, or ran it last; None before somebody has joined."""
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    properties: Json
    metadata: Json


class Conversations:
    """The conversations of a store."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    async def create(
        self,
        *,
        snapshot: Mapping[str, Any],
        persona_id: str | None = None,
        replica_id: str | None = None,
        name: str = "",
        status: Status = "active",
        callback_url: str | None = None,
        key_id: str | None = None,
        properties: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        expires_at: datetime | None = None,
        shutdown_reason: str | None = None,
        conversation_id: str | None = None,
        deliveries: Sequence[NewDelivery] = (),
    ) -> StoredConversation:
        """Store a new conversation, and the webhooks that tell of it, in one transaction.

        `snapshot` is all that is needed to start it, whatever becomes of its persona; `expires_at` is when it ends if
        nobody has joined.
        """
        made = now()
        chosen = conversation_id or ids.conversation_id()
        given = dict(properties or {})
        values = {
            "id": chosen,
            "name": name,
            "status": status,
            "persona_id": persona_id,
            "replica_id": replica_id,
            "key_id": key_id,
            "callback_url": callback_url,
            "nonce": random.token_hex(16),
            "shutdown_reason": shutdown_reason,
            "server_id": None,
            "created_at": made,
            "updated_at": made,
            "expires_at": expires_at,
            "started_at": None,
            "ended_at": made if status == "ended" else None,
            "properties": self._secrets.seal_document(given),
            "metadata": dict(metadata or {}),
            "snapshot": self._secrets.seal_document(dict(snapshot)),
        }

        def work(connection: Connection) -> None:
            connection.execute(_INSERT, values)
            enqueue_all(connection, deliveries)

        await self._database.write(work)
        shown = {column: value for column, value in values.items() if column not in ("id", "snapshot", "properties")}
        return StoredConversation(conversation_id=chosen, properties=masked(given), **shown)

    async def get(self, conversation_id: str) -> StoredConversation:
        """One conversation. Raises `NotFoundError`."""
        return _read(await self._database.read(lambda connection: _rows.one(connection, conversation_id)))

    async def snapshot(self, conversation_id: str) -> Json:
        """What the conversation starts from, its secrets in clear. Raises `NotFoundError`."""
        row = await self._database.read(lambda connection: _rows.one(connection, conversation_id, _SNAPSHOT))
        opened: Json = self._secrets.open_document(row.snapshot)
        return opened

    async def properties(self, conversation_id: str) -> Json:
        """The request's properties with their secrets in clear. Raises `NotFoundError`."""
        row = await self._database.read(lambda connection: _rows.one(connection, conversation_id, _PROPERTIES))
        opened: Json = self._secrets.open_document(row.properties)
        return opened

    async def page(self, *, limit: int = 10, offset: int = 0, status: Status | None = None) -> Page[StoredConversation]:
        """Conversations, newest first."""

        def work(connection: Connection) -> tuple[list[Row[Any]], int]:
            return _rows.page(connection, limit, offset, status), _rows.total(connection, status)

        rows, total = await self._database.read(work)
        return Page(tuple(_read(row) for row in rows), total)

    async def started(
        self, conversation_id: str, deliveries: Sequence[NewDelivery] = (), *, server_id: str | None = None
    ) -> StoredConversation:
        """Somebody joined for the first time, on that server (later calls change nothing). Raises `NotFoundError`."""

        def work(connection: Connection) -> Row[Any]:
            first = conversations.c.id == conversation_id, conversations.c.started_at.is_(None)
            moment = now()
            begun = {"started_at": moment, "updated_at": moment, "expires_at": None, "server_id": server_id}
            change = update(conversations).where(*first).values(begun)
            if connection.execute(change).rowcount:
                enqueue_all(connection, deliveries)
            return _rows.one(connection, conversation_id)

        return _read(await self._database.write(work))

    async def end(
        self,
        conversation_id: str,
        reason: str,
        *,
        events: Sequence[Mapping[str, Any]] = (),
        deliveries: Sequence[NewDelivery] = (),
    ) -> bool:
        """End a conversation together with its last events and webhooks.

        Returns whether this call ended it: an ended one keeps its first reason and stores nothing. Raises
        `NotFoundError`.
        """

        def work(connection: Connection) -> bool:
            moment = now()
            still = conversations.c.id == conversation_id, conversations.c.status == "active"
            ended = {"status": "ended", "shutdown_reason": reason, "ended_at": moment, "updated_at": moment}
            if not connection.execute(update(conversations).where(*still).values(ended)).rowcount:
                _rows.one(connection, conversation_id)
                return False
            _append(connection, conversation_id, "event", events)
            enqueue_all(connection, deliveries)
            return True

        return await self._database.write(work)

    async def expired(self, moment: datetime, limit: int = 100) -> list[str]:
        """Ids of active conversations that nobody joined and whose time to be joined is over."""
        query = (
            select(conversations.c.id)
            .where(
                conversations.c.status == "active",
                conversations.c.deleted_at.is_(None),
                conversations.c.expires_at <= moment,
            )
            .order_by(conversations.c.expires_at)
            .limit(limit)
        )
        return await self._database.read(lambda connection: list(connection.execute(query).scalars()))

    async def abandoned(self) -> list[str]:
        """Ids of active conversations that somebody has joined on a server that is dead: those that were cut off."""
        query = select(conversations.c.id).where(
            conversations.c.status == "active",
            conversations.c.deleted_at.is_(None),
            conversations.c.started_at.is_not(None),
            not_(is_alive(conversations.c.server_id, now())),
        )
        return await self._database.read(lambda connection: list(connection.execute(query).scalars()))

    async def active_count(self, key_id: str) -> int:
        """How many active conversations were made with a key."""
        query = (
            select(func.count())
            .select_from(conversations)
            .where(
                conversations.c.key_id == key_id,
                conversations.c.status == "active",
                conversations.c.deleted_at.is_(None),
            )
        )
        return await self._database.read(lambda connection: int(connection.execute(query).scalar_one()))

    async def delete(self, conversation_id: str, *, hard: bool = False) -> StoredConversation:
        """Remove a conversation from every list; with `hard` everything that is stored of it. Raises `NotFoundError`.

        Returns what it was, for its recordings to be removed.
        """

        def work(connection: Connection) -> Row[Any]:
            row = _rows.one(connection, conversation_id)
            if hard:
                connection.execute(
                    delete(conversation_log).where(conversation_log.c.conversation_id == conversation_id)
                )
                connection.execute(delete(conversations).where(conversations.c.id == conversation_id))
            else:
                gone = update(conversations).where(conversations.c.id == conversation_id)
                connection.execute(gone.values(deleted_at=now()))
            return row

        return _read(await self._database.write(work))

    async def add_events(
        self,
        conversation_id: str,
        events: Sequence[Mapping[str, Any]],
        deliveries: Sequence[NewDelivery] = (),
    ) -> None:
        """Append events and the webhooks that carry them, in one transaction."""

        def work(connection: Connection) -> None:
            _append(connection, conversation_id, "event", events)
            enqueue_all(connection, deliveries)

        await self._database.write(work)

    async def events(self, conversation_id: str) -> list[Json]:
        """Everything that was appended with `add_events` and `end`, in order."""
        return await self._logged(conversation_id, "event")

    async def add_utterances(self, conversation_id: str, utterances: Sequence[Mapping[str, Any]]) -> None:
        """Append to the transcript (`{role, content, ...}`)."""
        await self._log(conversation_id, "utterance", utterances)

    async def transcript(self, conversation_id: str) -> list[Json]:
        """The utterances, in order."""
        return await self._logged(conversation_id, "utterance")

    async def add_latency(self, conversation_id: str, waterfall: Mapping[str, Any]) -> None:
        """Append the waterfall of one turn."""
        await self._log(conversation_id, "latency", [waterfall])

    async def latency(self, conversation_id: str) -> list[Json]:
        """The waterfalls of the turns, in order."""
        return await self._logged(conversation_id, "latency")

    async def _log(self, conversation_id: str, kind: str, bodies: Sequence[Mapping[str, Any]]) -> None:
        await self._database.write(lambda connection: _append(connection, conversation_id, kind, bodies))

    async def _logged(self, conversation_id: str, kind: str) -> list[Json]:
        given = {"conversation_id": conversation_id, "log_kind": kind}
        return await self._database.read(lambda connection: list(connection.execute(_LOGGED, given).scalars()))


def _append(connection: Connection, conversation_id: str, kind: str, bodies: Sequence[Mapping[str, Any]]) -> None:
    if bodies:
        rows = [{"conversation_id": conversation_id, "kind": kind, "body": dict(body)} for body in bodies]
        connection.execute(_LOG, rows)


def _read(row: Row[Any]) -> StoredConversation:
    return StoredConversation(
        row.id,
        row.name,
        row.status,
        row.persona_id,
        row.replica_id,
        row.key_id,
        row.callback_url,
        row.nonce,
        row.shutdown_reason,
        row.server_id,
        row.created_at,
        row.updated_at,
        row.expires_at,
        row.started_at,
        row.ended_at,
        masked(row.properties),
        row.metadata,
    )
