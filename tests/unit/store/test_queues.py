"""What waits to be done: webhook messages, jobs; and what was done: idempotent requests, usage, videos."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from visavis.store import Store
from visavis.store.errors import ConflictError, NotFoundError
from visavis.store.usage import Used

URL = "https://example.org/hook"


async def test_message_is_claimed_by_one_worker_until_its_lease_is_over(store: Store):
    ids = {await store.webhooks.enqueue(URL, "t", {"n": number}) for number in range(6)}
    claimed = await asyncio.gather(*(store.webhooks.claim(2, lease_s=60) for _ in range(5)))
    taken = [one.delivery_id for group in claimed for one in group]
    assert sorted(taken) == sorted(ids)
    later = datetime.now(UTC) + timedelta(seconds=61)
    again = await store.webhooks.claim(10, lease_s=60, at=later)
    assert {one.delivery_id for one in again} == ids
    assert {one.attempts for one in again} == {2}


async def test_message_is_retried_given_up_and_replayed(store: Store):
    name = await store.webhooks.enqueue(URL, "t", {"n": 1})
    await store.webhooks.claim(1, lease_s=60)
    soon = datetime.now(UTC) + timedelta(seconds=5)
    await store.webhooks.failed(name, "HTTP 500", soon)
    assert await store.webhooks.claim(1, lease_s=60) == []
    assert await store.webhooks.next_due() == soon
    await store.webhooks.failed(name, "HTTP 410", None)
    (dead,) = (await store.webhooks.page(status="dead")).items
    assert (dead.delivery_id, dead.last_error) == (name, "HTTP 410")
    assert await store.webhooks.next_due() is None
    await store.webhooks.replay(name)
    (again,) = await store.webhooks.claim(1, lease_s=60)
    assert (again.delivery_id, again.attempts) == (name, 1)
    await store.webhooks.delivered(name)
    assert (await store.webhooks.page(status="dead")).total == 0
    assert await store.webhooks.forget_finished(datetime.now(UTC)) == 1
    with pytest.raises(NotFoundError):
        await store.webhooks.get(name)


async def test_job_has_one_worker_and_is_taken_over_when_that_one_dies(store: Store):
    added = await store.jobs.add("video", "v1", {"script": "Hello.", "api_key": "vendor-secret"})
    first, second = await asyncio.gather(
        store.jobs.claim(["video"], "one", lease_s=-1), store.jobs.claim(["speech"], "other", lease_s=60)
    )
    assert first is not None
    assert second is None
    assert first.input == {"script": "Hello.", "api_key": "vendor-secret"}
    heir = await store.jobs.claim(["video", "speech"], "two", lease_s=60)
    assert heir is not None
    assert (heir.job_id, heir.worker, heir.attempts) == (added.job_id, "two", 2)
    for late in (store.jobs.progress(added.job_id, "one", 50, 60), store.jobs.complete(added.job_id, "one", {})):
        with pytest.raises(ConflictError, match="one"):
            await late
    await store.jobs.progress(added.job_id, "two", 50, lease_s=60)
    assert (await store.jobs.get(added.job_id)).progress == 50
    await store.jobs.complete(added.job_id, "two", {"file": "videos/v1.mp4"})
    done = await store.jobs.get(added.job_id)
    assert (done.status, done.progress, done.result) == ("completed", 100, {"file": "videos/v1.mp4"})
    assert await store.jobs.claim(["video"], "three", lease_s=60) is None


async def test_jobs_are_done_in_order_released_failed_and_cancelled(store: Store):
    added = [await store.jobs.add("video", f"v{number}", {}) for number in range(3)]
    claimed = await store.jobs.claim(["video"], "one", lease_s=60)
    assert claimed is not None
    assert claimed.job_id == added[0].job_id
    assert await store.jobs.release("one") == 1
    again = await store.jobs.claim(["video"], "two", lease_s=60)
    assert again is not None
    assert again.job_id == added[0].job_id
    await store.jobs.fail(again.job_id, "two", "no such replica")
    assert (await store.jobs.get(again.job_id)).error_message == "no such replica"
    assert await store.jobs.cancel("v1", "deleted") == 1
    last = await store.jobs.claim(["video"], "two", lease_s=60)
    assert last is not None
    assert last.job_id == added[2].job_id
    assert [job.status for job in await store.jobs.of("v1")] == ["error"]


async def test_two_workers_never_get_the_same_job(store: Store):
    for number in range(10):
        await store.jobs.add("video", f"v{number}", {})
    claimed = await asyncio.gather(*(store.jobs.claim(["video"], f"w{n}", lease_s=60) for n in range(10)))
    got = [job.job_id for job in claimed if job]
    assert len(got) == len(set(got))
    rest = [await store.jobs.claim(["video"], "last", lease_s=60) for _ in range(10 - len(got))]
    assert len({*got, *(job.job_id for job in rest if job)}) == 10


async def test_same_request_twice_is_begun_once(store: Store):
    begun = await asyncio.gather(
        *(store.idempotency.begin("k1:abc", "print") for _ in range(5)), return_exceptions=True
    )
    assert [one is None for one in begun].count(True) == 1
    waiting = await store.idempotency.begin("k1:abc", "print")
    assert waiting is not None
    assert waiting.status is None
    await store.idempotency.finish("k1:abc", 200, {"conversation_id": "c1"})
    answered = await store.idempotency.begin("k1:abc", "other print")
    assert answered is not None
    assert (answered.fingerprint, answered.status, answered.body) == ("print", 200, {"conversation_id": "c1"})
    await store.idempotency.forget("k1:abc")
    assert await store.idempotency.begin("k1:abc", "print") is None
    assert await store.idempotency.forget_before(datetime.now(UTC)) == 1


async def test_usage_is_summed_by_kind_time_and_key(store: Store):
    day = datetime(2026, 5, 1, tzinfo=UTC)
    for hour, key in ((0, "k1"), (1, "k1"), (2, "k2")):
        await store.usage.record("conversation_seconds", f"c{hour}", 60.5, key_id=key, at=day + timedelta(hours=hour))
    await store.usage.record("video_seconds", "v1", 10, at=day)
    whole = await store.usage.total(day, day + timedelta(days=1))
    assert whole == {"conversation_seconds": Used(3, 181.5), "video_seconds": Used(1, 10.0)}
    assert await store.usage.total(day, day + timedelta(hours=2), key_id="k1") == {
        "conversation_seconds": Used(2, 121.0)
    }


async def test_videos_and_speeches_are_lists_of_their_own(store: Store):
    video = await store.videos.create(name="Welcome", replica_id="rmira", document={"script": "Hello."})
    speech = await store.speeches.create(name="Only sound", replica_id="rmira", document={})
    assert (await store.videos.page()).items == (video,)
    assert ((await store.speeches.page()).items, (await store.speeches.page()).total) == ((speech,), 1)
    with pytest.raises(NotFoundError, match="speech"):
        await store.speeches.get(video.video_id)
    await asyncio.gather(*(store.videos.update(video.video_id, changes={f"field{n}": n}) for n in range(8)))
    changed = await store.videos.update(video.video_id, name="Hello", status="ready")
    assert changed.document == {"script": "Hello."} | {f"field{n}": n for n in range(8)}
    await store.videos.delete(video.video_id)
    assert (await store.videos.page()).total == 0
