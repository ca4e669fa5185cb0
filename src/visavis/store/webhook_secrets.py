"""The secrets that webhooks are signed with: one, and for a while after a change its predecessors."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from visavis.store.database import Database
from visavis.store.paging import now
from visavis.store.secrets import Secrets
from visavis.store.tables import secrets

_NAME = "webhooks"


@dataclass(frozen=True)
class WebhookSecret:
    """One secret; the newest has no end."""

    secret: str
    valid_until: datetime | None = None


class WebhookSecrets:
    """The signing secrets of a store, newest first."""

    def __init__(self, database: Database, sealing: Secrets) -> None:
        self._database = database
        self._sealing = sealing

    async def all(self, first: str) -> list[WebhookSecret]:
        """Every secret; `first` becomes the first one of a store that has none."""

        def work(connection: Connection) -> list[WebhookSecret]:
            return self._stored(connection) or self._save(connection, [WebhookSecret(first)], new=True)

        if found := await self._database.read(self._stored):
            return found
        return await self._database.write(work)

    async def rotate(self, new: str, old_valid_until: datetime) -> list[WebhookSecret]:
        """Sign with `new` from now on, and until that moment also with the secrets before it."""

        def work(connection: Connection) -> list[WebhookSecret]:
            found = self._stored(connection)
            kept = [
                WebhookSecret(one.secret, min(one.valid_until or old_valid_until, old_valid_until)) for one in found
            ]
            still_valid = [one for one in kept if one.valid_until and one.valid_until > now()]
            return self._save(connection, [WebhookSecret(new), *still_valid], new=not found)

        return await self._database.write(work)

    def _stored(self, connection: Connection) -> list[WebhookSecret]:
        sealed = connection.execute(select(secrets.c.sealed).where(secrets.c.name == _NAME)).scalar()
        if sealed is None:
            return []
        return [
            WebhookSecret(secret, datetime.fromisoformat(until) if until else None)
            for secret, until in json.loads(self._sealing.open(sealed))
        ]

    def _save(self, connection: Connection, values: list[WebhookSecret], new: bool) -> list[WebhookSecret]:
        plain = json.dumps([(one.secret, one.valid_until and one.valid_until.isoformat()) for one in values])
        sealed = self._sealing.seal(plain.encode())
        if new:
            connection.execute(insert(secrets), {"name": _NAME, "sealed": sealed})
        else:
            connection.execute(update(secrets).where(secrets.c.name == _NAME).values(sealed=sealed))
        return values
