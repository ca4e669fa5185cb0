"""API keys in the store, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from visavis.errors import BadInputError
from visavis.store import Store, tables
from visavis.store.errors import NotFoundError


async def test_key_is_found_by_its_text_which_is_not_stored(store: Store):
    text, made = await store.keys.create(
        "laptop", scopes=["read"], networks=["10.1.2.3/8", "::1"], max_conversations=2, requests_per_minute=60
    )
    assert text.startswith("vv_")
    assert len(text) > 40
    assert await store.keys.find(text) == made
    assert made.networks == ("10.0.0.0/8", "::1/128")
    assert await store.keys.find(text + "x") is None
    raw = await store.database.read(lambda connection: str(connection.execute(select(tables.keys)).all()))
    assert "laptop" in raw
    assert text not in raw


async def test_revoked_and_expired_keys_are_not_valid(store: Store):
    now = datetime.now(UTC)
    _, lasting = await store.keys.create("lasting", expires_at=now + timedelta(days=1))
    assert lasting.is_valid(now)
    assert not lasting.is_valid(now + timedelta(days=2))
    revoked = await store.keys.revoke(lasting.key_id)
    assert not revoked.is_valid(now)
    assert (await store.keys.revoke(lasting.key_id)).revoked_at == revoked.revoked_at
    with pytest.raises(NotFoundError):
        await store.keys.revoke("knone")


async def test_first_key_is_made_once_in_a_lifetime(store: Store):
    first = await store.keys.create("first", only_as_first=True)
    assert first is not None
    await store.keys.revoke(first[1].key_id)
    assert await store.keys.create("first", only_as_first=True) is None
    assert len(await store.keys.all()) == 1


async def test_last_use_is_noted(store: Store):
    _, one = await store.keys.create("one")
    _, two = await store.keys.create("two")
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    await store.keys.used({one.key_id: moment})
    assert [key.last_used_at for key in await store.keys.all()] == [moment, None]
    assert two.last_used_at is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["read", "everything"]},
        {"scopes": []},
        {"networks": ["10.0.0.0/99"]},
        {"max_conversations": 0},
        {"requests_per_minute": -1},
    ],
)
async def test_senseless_keys_are_refused_by_field(store: Store, wrong: dict):
    with pytest.raises(BadInputError, match=next(iter(wrong))):
        await store.keys.create("wrong", **wrong)
    assert await store.keys.all() == []
