"""What happened is written in the end, whatever the disk does meanwhile."""

import asyncio

import pytest

from tests.unit.hosting.house import house, until
from visavis.hosting import journal as journal_file
from visavis.hosting import shutdown
from visavis.hosting.errors import ConversationEndedError
from visavis.store.errors import StorageFullError


class FullDisk:
    """Lets no write through while it is full."""

    def __init__(self, database, monkeypatch) -> None:
        self.full = False
        write = database.write

        async def perhaps(work):
            if self.full:
                raise StorageFullError("no space left")
            return await write(work)

        monkeypatch.setattr(database, "write", perhaps)


async def test_call_goes_on_while_the_disk_is_full_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_file, "FLUSH_S", 0.05)
    monkeypatch.setattr(journal_file, "LONGEST_PAUSE_S", 0.1)
    async with house(tmp_path) as here:
        disk = FullDisk(here.store.database, monkeypatch)
        conversation_id, call = await here.joined()
        disk.full = True
        for number in range(3):
            echo = {"event_type": "conversation.echo", "properties": {"text": f"Number {number}."}}
            await here.hosting.interact(conversation_id, echo)
            await until(lambda number=number: len(call.said("conversation.utterance")) > number)
        await asyncio.sleep(0.3)
        stored = [line["content"] for line in await here.store.conversations.transcript(conversation_id)]
        assert "Number 0." not in stored
        with pytest.raises(StorageFullError):
            await here.hosting.end(conversation_id, shutdown.ENDED_BY_REQUEST)
        assert call.closed
        with pytest.raises(ConversationEndedError):
            await here.hosting.connect(conversation_id, "v=0")
        disk.full = False
        assert await here.ended(conversation_id) == "end_conversation_endpoint_hit"
        lines = await here.store.conversations.transcript(conversation_id)
        assert [line["content"] for line in lines[1:]] == ["Number 0.", "Number 1.", "Number 2."]
        numbers = [event["seq"] for event in await here.store.conversations.events(conversation_id)]
        assert numbers == sorted(set(numbers))
