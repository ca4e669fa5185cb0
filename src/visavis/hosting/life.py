"""The life of this server among the servers that share its store: says that it lives, as long as it does."""

import asyncio
import logging

from visavis.store import Store
from visavis.store.errors import StoreError
from visavis.store.ids import server_id as new_id

_log = logging.getLogger(__name__)

LEASE_S = 30.0
"""After so long without a sign of life a server counts as dead, and others end its conversations."""

RENEW_S = 5.0


class Life:
    """One start of one server."""

    def __init__(self, store: Store, name: str) -> None:
        """Servers that share a store need a `name` each, which stays the same when one is started again."""
        self.server_id = new_id()
        self._store = store
        self._name = name

    async def begin(self) -> None:
        """Say so. Conversations of this server's earlier lives are abandoned from now on. Raises `StoreError`."""
        await self._store.servers.begin(self.server_id, self._name, LEASE_S)

    async def run(self) -> None:
        """Say so again and again, until cancelled."""
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await self._say_so()
            except Exception as error:  # whatever it is, the next attempt may work
                unexpected = error if not isinstance(error, StoreError) else None
                _log.error("the store cannot be told that this server lives: %s", error, exc_info=unexpected)

    async def finish(self) -> None:
        """It is over."""
        try:
            await self._store.servers.finish(self.server_id)
        except StoreError as error:
            _log.error("the store cannot be told that this server stops: %s", error)

    async def _say_so(self) -> None:
        if await self._store.servers.renew(self.server_id, LEASE_S):
            return
        _log.error(
            "another server named %r uses the same database, or this one stood still for more than %.0f s; give each "
            "server a VISAVIS_SERVER_NAME of its own, or they end each other's conversations",
            self._name,
            LEASE_S,
        )
        await self.begin()
