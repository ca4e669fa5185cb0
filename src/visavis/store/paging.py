"""Pages of lists, and how many there are in all."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Table, func, select

from visavis.store import tables

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list, newest first, and the length of the whole list."""

    items: tuple[T, ...]
    total: int


def newest(
    connection: Connection,
    table: Table,
    columns: list[ColumnElement[Any]],
    where: list[ColumnElement[bool]],
    limit: int,
    offset: int,
) -> list[Row[Any]]:
    """Rows that are not deleted, newest first."""
    query = (
        select(*columns)
        .where(table.c.deleted_at.is_(None), *where)
        .order_by(table.c.created_at.desc(), table.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return list(connection.execute(query))


def kept_count(connection: Connection, table: Table, bucket: str | None = None) -> int:
    """How many rows are not deleted (of one status or kind), from the counters that triggers keep."""
    counts = tables.counts
    query = select(func.coalesce(func.sum(counts.c.n), 0)).where(counts.c.kind == table.name)
    if bucket is not None:
        query = query.where(counts.c.bucket == bucket)
    return int(connection.execute(query).scalar_one())


def counted(connection: Connection, table: Table, where: list[ColumnElement[bool]]) -> int:
    """How many rows there are, by counting them: for filters that narrow the list down."""
    query = select(func.count()).select_from(table).where(table.c.deleted_at.is_(None), *where)
    return int(connection.execute(query).scalar_one())


def now() -> datetime:
    """This moment, aware."""
    return datetime.now(UTC)
