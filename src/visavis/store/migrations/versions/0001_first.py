"""Everything that issue "Platform" stores."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_COUNTED = {"conversations": "status", "personas": "kind", "replicas": "kind", "videos": "kind"}
_LIVING = sa.text("deleted_at IS NULL")
_ACTIVE = sa.text("status = 'active' AND deleted_at IS NULL")
_UNFINISHED = sa.text("status IN ('queued', 'running')")
_PENDING = sa.text("status = 'pending'")


def upgrade() -> None:
    """Make the tables, their indexes, and the triggers that count rows."""
    _resources()
    _queues()
    _index("conversations", "conversations_active_key", ["key_id"], _ACTIVE)
    _index("conversations", "conversations_active_expiry", ["expires_at"], _ACTIVE)
    _index("conversation_log", "conversation_log", ["conversation_id", "kind", "id"])
    _index("deliveries", "deliveries_due", ["due_at"], _PENDING)
    _index("deliveries", "deliveries_order", ["conversation_id", "url", "created_at"], _PENDING)
    _index("deliveries", "deliveries_status_newest", ["status", sa.text("created_at DESC"), sa.text("id DESC")])
    _index("jobs", "jobs_subject", ["subject_id"])
    _index("jobs", "jobs_unfinished", ["created_at"], _UNFINISHED)
    _index("idempotency", "idempotency_created_at", ["created_at"])
    _index("usage", "usage_at", ["at"])
    for table in ("conversations", "personas", "replicas"):
        _newest_first(table)
    for table, column in _COUNTED.items():
        _newest_first(table, column)
        _count(table, column)


def _resources() -> None:
    op.create_table("personas", _id(), _text("kind"), _text("name"), *_life(), _json("document"))
    op.create_table(
        "replicas",
        _id(),
        _text("kind"),
        _text("name"),
        _text("model_name"),
        _text("status"),
        _whole("progress"),
        _text("error_message", True),
        _text("bundle", True),
        *_life(),
        _json("document"),
    )
    op.create_table(
        "conversations",
        _id(),
        _text("name"),
        _text("status"),
        *(_text(name, True) for name in ("persona_id", "replica_id", "key_id", "callback_url")),
        _text("nonce"),
        _text("shutdown_reason", True),
        _moment("created_at"),
        _moment("updated_at"),
        *(_moment(name, True) for name in ("expires_at", "started_at", "ended_at", "deleted_at")),
        _json("properties"),
        _json("metadata"),
        _json("snapshot"),
    )
    op.create_table("conversation_log", _number(), _text("conversation_id"), _text("kind"), _json("body"))
    op.create_table(
        "videos", _id(), _text("kind"), _text("name"), _text("replica_id"), _text("status"), *_life(), _json("document")
    )
    op.create_table(
        "keys",
        _id(),
        sa.Column("hash", sa.String, nullable=False, unique=True),
        _text("name"),
        _text("hint"),
        _json("scopes"),
        _json("networks"),
        _whole("max_conversations", True),
        _whole("requests_per_minute", True),
        _moment("created_at"),
        *(_moment(name, True) for name in ("expires_at", "last_used_at", "revoked_at")),
    )
    op.create_table(
        "usage",
        _number(),
        _text("kind"),
        _text("subject_id"),
        _text("key_id", True),
        sa.Column("quantity", sa.Float, nullable=False),
        _moment("at"),
    )


def _queues() -> None:
    op.create_table(
        "deliveries",
        _id(),
        _text("url"),
        _text("receiver"),
        _text("event_type"),
        _text("conversation_id", True),
        _text("status"),
        _whole("attempts"),
        _text("last_error", True),
        _moment("created_at"),
        _moment("due_at"),
        _moment("finished_at", True),
        _json("body"),
    )
    op.create_table(
        "jobs",
        _id(),
        _text("kind"),
        _text("subject_id"),
        _text("status"),
        _whole("progress"),
        _whole("attempts"),
        _text("worker", True),
        _text("error_message", True),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("leased_until", True),
        _json("input"),
        _json("result", True),
    )
    op.create_table(
        "idempotency",
        sa.Column("key", sa.String, primary_key=True),
        _text("fingerprint"),
        _whole("status", True),
        _moment("created_at"),
        _json("answer", True),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "counts",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("bucket", sa.String, primary_key=True),
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("n", sa.BigInteger, nullable=False),
    )


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.String, primary_key=True)


def _number() -> sa.Column[Any]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True)


def _text(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String, nullable=nullable)


def _whole(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _moment(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _json(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=nullable)


def _life() -> list[sa.Column[Any]]:
    return [_moment("created_at"), _moment("updated_at"), _moment("deleted_at", True)]


def _index(table: str, name: str, columns: list[Any], where: Any = None) -> None:
    op.create_index(f"ix_{name}", table, columns, sqlite_where=where, postgresql_where=where)


def _newest_first(table: str, *leading: str) -> None:
    name = "_".join((table, *leading, "newest"))
    _index(table, name, [*leading, sa.text("created_at DESC"), sa.text("id DESC")], _LIVING)


def _count(table: str, column: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _count_on_sqlite(table, column)
    else:
        _count_on_postgresql(table, column)


def _count_on_sqlite(table: str, column: str) -> None:
    for name, when, row, change in (
        ("insert", "INSERT", "new", 1),
        ("delete", "DELETE", "old", -1),
        ("leave", f"UPDATE OF {column}, deleted_at", "old", -1),
        ("enter", f"UPDATE OF {column}, deleted_at", "new", 1),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_count_{name} AFTER {when} ON {table} WHEN {row}.deleted_at IS NULL BEGIN "
            f"INSERT INTO counts (kind, bucket, shard, n) VALUES ('{table}', {row}.{column}, 0, {change}) "
            f"ON CONFLICT (kind, bucket, shard) DO UPDATE SET n = n + {change}; END"
        )


def _count_on_postgresql(table: str, column: str) -> None:
    steps = "".join(
        f"IF TG_OP <> '{not_at}' AND {row}.deleted_at IS NULL THEN "
        f"INSERT INTO counts (kind, bucket, shard, n) VALUES ('{table}', {row}.{column}, here, {change}) "
        f"ON CONFLICT (kind, bucket, shard) DO UPDATE SET n = counts.n + {change}; END IF; "
        for not_at, row, change in (("INSERT", "OLD", -1), ("DELETE", "NEW", 1))
    )
    op.execute(
        f"CREATE FUNCTION count_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"DECLARE here integer := pg_backend_pid() % 64; BEGIN {steps} RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_count AFTER INSERT OR DELETE OR UPDATE OF {column}, deleted_at ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION count_{table}()"
    )
