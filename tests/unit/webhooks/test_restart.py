"""A worker that is killed in the middle loses nothing: another process delivers what it had taken."""

import asyncio
import sys

from tests.receiver import answers, receiver
from tests.unit.webhooks.conftest import KEY
from tests.unit.webhooks.test_deliverer import add, numbers

WORKER = """
import asyncio, sys
from visavis.outbound import Outbound, PrivateAddresses
from visavis.store import open_store
from visavis.webhooks.deliverer import Deliverer

async def main(database, blobs, key):
    async with open_store(database, blobs, [key]) as store:
        await Deliverer(store, Outbound(PrivateAddresses.parse("127.0.0.1/32"))).run()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_messages_survive_a_killed_worker(store, delivering, clock, until, tmp_path):
    async def hang_on_the_third(request, writer):
        await answers(200, after_s=60 if b'"number":2' in request.body else 0)(request, writer)

    async with receiver(hang_on_the_third) as there:
        ids = [await add(store, there.url(), number, "c1") for number in range(4)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, f"sqlite:///{tmp_path}/visavis.db", str(tmp_path / "blobs"), KEY
        )
        try:
            await there.wait_for(3, within_s=60)
        finally:
            process.kill()
            await process.wait()
    assert numbers(there) == [0, 1, 2]
    assert [(await store.webhooks.get(one)).status for one in ids] == ["delivered", "delivered", "pending", "pending"]
    clock.skipped_s = 61
    async with receiver() as again:
        for one in ids[2:]:
            # The receiver has moved meanwhile; where to is not what this is about.
            await move(store, one, again.url())
        async with delivering():
            await until(ids[3], lambda one: one.status == "delivered")
    assert numbers(again) == [2, 3]


async def move(store, delivery_id, url):
    from sqlalchemy import update

    from visavis.store.tables import deliveries

    change = update(deliveries).where(deliveries.c.id == delivery_id).values(url=url)
    await store.database.write(lambda connection: connection.execute(change) and None)
