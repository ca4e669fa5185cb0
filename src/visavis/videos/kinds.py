"""The server's half of video and speech jobs: their rows, files, callbacks and usage."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from visavis.jobs import Failure
from visavis.store import Store
from visavis.store.errors import NotFoundError
from visavis.store.jobs import Job
from visavis.store.videos import StoredVideo
from visavis.videos.description import described_speech, described_video
from visavis.videos.links import Links, blob

BundlePath = Callable[[str], Awaitable[Path]]
"""The file of a replica on this machine. Raises `BadInputError` when there is none."""


class VideoJobs:
    """The `visavis.jobs.Kind` of videos."""

    name = "video"
    work = "visavis.videos.making:make_video"

    def __init__(self, store: Store, links: Links, bundle_path: BundlePath, told: Callable[[], None]) -> None:
        """`told` is called when a callback was queued."""
        self._store = store
        self._links = links
        self._bundle_path = bundle_path
        self._told = told

    async def begin(self, job: Job, folder: Path) -> dict[str, Any]:
        """See `visavis.jobs.Kind`, as for all that follow."""
        video = await self._store.videos.get(job.subject_id)
        bundle = await self._bundle_path(video.replica_id)
        await self._store.videos.update(job.subject_id, status="generating")
        return {**job.input, "bundle": str(bundle), "green_screen": await self._green_screen(video.replica_id)}

    async def _green_screen(self, replica_id: str) -> bool:
        """Whether the replica was trained to stand before green; those of the system have no row."""
        try:
            return bool((await self._store.replicas.get(replica_id)).document.get("green_screen"))
        except NotFoundError:
            return False

    async def progressed(self, job: Job, percent: int) -> None:
        await self._store.videos.update(job.subject_id, changes={"progress": percent})

    async def finished(self, job: Job, result: dict[str, Any], folder: Path) -> None:
        before = await self._store.videos.get(job.subject_id)
        for name in result["files"].values():
            await self._store.blobs.write(blob("videos", job.subject_id, name), folder / name)
        try:
            video = await self._store.videos.update(job.subject_id, status="ready", changes=result)
        except NotFoundError:  # deleted while its files were written
            for name in result["files"].values():
                await self._store.blobs.delete(blob("videos", job.subject_id, name))
            raise
        if before.status != "ready":
            key_id = video.document.get("key_id")
            await self._store.usage.record("video_seconds", job.subject_id, result["duration_s"], key_id=key_id)
        await self._call_back(video)

    async def failed(self, job: Job, failure: Failure) -> None:
        changes = {"error_type": failure.error_type, "error_message": failure.message}
        await self._call_back(await self._store.videos.update(job.subject_id, status="error", changes=changes))

    async def _call_back(self, video: StoredVideo) -> None:
        if url := video.document.get("callback_url"):
            event_type = f"application.video_{video.status}"
            await self._store.webhooks.enqueue(url, event_type, described_video(video, self._links))
            self._told()


class SpeechJobs:
    """The `visavis.jobs.Kind` of speeches."""

    name = "speech"
    work = "visavis.videos.making:make_speech"

    def __init__(self, store: Store, links: Links, bundle_path: BundlePath, told: Callable[[], None]) -> None:
        """`told` is called when a callback was queued."""
        self._store = store
        self._links = links
        self._bundle_path = bundle_path
        self._told = told

    async def begin(self, job: Job, folder: Path) -> dict[str, Any]:
        """See `visavis.jobs.Kind`, as for all that follow."""
        speech = await self._store.speeches.update(job.subject_id, status="generating")
        return {**job.input, "bundle": str(await self._bundle_path(speech.replica_id))}

    async def progressed(self, job: Job, percent: int) -> None:
        """It is over before anybody could look."""

    async def finished(self, job: Job, result: dict[str, Any], folder: Path) -> None:
        before = await self._store.speeches.get(job.subject_id)
        for name in result["files"].values():
            await self._store.blobs.write(blob("speeches", job.subject_id, name), folder / name)
        speech = await self._store.speeches.update(job.subject_id, status="ready", changes=result)
        if before.status != "ready":
            key_id = speech.document.get("key_id")
            await self._store.usage.record("speech_seconds", job.subject_id, result["duration_s"], key_id=key_id)
        await self._call_back(speech)

    async def failed(self, job: Job, failure: Failure) -> None:
        changes = {"error_type": failure.error_type, "error_message": failure.message}
        await self._call_back(await self._store.speeches.update(job.subject_id, status="error", changes=changes))

    async def _call_back(self, speech: StoredVideo) -> None:
        if url := speech.document.get("callback_url"):
            event_type = f"application.speech_{speech.status}"
            await self._store.webhooks.enqueue(url, event_type, described_speech(speech, self._links))
            self._told()
