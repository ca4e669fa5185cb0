"""A store in a file and a worker on it, with a clock that tests may turn."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from tests import waiting
from visavis.outbound import Outbound, PrivateAddresses
from visavis.store import open_store
from visavis.webhooks.deliverer import Deliverer
from visavis.webhooks.retrying import Retrying

KEY = Fernet.generate_key().decode()


class Clock:
    """The real time plus what was skipped."""

    def __init__(self):
        self.skipped_s = 0.0

    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self.skipped_s)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/visavis.db", str(tmp_path / "blobs"), [KEY]) as opened:
        yield opened


@pytest.fixture
def delivering(store, clock):
    """Runs a worker for as long as a block lasts."""

    @asynccontextmanager
    async def run(retrying=None, outbound=None, answer_within_s=10.0):
        worker = Deliverer(
            store,
            outbound or Outbound(PrivateAddresses.parse("127.0.0.1/32")),
            retrying or Retrying(jitter=0),
            now=clock.now,
            answer_within_s=answer_within_s,
        )
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return run


@pytest.fixture
def until(store):
    """Waits until something is true of a message."""

    async def wait(delivery_id, condition, within_s=20.0):
        return await waiting.until(lambda: store.webhooks.get(delivery_id), condition, within_s)

    return wait
