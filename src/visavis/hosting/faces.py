"""The faces of a server's replicas: where their files are, and the ones that are loaded."""

import asyncio
from pathlib import Path

from visavis.errors import BadInputError
from visavis.hosting.plan import Plan
from visavis.replica import GREEN_SCREEN, Background, Renderer, Replica
from visavis.replica.opening import open_replica
from visavis.replica.stock import bundle_path, names, stock
from visavis.store import Store
from visavis.store.errors import NotFoundError

LOADED = 8
"""Faces kept in memory; each takes some tens of megabytes."""


class Bundles:
    """Finds the files of replicas."""

    def __init__(self, store: Store, folder: Path) -> None:
        """`folder` takes copies of files that are kept elsewhere."""
        self._store = store
        self._folder = folder

    async def path(self, replica_id: str) -> Path:
        """The file of a replica, stock or stored. Raises `BadInputError` for one that there is not."""
        if replica_id.removeprefix("r") in names():
            return bundle_path(replica_id.removeprefix("r"))
        try:
            stored = await self._store.replicas.get(replica_id)
        except NotFoundError:
            raise BadInputError("replica_id", replica_id, "the id of a replica of this server") from None
        if stored.bundle is None or stored.status != "completed":
            raise BadInputError("replica_id", replica_id, f"a replica that is ready; this one is {stored.status!r}")
        if (local := self._store.blobs.local_path(stored.bundle)) is not None:
            return local
        # A bundle never changes under its name.
        copy = self._folder / stored.bundle
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            unfinished = copy.with_suffix(".partial")
            await self._store.blobs.fetch(stored.bundle, unfinished)
            unfinished.replace(copy)
        return copy


class Faces:
    """Faces in memory. Owner of which are loaded."""

    def __init__(self) -> None:
        self._loaded: dict[Path, Replica] = {}
        self._loading = asyncio.Lock()

    async def face(self, plan: Plan) -> Replica:
        """The face of a plan. Raises `visavis.replica.bundle.BundleError`."""
        name = plan.replica_id.removeprefix("r")
        path = plan.bundle or bundle_path(name)
        async with self._loading:
            if path not in self._loaded:
                if path == _stock_path(name):
                    self._loaded[path] = await asyncio.to_thread(stock, name)
                else:
                    self._loaded[path] = await asyncio.to_thread(open_replica, path)
            found = self._loaded[path] = self._loaded.pop(path)  # the last used last
            while len(self._loaded) > LOADED:
                del self._loaded[next(iter(self._loaded))]
        return Before(GREEN_SCREEN, found) if plan.green_screen else found


class Before:
    """A replica that is always seen before this background."""

    def __init__(self, background: Background, replica: Replica) -> None:
        self.name = replica.name
        self._replica = replica
        self._background = background

    def renderer(self, background: Background | None = None) -> Renderer[object]:
        """Start a face for one call; see `visavis.replica.Replica`."""
        return self._replica.renderer(background or self._background)


def _stock_path(name: str) -> Path | None:
    return bundle_path(name) if name in names() else None
