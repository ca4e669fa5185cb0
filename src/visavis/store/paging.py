"""What most repositories read: one row by its id, pages of rows newest first, and how many there are in all.

The statements are built once: building and compiling one takes several times as long as running it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, func, select

from visavis.store.errors import NotFoundError
from visavis.store.tables import COUNTED, counts

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list, newest first, and the length of the whole list."""

    items: tuple[T, ...]
    total: int


class Rows:
    """The rows of a table that are not deleted, with some of its columns."""

    def __init__(self, table: Table, kind: str, without: tuple[str, ...] = ()) -> None:
        """`kind` is what people call one of them; `without` names columns that are not read."""
        self._table = table
        self._kind = kind
        self._bucket = table.c[COUNTED[table.name]]
        columns = [column for column in table.c if column.name not in ("deleted_at", *without)]
        self._one = self.columns(*columns)
        newest = (
            select(*columns)
            .where(table.c.deleted_at.is_(None))
            .order_by(table.c.created_at.desc(), table.c.id.desc())
            .limit(bindparam("limit"))
            .offset(bindparam("offset"))
        )
        total = select(func.coalesce(func.sum(counts.c.n), 0)).where(counts.c.kind == table.name)
        self._newest = newest, newest.where(self._bucket == bindparam("bucket"))
        self._total = total, total.where(counts.c.bucket == bindparam("bucket"))

    def columns(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """A query for `one` that reads other columns."""
        return select(*columns).where(self._table.c.id == bindparam("id"), self._table.c.deleted_at.is_(None))

    def one(self, connection: Connection, wanted: str, query: Select[Any] | None = None) -> Row[Any]:
        """The row with this id. Raises `NotFoundError`."""
        row = connection.execute(self._one if query is None else query, {"id": wanted}).first()
        if row is None:
            raise NotFoundError(self._kind, wanted)
        return row

    def page(self, connection: Connection, limit: int, offset: int, bucket: str | None = None) -> list[Row[Any]]:
        """Rows (of one status or kind), newest first."""
        given = {"limit": limit, "offset": offset}
        if bucket is None:
            return list(connection.execute(self._newest[0], given))
        return list(connection.execute(self._newest[1], given | {"bucket": bucket}))

    def total(self, connection: Connection, bucket: str | None = None) -> int:
        """How many rows there are (of one status or kind), from the counters that triggers keep."""
        if bucket is None:
            return int(connection.execute(self._total[0]).scalar_one())
        return int(connection.execute(self._total[1], {"bucket": bucket}).scalar_one())

    def filtered(
        self, connection: Connection, limit: int, offset: int, bucket: str | None, where: list[ColumnElement[bool]]
    ) -> tuple[list[Row[Any]], int]:
        """The same for filters that narrow the list down to few rows, which are counted."""
        if bucket is not None:
            where = [*where, self._bucket == bucket]
        rows = connection.execute(self._newest[0].where(*where), {"limit": limit, "offset": offset})
        count = select(func.count()).select_from(self._table).where(self._table.c.deleted_at.is_(None), *where)
        return list(rows), int(connection.execute(count).scalar_one())


def now() -> datetime:
    """This moment, aware."""
    return datetime.now(UTC)
