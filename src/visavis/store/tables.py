"""The schema, as the newest migration leaves it. Only repositories use these tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    text,
)

from visavis.errors import BadInputError

metadata = MetaData()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware datetime in UTC, stored as microseconds since 1970, so that it sorts alike on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


class Text(TypeDecorator[str]):
    """Text that every database can store: PostgreSQL has no character 0, and UTF-8 no lone surrogates."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is not None:
            if "\0" in value:
                raise BadInputError("text", value, "text without the character U+0000")
            try:
                value.encode()
            except UnicodeEncodeError:
                raise BadInputError("text", value, "valid Unicode, without lone surrogates") from None
        return value


_Counter = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows itself only in an INTEGER key


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _moment(name: str, nullable: bool = False) -> Column[datetime]:
    return Column(name, Moment, nullable=nullable)


def _json(name: str, nullable: bool = False) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=nullable)


_LIVING = text("deleted_at IS NULL")


def _newest_first(table: Table, *leading: str) -> None:
    """Index for pages of what is not deleted, newest first; ids make the order total."""
    name = "_".join(("ix", table.name, *leading, "newest"))
    columns = [*(table.c[one] for one in leading), table.c.created_at.desc(), table.c.id.desc()]
    Index(name, *columns, sqlite_where=_LIVING, postgresql_where=_LIVING)


personas = Table(
    "personas",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),  # user, system
    Column("name", Text, nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    _moment("deleted_at", nullable=True),
    _json("document"),
)
_newest_first(personas)
_newest_first(personas, "kind")

replicas = Table(
    "replicas",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),  # user, system
    Column("name", Text, nullable=False),
    Column("model_name", Text, nullable=False),
    Column("status", Text, nullable=False),  # started, completed, error
    Column("progress", Integer, nullable=False),
    Column("error_message", Text),
    Column("bundle", Text),  # name of the blob
    _moment("created_at"),
    _moment("updated_at"),
    _moment("deleted_at", nullable=True),
    _json("document"),
)
_newest_first(replicas)
_newest_first(replicas, "kind")

conversations = Table(
    "conversations",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),  # active, ended
    Column("persona_id", Text),
    Column("replica_id", Text),
    Column("key_id", Text),
    Column("callback_url", Text),
    Column("nonce", Text, nullable=False),
    Column("shutdown_reason", Text),
    Column("server_id", Text),  # which runs it, or ran it last
    _moment("created_at"),
    _moment("updated_at"),
    _moment("expires_at", nullable=True),
    _moment("started_at", nullable=True),
    _moment("ended_at", nullable=True),
    _moment("deleted_at", nullable=True),
    _json("properties"),
    _json("metadata"),
    _json("snapshot"),
)
_newest_first(conversations)
_newest_first(conversations, "status")
_ACTIVE = text("status = 'active' AND deleted_at IS NULL")
Index("ix_conversations_active_key", conversations.c.key_id, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)
Index("ix_conversations_active_expiry", conversations.c.expires_at, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)

conversation_log = Table(
    "conversation_log",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("conversation_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # event, utterance, latency
    _json("body"),
)
Index("ix_conversation_log", conversation_log.c.conversation_id, conversation_log.c.kind, conversation_log.c.id)

counts = Table(
    "counts",
    metadata,
    # Kept by triggers, so that total_count of a list costs the same at any size of the table. On PostgreSQL each
    # connection has its own rows (shard), so that writers do not wait for each other.
    Column("kind", Text, primary_key=True),
    Column("bucket", Text, primary_key=True),
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("key_id", Text),
    Column("quantity", Float, nullable=False),
    _moment("at"),
)
Index("ix_usage_at", usage.c.at)

keys = Table(
    "keys",
    metadata,
    _id(),
    Column("hash", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("hint", Text, nullable=False),
    _json("scopes"),
    _json("networks"),
    Column("max_conversations", Integer),
    Column("requests_per_minute", Integer),
    _moment("created_at"),
    _moment("expires_at", nullable=True),
    _moment("last_used_at", nullable=True),
    _moment("revoked_at", nullable=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    Column("url", Text, nullable=False),
    Column("receiver", Text, nullable=False),  # scheme, host and port of the URL
    Column("event_type", Text, nullable=False),
    Column("conversation_id", Text),
    Column("status", Text, nullable=False),  # pending, delivered, dead
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    _moment("created_at"),
    _moment("due_at"),
    _moment("finished_at", nullable=True),
    _json("body"),
)
Index("ix_deliveries_status_newest", deliveries.c.status, deliveries.c.created_at.desc(), deliveries.c.id.desc())
Index(
    "ix_deliveries_due",
    deliveries.c.due_at,
    sqlite_where=text("status = 'pending'"),
    postgresql_where=text("status = 'pending'"),
)

Index(
    "ix_deliveries_order",
    deliveries.c.conversation_id,
    deliveries.c.url,
    deliveries.c.created_at,
    sqlite_where=text("status = 'pending'"),
    postgresql_where=text("status = 'pending'"),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("status", Text, nullable=False),  # queued, running, completed, error
    Column("progress", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("worker", Text),
    Column("error_message", Text),
    _moment("created_at"),
    _moment("updated_at"),
    _moment("leased_until", nullable=True),
    _json("input"),
    _json("result", nullable=True),
)
Index("ix_jobs_subject", jobs.c.subject_id)
_UNFINISHED = text("status IN ('queued', 'running')")
Index("ix_jobs_unfinished", jobs.c.created_at, sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED)

videos = Table(
    "videos",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),  # video, speech
    Column("name", Text, nullable=False),
    Column("replica_id", Text, nullable=False),
    Column("status", Text, nullable=False),  # queued, generating, ready, error, deleted
    _moment("created_at"),
    _moment("updated_at"),
    _moment("deleted_at", nullable=True),
    _json("document"),
)
_newest_first(videos, "kind")

tools = Table(
    "tools",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    _moment("deleted_at", nullable=True),
    _json("document"),
)
_newest_first(tools)

pronunciation_dictionaries = Table(
    "pronunciation_dictionaries",
    metadata,
    _id(),
    _moment("created_at"),
    _moment("updated_at"),
    _moment("deleted_at", nullable=True),
    _json("document"),
)
_newest_first(pronunciation_dictionaries)

servers = Table(
    "servers",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    _moment("started_at"),
    _moment("leased_until"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer),
    _moment("created_at"),
    _json("answer", nullable=True),
)
Index("ix_idempotency_created_at", idempotency.c.created_at)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

COUNTED = {"conversations": "status", "personas": "kind", "replicas": "kind", "videos": "kind"}
"""Tables whose rows are counted, and the column that they are counted by."""
