"""Stored conversations, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from visavis.errors import BadInputError
from visavis.store import Store
from visavis.store.errors import ConflictError, NotFoundError
from visavis.store.webhooks import NewDelivery


async def test_created_conversation_is_read_back_as_it_was_returned(store: Store):
    made = await store.conversations.create(
        snapshot={"persona": {"layers": {"llm": {"api_key": "vendor-secret"}}}},
        persona_id="p1",
        replica_id="r1",
        name="Gespräch 😀",
        callback_url="https://example.org/hook",
        key_id="k1",
        properties={"max_call_duration": 60, "livekit_room_token": "room-secret"},
        metadata={"order": [1, {"two": None}]},
        expires_at=datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    )
    assert made.conversation_id.startswith("c")
    assert len(made.conversation_id) == 21
    assert await store.conversations.get(made.conversation_id) == made
    assert made.properties == {"max_call_duration": 60, "livekit_room_token": "********"}
    assert (await store.conversations.properties(made.conversation_id))["livekit_room_token"] == "room-secret"
    snapshot = await store.conversations.snapshot(made.conversation_id)
    assert snapshot["persona"]["layers"]["llm"]["api_key"] == "vendor-secret"


async def test_pages_are_newest_first_and_know_the_length_of_the_whole_list(store: Store):
    made = [await store.conversations.create(snapshot={}, name=str(number)) for number in range(7)]
    await store.conversations.end(made[2].conversation_id, "somebody hung up")
    await store.conversations.delete(made[3].conversation_id)
    first = await store.conversations.page(limit=3)
    second = await store.conversations.page(limit=3, offset=3)
    assert [one.name for one in first.items + second.items] == ["6", "5", "4", "2", "1", "0"]
    assert first.total == second.total == 6
    ended = await store.conversations.page(status="ended")
    assert ([one.name for one in ended.items], ended.total) == (["2"], 1)
    assert (await store.conversations.page(status="active")).total == 5
    assert (await store.conversations.page(offset=100)).total == 6


async def test_total_stays_right_through_every_change_at_once(store: Store):
    made = await asyncio.gather(*(store.conversations.create(snapshot={}) for _ in range(40)))
    ids = [one.conversation_id for one in made]
    assert len(set(ids)) == 40
    await asyncio.gather(
        *(store.conversations.end(one, "over") for one in ids[:20]),
        *(store.conversations.delete(one) for one in ids[30:35]),
        *(store.conversations.delete(one, hard=True) for one in ids[35:]),
    )
    await store.conversations.delete(ids[0], hard=True)
    for status, expected in (("active", 10), ("ended", 19), (None, 29)):
        page = await store.conversations.page(limit=100, status=status)
        assert page.total == len(page.items) == expected


async def test_ending_stores_reason_events_and_webhooks_once(store: Store):
    made = await store.conversations.create(snapshot={})
    hook = NewDelivery("https://example.org", "system.shutdown", {"n": 1}, made.conversation_id)
    ended = await asyncio.gather(
        *(
            store.conversations.end(made.conversation_id, reason, events=[{"said_by": reason}], deliveries=[hook])
            for reason in ("first", "second", "third")
        )
    )
    assert sorted(ended) == [False, False, True]
    found = await store.conversations.get(made.conversation_id)
    assert found.status == "ended"
    assert found.ended_at == found.updated_at
    assert await store.conversations.events(made.conversation_id) == [{"said_by": found.shutdown_reason}]
    assert (await store.webhooks.page(status="pending")).total == 1


async def test_first_person_starts_it_and_later_ones_change_nothing(store: Store):
    soon = datetime.now(UTC) + timedelta(minutes=5)
    made = await store.conversations.create(snapshot={}, expires_at=soon)
    hook = NewDelivery("https://example.org", "system.replica_joined", {})
    first = await store.conversations.started(made.conversation_id, [hook])
    second = await store.conversations.started(made.conversation_id, [hook])
    assert first.started_at is not None
    assert second == first
    assert first.expires_at is None
    assert (await store.webhooks.page(status="pending")).total == 1
    assert await store.conversations.abandoned() == [made.conversation_id]


async def test_only_conversations_of_dead_servers_are_abandoned(store: Store):
    names = {}
    for server_id, name, lease_s in (("s1", "one", 60), ("s2", "two", 60), ("s3", "three", -1)):
        await store.servers.begin(server_id, name, lease_s)
        made = await store.conversations.create(snapshot={})
        await store.conversations.started(made.conversation_id, server_id=server_id)
        names[server_id] = made.conversation_id
    assert (await store.conversations.get(names["s1"])).server_id == "s1"
    assert await store.conversations.abandoned() == [names["s3"]]
    await store.servers.begin("s4", "one", 60)
    assert sorted(await store.conversations.abandoned()) == sorted([names["s1"], names["s3"]])
    assert await store.servers.renew("s2", 60) and not await store.servers.renew("s1", 60)
    await store.servers.finish("s2")
    assert set(await store.conversations.abandoned()) == set(names.values())


async def test_conversations_that_nobody_joined_in_time_are_found(store: Store):
    now = datetime.now(UTC)
    late = await store.conversations.create(snapshot={}, expires_at=now - timedelta(seconds=1))
    await store.conversations.create(snapshot={}, expires_at=now + timedelta(minutes=1))
    await store.conversations.create(snapshot={})
    over = await store.conversations.create(snapshot={}, expires_at=now - timedelta(seconds=1))
    await store.conversations.end(over.conversation_id, "over")
    assert await store.conversations.expired(now) == [late.conversation_id]


async def test_events_transcript_and_latency_are_kept_apart_and_in_order(store: Store):
    made = await store.conversations.create(snapshot={})
    name = made.conversation_id
    for number in range(3):
        await store.conversations.add_events(name, [{"seq": 2 * number}, {"seq": 2 * number + 1}])
        await store.conversations.add_utterances(name, [{"role": "user", "content": str(number)}])
        await store.conversations.add_latency(name, {"turn": number})
    await store.conversations.add_events("cother", [{"seq": 99}])
    assert [event["seq"] for event in await store.conversations.events(name)] == list(range(6))
    assert [one["content"] for one in await store.conversations.transcript(name)] == ["0", "1", "2"]
    assert await store.conversations.latency(name) == [{"turn": 0}, {"turn": 1}, {"turn": 2}]
    await store.conversations.delete(name, hard=True)
    assert await store.conversations.events(name) == []
    assert len(await store.conversations.events("cother")) == 1


async def test_active_conversations_of_a_key_are_counted(store: Store):
    made = [await store.conversations.create(snapshot={}, key_id="k1") for _ in range(3)]
    await store.conversations.create(snapshot={}, key_id="k2")
    await store.conversations.end(made[0].conversation_id, "over")
    assert await store.conversations.active_count("k1") == 2
    assert await store.conversations.active_count("k3") == 0


async def test_unknown_and_deleted_conversations_are_named(store: Store):
    made = await store.conversations.create(snapshot={})
    await store.conversations.delete(made.conversation_id)
    for work in (
        store.conversations.get(made.conversation_id),
        store.conversations.snapshot(made.conversation_id),
        store.conversations.delete(made.conversation_id),
        store.conversations.started("cunknown"),
        store.conversations.end("cunknown", "over"),
    ):
        with pytest.raises(NotFoundError, match="conversation"):
            await work


async def test_same_id_twice_is_refused_and_harms_nobody_else(store: Store):
    outcomes = await asyncio.gather(
        store.conversations.create(snapshot={}, conversation_id="csame"),
        store.conversations.create(snapshot={}, name="another"),
        store.conversations.create(snapshot={}, conversation_id="csame"),
        store.conversations.create(snapshot={}, name="a third"),
        return_exceptions=True,
    )
    assert [type(one).__name__ for one in outcomes].count("ConflictError") == 1
    assert isinstance(outcomes[0] if isinstance(outcomes[0], Exception) else outcomes[2], ConflictError)
    assert (await store.conversations.page()).total == 3


@pytest.mark.parametrize("text", ["c\0", "c\ud800"])
async def test_text_that_a_database_cannot_hold_is_refused(store: Store, text: str):
    with pytest.raises(BadInputError):
        await store.conversations.get(text)
    with pytest.raises(BadInputError):
        await store.conversations.create(snapshot={}, name=text)
    assert (await store.conversations.page()).total == 0


async def test_json_may_hold_any_text(store: Store):
    odd = {"nul": "a\0b", "surrogate": "\ud800", "emoji": "😀", "": [True, 1.5, None]}
    made = await store.conversations.create(snapshot=odd, metadata=odd)
    assert (await store.conversations.get(made.conversation_id)).metadata == odd
    assert await store.conversations.snapshot(made.conversation_id) == odd
