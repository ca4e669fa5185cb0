"""What a server does besides calls: delivering webhooks, making videos and speeches, training replicas."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from visavis.config import Settings
from visavis.hosting.faces import Bundles
from visavis.jobs.runner import JobRunner
from visavis.outbound import outbound_of
from visavis.priority import THINKING
from visavis.store import Store
from visavis.store.idempotency import KEPT as IDEMPOTENCY_KEYS_KEPT
from visavis.training.kinds import ReplicaJobs
from visavis.videos.kinds import SpeechJobs, VideoJobs
from visavis.videos.links import Links
from visavis.webhooks.deliverer import Deliverer
from visavis.webhooks.retrying import Retrying

_log = logging.getLogger(__name__)

RESTART_AFTER_S = 5.0
TIDY_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Background:
    """The workers of a server, for whoever gives them something to do."""

    webhooks: Deliverer
    videos: JobRunner
    speeches: JobRunner
    """Apart from the videos, so that a sentence need not wait for a film."""
    trainings: JobRunner
    """Apart from both, because one takes many minutes."""
    links: Links


@asynccontextmanager
async def background_work(settings: Settings, store: Store) -> AsyncIterator[Background]:
    """Work while entered. What is unfinished in the end is taken up again by the next server."""
    folder = settings.data.expanduser().absolute() / "jobs"
    links = Links(settings.base_url, await store.signing_secret("files"))
    outbound = outbound_of(settings)
    webhooks = Deliverer(store, outbound, Retrying(attempts=settings.webhook_attempts))
    bundles = Bundles(store, settings.data.expanduser().absolute() / "replicas")
    behind = settings.job_niceness
    videos = JobRunner(
        store.jobs,
        [VideoJobs(store, links, bundles.path, webhooks.wake)],
        folder / "long",
        settings.max_jobs,
        niceness=behind,
    )
    speech_jobs = SpeechJobs(store, links, bundles.path, webhooks.wake)
    # Somebody waits for a sentence.
    speeches = JobRunner(store.jobs, [speech_jobs], folder / "short", niceness=min(THINKING, behind))
    trainings = JobRunner(store.jobs, [ReplicaJobs(store, webhooks.wake)], folder / "training", niceness=behind)
    workers: dict[str, Callable[[], Awaitable[None]]] = {
        "webhooks": webhooks.run,
        "videos": videos.run,
        "speeches": speeches.run,
        "trainings": trainings.run,
        "tidying": partial(_tidy, store),
    }
    tasks = [asyncio.create_task(_for_ever(name, work)) for name, work in workers.items()]
    try:
        yield Background(webhooks, videos, speeches, trainings, links)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tidy(store: Store) -> None:
    """Remove now and then what nobody can ask for any more."""
    while True:
        await store.idempotency.forget_before(datetime.now(UTC) - IDEMPOTENCY_KEYS_KEPT)
        await asyncio.sleep(TIDY_EVERY_S)


async def _for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """A mistake in one worker ends neither the server nor that work."""
    while True:
        try:
            await work()
        except Exception:
            _log.exception("%s stopped and begins again in %.0f s", name, RESTART_AFTER_S)
        await asyncio.sleep(RESTART_AFTER_S)
