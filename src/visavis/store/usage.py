"""What was used: seconds of conversation, of video, of speech, tokens. Stays when the conversation is deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from visavis.store.database import Database
from visavis.store.paging import now
from visavis.store.tables import usage


@dataclass(frozen=True)
class Used:
    """One kind of use over a time: how often and how much (seconds, for what lasts; tokens)."""

    times: int
    quantity: float


class Usage:
    """The usage records of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, kind: str, subject_id: str, quantity: float, *, key_id: str | None = None, at: datetime | None = None
    ) -> None:
        """Add one use: `kind` such as `conversation_seconds`, by the conversation or video `subject_id`."""
        row = {"kind": kind, "subject_id": subject_id, "key_id": key_id, "quantity": quantity, "at": at or now()}
        await self._database.write(lambda connection: connection.execute(insert(usage), row) and None)

    async def by_day(
        self, since: datetime, until: datetime, *, key_id: str | None = None
    ) -> Mapping[str, Mapping[str, Used]]:
        """The same as `total` for every day (UTC, `2026-11-01`) on which anything was used, in order."""
        query = (
            select(usage.c.at, usage.c.kind, usage.c.quantity)
            .where(usage.c.at >= since, usage.c.at < until)
            .order_by(usage.c.at)
        )
        if key_id is not None:
            query = query.where(usage.c.key_id == key_id)
        rows = await self._database.read(lambda connection: list(connection.execute(query)))
        days: dict[str, dict[str, Used]] = {}
        for at, kind, quantity in rows:
            day = days.setdefault(at.date().isoformat(), {})
            before = day.get(kind, Used(0, 0.0))
            day[kind] = Used(before.times + 1, before.quantity + float(quantity))
        return days

    async def total(self, since: datetime, until: datetime, *, key_id: str | None = None) -> Mapping[str, Used]:
        """What was used from `since` until before `until`, by kind; of one key or of all."""
        query = (
            select(usage.c.kind, func.count(), func.sum(usage.c.quantity))
            .where(usage.c.at >= since, usage.c.at < until)
            .group_by(usage.c.kind)
        )
        if key_id is not None:
            query = query.where(usage.c.key_id == key_id)
        rows = await self._database.read(lambda connection: list(connection.execute(query)))
        return {kind: Used(times, float(quantity)) for kind, times, quantity in rows}
