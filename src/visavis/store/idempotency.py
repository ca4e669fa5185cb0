"""Idempotency keys: the same request sent twice is done once and answered twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from visavis.store.database import Database
from visavis.store.paging import now
from visavis.store.tables import idempotency

KEPT = timedelta(days=1)
"""How long a repeated request is answered as the first."""


@dataclass(frozen=True)
class Answer:
    """What is known of a key: `status` and `body` are None while the first request is at work."""

    fingerprint: str
    status: int | None
    body: Any
    created_at: datetime


class Idempotency:
    """The idempotency keys of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, key: str, fingerprint: str) -> Answer | None:
        """Reserve `key` for a request with this `fingerprint`; None when it is new, else what is known of it."""

        def work(connection: Connection) -> Answer | None:
            row = connection.execute(select(idempotency).where(idempotency.c.key == key).with_for_update()).first()
            if row is not None:
                return Answer(row.fingerprint, row.status, row.answer, row.created_at)
            new = {"key": key, "fingerprint": fingerprint, "created_at": now()}
            connection.execute(insert(idempotency), new)
            return None

        return await self._database.write(work)

    async def finish(self, key: str, status: int, body: Any) -> None:
        """Keep the answer of the request that reserved `key`."""
        change = update(idempotency).where(idempotency.c.key == key).values(status=status, answer=body)
        await self._database.write(lambda connection: connection.execute(change) and None)

    async def forget(self, key: str) -> None:
        """Free `key`: its request failed in a way that may be tried again."""
        gone = delete(idempotency).where(idempotency.c.key == key)
        await self._database.write(lambda connection: connection.execute(gone) and None)

    async def forget_before(self, moment: datetime) -> int:
        """Free the keys that were reserved before that moment; returns how many."""
        old = delete(idempotency).where(idempotency.c.created_at < moment)
        return await self._database.write(lambda connection: connection.execute(old).rowcount)
