"""The server's half of replica jobs: their rows, files, callbacks and usage."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from visavis.jobs import Failure
from visavis.store import Store
from visavis.store.errors import NotFoundError
from visavis.store.jobs import Job
from visavis.store.replicas import StoredReplica
from visavis.training import uploads

MODEL_NAMES = {
    "key_frames": "visavis-keyframes-1",
    "patches": "visavis-patches-1",
    "photo": "visavis-photo-1",
}
"""What renders a replica, as the API calls it."""


def bundle_blob(replica_id: str) -> str:
    """Under which name the store keeps the `.replica` file of a replica."""
    return f"replicas/{replica_id}.replica"


def preview_blob(replica_id: str) -> str:
    """The same for its film."""
    return f"replicas/{replica_id}.mp4"


class ReplicaJobs:
    """The `visavis.jobs.Kind` of replicas that are trained."""

    name = "replica"
    work = "visavis.training.work:make_replica"

    def __init__(self, store: Store, told: Callable[[], None]) -> None:
        """`told` is called when a callback was queued."""
        self._store = store
        self._told = told

    async def begin(self, job: Job, folder: Path) -> dict[str, Any]:
        """See `visavis.jobs.Kind`, as for all that follow."""
        await self._store.replicas.get(job.subject_id)
        await uploads.fetch(self._store.blobs, job.subject_id, job.input.get("uploads", ()), folder)
        return job.input

    async def progressed(self, job: Job, percent: int) -> None:
        await self._store.replicas.update(job.subject_id, progress=min(percent, 99))

    async def finished(self, job: Job, result: dict[str, Any], folder: Path) -> None:
        replica_id = job.subject_id
        before = await self._store.replicas.get(replica_id)
        await self._store.blobs.write(bundle_blob(replica_id), folder / result["files"]["bundle"])
        await self._store.blobs.write(preview_blob(replica_id), folder / result["files"]["preview"])
        kept = ("manifest", "background_is_replaceable", "green_screen", "warnings", "figures")
        try:
            replica = await self._store.replicas.update(
                replica_id,
                status="completed",
                progress=100,
                bundle=bundle_blob(replica_id),
                document=before.document | {name: result[name] for name in kept} | {"preview": True},
            )
        except NotFoundError:  # deleted while its files were written
            await self._store.blobs.delete(bundle_blob(replica_id))
            await self._store.blobs.delete(preview_blob(replica_id))
            raise
        if before.status != "completed":
            key_id = before.document.get("key_id")
            await self._store.usage.record("replicas_trained", replica_id, 1, key_id=key_id)
        await uploads.delete(self._store.blobs, replica_id)
        await self._call_back(replica, {"status": "ready"})

    async def failed(self, job: Job, failure: Failure) -> None:
        before = await self._store.replicas.get(job.subject_id)
        replica = await self._store.replicas.update(
            job.subject_id,
            status="error",
            error_message=failure.message,
            document=before.document | {"error_type": failure.error_type},
        )
        await uploads.delete(self._store.blobs, job.subject_id)
        changes = {"status": "error", "error_type": failure.error_type, "error_message": failure.message}
        await self._call_back(replica, changes)

    async def _call_back(self, replica: StoredReplica, outcome: dict[str, str]) -> None:
        if url := replica.document.get("callback_url"):
            body = {"replica_id": replica.replica_id, "face_id": replica.replica_id, **outcome}
            await self._store.webhooks.enqueue(url, f"application.replica_{outcome['status']}", body)
            self._told()
