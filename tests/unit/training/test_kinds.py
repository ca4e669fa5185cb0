"""What the server does with a training's outcome, on a real store."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from visavis.jobs import Failure
from visavis.replica.bundle import open_bundle
from visavis.replica.stock import bundle_path
from visavis.store import Store, open_store
from visavis.store.errors import NotFoundError
from visavis.store.jobs import Job
from visavis.store.replicas import StoredReplica
from visavis.training.kinds import ReplicaJobs, bundle_blob, preview_blob


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    secrets = [Fernet.generate_key().decode()]
    async with open_store(f"sqlite:///{tmp_path}/visavis.db", str(tmp_path / "files"), secrets) as opened:
        yield opened


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A folder as a training leaves it, and its result."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "trained.replica").write_bytes(bundle_path("mira").read_bytes())
    (folder / "preview.mp4").write_bytes(b"film")
    with open_bundle(folder / "trained.replica") as bundle:
        manifest = bundle.manifest.model_dump(mode="json", exclude={"checksums"})
    files = {"bundle": "trained.replica", "preview": "preview.mp4"}
    result = {"files": files, "manifest": manifest, "warnings": ["dark"], "figures": {}}
    return folder, result | {"green_screen": False, "background_is_replaceable": True}


async def queued(store: Store) -> tuple[StoredReplica, Job]:
    document = {"callback_url": "https://a.example/told", "key_id": "k1"}
    replica = await store.replicas.put(name="Ines", model_name="visavis-patches-1", document=document)
    return replica, await store.jobs.add("replica", replica.replica_id, {})


async def told(store: Store) -> list[tuple[str, dict[str, Any]]]:
    return [(one.event_type, dict(one.body)) for one in (await store.webhooks.page(status="pending")).items]


async def test_finished_training_is_kept_told_and_counted_once(store: Store, made) -> None:
    replica, job = await queued(store)
    calls: list[int] = []
    kind = ReplicaJobs(store, lambda: calls.append(1))
    await kind.progressed(job, 37)
    assert (await store.replicas.get(replica.replica_id)).progress == 37
    for _ in range(2):  # as after a crash between the two halves
        await kind.finished(job, made[1], made[0])
    found = await store.replicas.get(replica.replica_id)
    assert (found.status, found.progress, found.bundle) == ("completed", 100, bundle_blob(replica.replica_id))
    assert found.document["manifest"]["name"] == "Mira" and found.document["warnings"] == ["dark"]
    assert await store.blobs.read(preview_blob(replica.replica_id)) == b"film"
    ready = {"replica_id": replica.replica_id, "face_id": replica.replica_id, "status": "ready"}
    assert {event for event, _ in await told(store)} == {"application.replica_ready"}
    assert (await told(store))[0][1] == ready and calls
    used = await store.usage.total(found.created_at.replace(year=2000), found.created_at.replace(year=2100))
    assert used["replicas_trained"].times == 1


async def test_failed_training_says_why(store: Store) -> None:
    replica, job = await queued(store)
    await ReplicaJobs(store, lambda: None).failed(job, Failure("poor_lighting", "It is dark."))
    found = await store.replicas.get(replica.replica_id)
    assert (found.status, found.error_message) == ("error", "It is dark.")
    assert found.document["error_type"] == "poor_lighting"
    [(event, body)] = await told(store)
    assert event == "application.replica_error"
    assert (body["status"], body["error_message"], body["error_type"]) == ("error", "It is dark.", "poor_lighting")


async def test_nothing_is_kept_of_a_replica_that_was_deleted_meanwhile(store: Store, made) -> None:
    replica, job = await queued(store)
    await store.replicas.delete(replica.replica_id)
    with pytest.raises(NotFoundError):
        await ReplicaJobs(store, lambda: None).finished(job, made[1], made[0])
    assert not await store.blobs.exists(bundle_blob(replica.replica_id))
    assert await told(store) == []
