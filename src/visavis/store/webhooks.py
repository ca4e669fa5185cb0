"""The queue of messages to webhooks: at least once, persisted, with a list of those that were given up.

Messages of one conversation to one URL leave in the order in which they were added: each waits until those before it
were delivered or given up. `created_at` is that order.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from visavis.store import ids
from visavis.store.database import Database
from visavis.store.errors import NotFoundError
from visavis.store.paging import Page, now
from visavis.store.tables import deliveries

Status = Literal["pending", "delivered", "dead"]


@dataclass(frozen=True)
class NewDelivery:
    """A message to be delivered: JSON `body` to `url`."""

    url: str
    event_type: str
    body: Mapping[str, Any]
    conversation_id: str | None = None


@dataclass(frozen=True)
class Delivery:
    """A message in the queue; `attempts` counts those begun."""

    delivery_id: str
    url: str
    receiver: str
    """Scheme, host and port of the URL."""
    event_type: str
    conversation_id: str | None
    body: dict[str, Any]
    status: Status
    attempts: int
    last_error: str | None
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None


class Webhooks:
    """The queue of a store; several workers may take from it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enqueue(
        self, url: str, event_type: str, body: Mapping[str, Any], conversation_id: str | None = None
    ) -> str:
        """Add a message, due at once; returns its id."""
        new = NewDelivery(url, event_type, body, conversation_id)
        return (await self._database.write(lambda connection: enqueue_all(connection, [new])))[0]

    async def claim(
        self, limit: int, lease_s: float, *, without: Collection[str] = (), at: datetime | None = None
    ) -> list[Delivery]:
        """Take up to `limit` messages that are due (at the moment `at`, or now), longest due first.

        Nobody else gets them for `lease_s` seconds; a worker that dies thereby gives them back. Nothing is taken for
        the receivers in `without`, and nothing that must wait for an earlier message of its conversation.
        """

        def work(connection: Connection) -> list[Delivery]:
            moment = at or now()
            earlier = deliveries.alias("earlier")
            waits = exists().where(
                earlier.c.status == "pending",
                earlier.c.conversation_id == deliveries.c.conversation_id,
                earlier.c.url == deliveries.c.url,
                earlier.c.created_at < deliveries.c.created_at,
            )
            due = (
                select(deliveries)
                .where(deliveries.c.status == "pending", deliveries.c.due_at <= moment, ~waits)
                .where(deliveries.c.receiver.not_in(without))
                .order_by(deliveries.c.due_at, deliveries.c.created_at)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            rows = list(connection.execute(due))
            if rows:
                taken = update(deliveries).where(deliveries.c.id.in_([row.id for row in rows]))
                until = moment + timedelta(seconds=lease_s)
                connection.execute(taken.values(due_at=until, attempts=deliveries.c.attempts + 1))
            return [_read(row, attempts=row.attempts + 1) for row in rows]

        return await self._database.write(work)

    async def next_due(self) -> datetime | None:
        """When the next message is due; None when none waits."""
        query = select(func.min(deliveries.c.due_at)).where(deliveries.c.status == "pending")
        found: datetime | None = await self._database.read(lambda connection: connection.execute(query).scalar())
        return found

    async def delivered(self, delivery_id: str) -> None:
        """The receiver took it."""
        await self._change(delivery_id, status="delivered", last_error=None, finished_at=now())

    async def failed(self, delivery_id: str, error: str, retry_at: datetime | None) -> None:
        """The receiver did not take it; without `retry_at` it is given up (a dead letter)."""
        if retry_at is None:
            await self._change(delivery_id, status="dead", last_error=error, finished_at=now())
        else:
            await self._change(delivery_id, last_error=error, due_at=retry_at)

    async def replay(self, delivery_id: str) -> Delivery:
        """Deliver it again from the first attempt, at once. Raises `NotFoundError`."""
        await self._change(delivery_id, status="pending", attempts=0, due_at=now(), finished_at=None)
        return await self.get(delivery_id)

    async def undo_claim(self, delivery_id: str) -> None:
        """The worker stops before an answer has come: due again at once."""
        await self._change(delivery_id, due_at=now())

    async def get(self, delivery_id: str) -> Delivery:
        """One message. Raises `NotFoundError`."""
        query = select(deliveries).where(deliveries.c.id == delivery_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise NotFoundError("webhook delivery", delivery_id)
        return _read(row)

    async def page(self, *, status: Status, limit: int = 10, offset: int = 0) -> Page[Delivery]:
        """Messages of one status, newest first."""

        def work(connection: Connection) -> Page[Delivery]:
            chosen = deliveries.c.status == status
            query = (
                select(deliveries)
                .where(chosen)
                .order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc())
                .limit(limit)
                .offset(offset)
            )
            total = connection.execute(select(func.count()).select_from(deliveries).where(chosen)).scalar_one()
            return Page(tuple(_read(row) for row in connection.execute(query)), total)

        return await self._database.read(work)

    async def forget_finished(self, before: datetime) -> int:
        """Remove what was delivered before that moment; returns how many. Dead letters stay."""
        old = delete(deliveries).where(deliveries.c.status == "delivered", deliveries.c.finished_at < before)
        return await self._database.write(lambda connection: connection.execute(old).rowcount)

    async def _change(self, delivery_id: str, **values: Any) -> None:
        change = update(deliveries).where(deliveries.c.id == delivery_id).values(values)
        if not await self._database.write(lambda connection: connection.execute(change).rowcount):
            raise NotFoundError("webhook delivery", delivery_id)


def enqueue_all(connection: Connection, new: Sequence[NewDelivery]) -> list[str]:
    """Add messages inside the transaction of what they tell; returns their ids."""
    rows = []
    for one in new:
        made = _after_the_last(connection, one)
        row = {
            "id": ids.delivery_id(),
            "url": one.url,
            "receiver": _receiver(one.url),
            "event_type": one.event_type,
            "conversation_id": one.conversation_id,
            "status": "pending",
            "attempts": 0,
            "created_at": made,
            "due_at": made,
            "body": dict(one.body),
        }
        connection.execute(insert(deliveries), row)
        rows.append(row)
    return [str(row["id"]) for row in rows]


def _after_the_last(connection: Connection, new: NewDelivery) -> datetime:
    """Now, but later than every message of the same conversation that still waits, even if the clock went back."""
    if new.conversation_id is None:
        return now()
    waiting = select(func.max(deliveries.c.created_at)).where(
        deliveries.c.status == "pending",
        deliveries.c.conversation_id == new.conversation_id,
        deliveries.c.url == new.url,
    )
    last: datetime | None = connection.execute(waiting).scalar()
    return now() if last is None else max(now(), last + timedelta(microseconds=1))


def _receiver(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


def _read(row: Row[Any], attempts: int | None = None) -> Delivery:
    return Delivery(
        row.id,
        row.url,
        row.receiver,
        row.event_type,
        row.conversation_id,
        row.body,
        row.status,
        row.attempts if attempts is None else attempts,
        row.last_error,
        row.created_at,
        row.due_at,
        row.finished_at,
    )
