"""`visavis import`, from a service as the reference describes it into a real store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from visavis.remote.client import Remote, RemoteError
from visavis.remote.importing import Importer
from visavis.store import Store, open_store

TRANSCRIPT = [
    {"role": "system", "content": "You are Ana."},
    {"role": "user", "content": "Hello.", "timestamp": 1760000000.5, "seconds_from_start": 2.5, "duration": 0.5},
]
SECRETIVE = {"base_url": "https://host/v1", "model": "m", "api_key": "********"}
PERSONAS = [
    {
        "persona_id": f"p{number:04}",
        "pal_name": f"Ana {number}",
        "system_prompt": "You are Ana.",
        "default_face_id": "r0001",
        "colour": "green",
        "layers": {
            "llm": {"model": "tavus-gpt-oss"}
            if number
            else {"base_url": "https://h/v1", "model": "m", "api_key": "********"},
            "conversational_flow": {"face_interruptibility": "low"},
        },
        "created_at": "2026-01-01",
    }
    for number in range(130)
]
REPLICAS = [{"face_id": "r0001", "face_name": "Ana's face", "status": "completed", "model_name": "phoenix-4"}]
CONVERSATIONS = [
    {
        "conversation_id": "c0001",
        "conversation_name": "First",
        "status": "ended",
        "persona_id": "p0000",
        "face_id": "r0001",
    },
    {"conversation_id": "c0002", "status": "active"},
    {"conversation_id": "../x", "status": "ended"},
]
EVENTS = [
    {
        "event_type": "application.transcription_ready",
        "message_type": "application",
        "timestamp": "2025-10-09T08:53:20.000Z",
        "properties": {"transcript": TRANSCRIPT},
    }
]


def hosted(request: httpx.Request) -> httpx.Response:
    """A hosted service with many personas, one replica, and three conversations."""
    if request.headers.get("x-api-key") != "hosted-key":
        return httpx.Response(401, json={"message": "Invalid access token"})
    lists = {"/v2/personas": PERSONAS, "/v2/replicas": REPLICAS, "/v2/conversations": CONVERSATIONS}
    if request.url.path in lists:
        found = lists[request.url.path]
        limit, page = int(request.url.params["limit"]), int(request.url.params["page"])
        data = found[(page - 1) * limit : page * limit]
        return httpx.Response(200, json={"data": data, "total_count": len(found)})
    if request.url.path == "/v2/conversations/c0001":
        return httpx.Response(
            200, json=CONVERSATIONS[0] | {"shutdown_reason": "participant_left_timeout", "events": EVENTS}
        )
    return httpx.Response(404, json={"error": "no such thing"})


@asynccontextmanager
async def importing(folder: Path, key: str = "hosted-key") -> AsyncIterator[tuple[Store, Remote]]:
    url, sealing = f"sqlite:///{folder}/import.db", [Fernet.generate_key().decode()]
    async with open_store(url, str(folder / "files"), sealing) as store:
        with Remote("https://hosted.example/v2", key, httpx.MockTransport(hosted)) as remote:
            yield store, remote


async def test_everything_that_can_be_taken_is_taken_and_the_rest_is_named(tmp_path: Path):
    seen: dict[str, tuple[int, int]] = {}
    async with importing(tmp_path) as (store, remote):
        report = await Importer(remote, store).run(lambda kind, done, total: seen.update({kind: (done, total)}))
        assert seen == {"personas": (130, 130), "replicas": (1, 1), "conversations": (3, 3)}
        assert report.counts["personas", "taken"] == 130
        assert (report.counts["conversations", "taken"], report.counts["conversations", "not taken"]) == (1, 2)
        remarks = "\n".join(report.remarks)
        for words in ("p0000: layers.llm.api_key is a secret", "r0001: imported without its face", "c0002: its status"):
            assert words in remarks
        persona = (await store.personas.get("p0007")).document
        assert persona["persona_name"] == "Ana 7" and persona["colour"] == "green"
        assert persona["layers"]["conversational_flow"]["replica_interruptibility"] == "low"
        assert (persona["default_replica_id"], persona["imported_default_replica_id"]) == ("rmira", "r0001")
        assert "api_key" not in (await store.personas.get("p0000")).document["layers"]["llm"]
        replica = await store.replicas.get("r0001")
        assert (replica.name, replica.status) == ("Ana's face", "error")
        conversation = await store.conversations.get("c0001")
        assert (conversation.status, conversation.shutdown_reason) == ("ended", "participant_left_timeout")
        assert conversation.metadata["imported_from"] == "hosted.example"
        said = await store.conversations.transcript("c0001")
        assert [one["content"] for one in said] == ["You are Ana.", "Hello."]
        (event,) = await store.conversations.events("c0001")
        assert event["timestamp"] == 1760000000.0


async def test_nothing_is_overwritten_unless_asked_for(tmp_path: Path):
    async with importing(tmp_path) as (store, remote):
        await Importer(remote, store).run()
        changed = (await store.personas.get("p0001")).document | {"persona_name": "Mine"}
        await store.personas.replace("p0001", changed)
        again = await Importer(remote, store).run()
        assert (again.counts["personas", "kept"], again.counts["personas", "taken"]) == (130, 0)
        assert again.counts["conversations", "kept"] == 1
        assert (await store.personas.get("p0001")).document["persona_name"] == "Mine"
        forced = await Importer(remote, store, force=True).run()
        assert forced.counts["personas", "replaced"] == 130
        assert (await store.personas.get("p0001")).document["persona_name"] == "Ana 1"
        assert len(await store.conversations.transcript("c0001")) == 2


async def test_wrong_key_is_said_before_anything_is_stored(tmp_path: Path):
    async with importing(tmp_path, "wrong") as (store, remote):
        with pytest.raises(RemoteError, match="API key is not valid"):
            await Importer(remote, store).run()
        assert (await store.personas.page()).total == 0


async def test_secret_of_the_service_is_never_stored(tmp_path: Path):
    async with importing(tmp_path) as (store, remote):
        await Importer(remote, store).run()
    assert b"hosted-key" not in (tmp_path / "import.db").read_bytes()
