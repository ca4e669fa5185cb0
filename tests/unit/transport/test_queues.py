import asyncio

from visavis.transport.queues import DropOldest


async def test_a_full_queue_drops_its_oldest_item_and_counts_it() -> None:
    queue: DropOldest[int] = DropOldest(2)
    assert [queue.put(item) for item in (1, 2, 3)] == [True, True, False]
    queue.end()
    assert [item async for item in queue] == [2, 3]
    assert queue.dropped == 1


async def test_a_reader_waits_for_items_and_stops_at_the_end() -> None:
    queue: DropOldest[int] = DropOldest(2)

    async def read() -> list[int]:
        return [item async for item in queue]

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    queue.put(1)
    await asyncio.sleep(0)
    queue.end()
    queue.put(2)
    assert await reading == [1]
