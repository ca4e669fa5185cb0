"""A store that is closed waits for those who still read, also when nobody waits for what they read."""

import asyncio
import threading
import time

from sqlalchemy import text

from visavis.store.sqlite import sqlite


async def test_reading_that_was_given_up_ends_before_the_file_is_let_go(tmp_path):
    begun, found = threading.Event(), []

    def slow(connection):
        begun.set()
        time.sleep(0.3)
        try:
            found.append(connection.execute(text("SELECT 1")).scalar())
        except Exception as error:
            found.append(error)

    async with sqlite(tmp_path / "visavis.db") as database:
        reading = asyncio.create_task(database.read(slow))
        await asyncio.to_thread(begun.wait, 10)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert found == [1]
