"""The servers that share this store: which of them are alive.

Each life of a server has an id of its own and holds a lease that it renews. Leases are judged by the clocks of the
servers' machines, which therefore must not differ by more than a few seconds.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from visavis.store.database import Database
from visavis.store.paging import now
from visavis.store.tables import servers


class Servers:
    """The servers of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, server_id: str, name: str, lease_s: float) -> None:
        """A server's life begins. Earlier lives of the same `name` are over with that, and so are lapsed leases."""

        def work(connection: Connection) -> None:
            moment = now()
            connection.execute(delete(servers).where(or_(servers.c.name == name, servers.c.leased_until < moment)))
            until = moment + timedelta(seconds=lease_s)
            connection.execute(
                insert(servers), {"id": server_id, "name": name, "started_at": moment, "leased_until": until}
            )

        await self._database.write(work)

    async def renew(self, server_id: str, lease_s: float) -> bool:
        """Keep the lease for `lease_s` more seconds; False when it is gone, because another life has begun."""
        renewed = update(servers).where(servers.c.id == server_id)
        renewed = renewed.values(leased_until=now() + timedelta(seconds=lease_s))
        return bool(await self._database.write(lambda connection: connection.execute(renewed).rowcount))

    async def finish(self, server_id: str) -> None:
        """A server's life is over."""
        gone = delete(servers).where(servers.c.id == server_id)
        await self._database.write(lambda connection: connection.execute(gone) and None)


def is_alive(server_id: ColumnElement[str], moment: datetime) -> ColumnElement[bool]:
    """The condition that the server that a column names is alive."""
    return select(servers.c.id).where(and_(servers.c.id == server_id, servers.c.leased_until >= moment)).exists()
