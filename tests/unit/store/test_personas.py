"""Stored personas and replicas, on both databases."""

import asyncio

import pytest
from sqlalchemy import select

from visavis.store import Store, tables
from visavis.store.errors import NotFoundError

DOCUMENT = {
    "persona_name": "Ines",
    "layers": {
        "llm": {"api_key": "vendor-secret", "headers": {"Authorization": "Bearer other-secret"}, "max_tokens": 5},
        "tts": {"api_key": ""},
    },
    "tools": [{"auth": {"type": "bearer", "token": "third-secret"}}],
    "field_of_the_future": 1,
}


async def test_secrets_are_masked_and_encrypted_and_can_be_had_in_clear(store: Store):
    made = await store.personas.create(DOCUMENT)
    assert made.document["layers"]["llm"] == {
        "api_key": "********",
        "headers": {"Authorization": "********"},
        "max_tokens": 5,
    }
    assert made.document["tools"][0]["auth"] == {"type": "bearer", "token": "********"}
    assert made.document["field_of_the_future"] == 1
    assert await store.personas.get(made.persona_id) == made
    assert (await store.personas.page()).items == (made,)
    assert (await store.personas.get(made.persona_id, reveal=True)).document == DOCUMENT
    raw = await store.database.read(lambda connection: str(connection.execute(select(tables.personas)).all()))
    assert "Ines" in raw
    assert "-secret" not in raw


async def test_masked_secret_that_comes_back_keeps_what_is_stored(store: Store):
    made = await store.personas.create(DOCUMENT)
    changed = {**made.document, "persona_name": "Eva", "api_key": "********"}
    replaced = await store.personas.replace(made.persona_id, changed)
    clear = (await store.personas.get(made.persona_id, reveal=True)).document
    assert clear == {**DOCUMENT, "persona_name": "Eva", "api_key": "********"}
    assert replaced.created_at == made.created_at
    assert replaced.updated_at > made.updated_at


async def test_system_personas_keep_their_id_and_are_listed_by_kind(store: Store):
    first = await store.personas.put("ptutor", {"persona_name": "Tutor"})
    await store.personas.create({"persona_name": "Mine"})
    again = await store.personas.put("ptutor", {"persona_name": "Tutor"})
    assert again == first
    newer = await store.personas.put("ptutor", {"persona_name": "Better tutor"})
    assert (newer.persona_id, newer.created_at) == ("ptutor", first.created_at)
    system, everybodys = await store.personas.page(kind="system"), await store.personas.page(kind="user")
    assert [one.document["persona_name"] for one in system.items] == ["Better tutor"]
    assert (system.total, everybodys.total, (await store.personas.page()).total) == (1, 1, 2)
    await store.personas.delete("ptutor")
    assert (await store.personas.put("ptutor", {"persona_name": "Better tutor"})).persona_id == "ptutor"
    assert (await store.personas.page(kind="system")).total == 1


async def test_deleted_persona_is_gone(store: Store):
    for hard in (False, True):
        made = await store.personas.create({"persona_name": "Short"})
        await store.personas.delete(made.persona_id, hard=hard)
        with pytest.raises(NotFoundError, match=made.persona_id):
            await store.personas.get(made.persona_id)
        with pytest.raises(NotFoundError):
            await store.personas.replace(made.persona_id, {})
    assert (await store.personas.page()).total == 0


async def test_replicas_are_filtered_by_kind_id_and_model(store: Store):
    stock = await store.replicas.put(
        replica_id="rmira", kind="system", name="Mira", model_name="drawn", status="completed", progress=100
    )
    mine = await store.replicas.put(name="Me", model_name="filmed", document={"train_video_url": "https://e.org/v.mp4"})
    assert (await store.replicas.page()).items == (mine, stock)
    assert (await store.replicas.page(kind="system")).items == (stock,)
    assert (await store.replicas.page(replica_ids=["rmira", "rnone"])).items == (stock,)
    by_model = await store.replicas.page(model_name="filmed", limit=1)
    assert (by_model.items, by_model.total) == ((mine,), 1)
    assert (await store.replicas.page(replica_ids=[])).total == 0


async def test_replica_changes_step_by_step(store: Store):
    made = await store.replicas.put(name="Me", model_name="filmed")
    for progress in (10, 60):
        await store.replicas.update(made.replica_id, progress=progress)
    done = await store.replicas.update(made.replica_id, status="completed", progress=100, bundle="replicas/me.replica")
    assert (done.status, done.progress, done.bundle, done.name) == ("completed", 100, "replicas/me.replica", "Me")
    assert await store.replicas.get(made.replica_id) == done
    assert (await store.replicas.delete(made.replica_id, hard=True)).bundle == "replicas/me.replica"
    with pytest.raises(NotFoundError):
        await store.replicas.update(made.replica_id, progress=1)


async def test_stock_replica_that_is_put_again_is_not_written_again(store: Store):
    given = {"replica_id": "rmira", "name": "Mira", "model_name": "drawn"}
    first = await store.replicas.put(**given)
    assert await store.replicas.put(**given) == first
    assert (await store.replicas.put(**given | {"name": "Mira 2"})).updated_at > first.updated_at


async def test_many_writers_at_once_all_succeed(store: Store):
    await asyncio.gather(*(store.personas.create({"persona_name": str(n)}) for n in range(100)))
    assert (await store.personas.page()).total == 100
