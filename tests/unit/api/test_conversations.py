"""`/v2/conversations` over HTTP on a real store; only the engines and the browser of a call are simulated."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.api.server import Server, server
from visavis.hosting import meeting_tokens
from visavis.hosting.plan import Plan

OFFER = {"sdp": "v=0", "type": "offer"}
GUIDE = {"persona_name": "Ines", "system_prompt": "You are Ines.", "greeting": "Hello there."}


async def plan_of(here: Server, conversation_id: str) -> Plan:
    return Plan.model_validate(await here.store.conversations.snapshot(conversation_id))


async def test_created_conversation_has_a_link_and_can_be_looked_up(here: Server):
    response = await here.client.post("/v2/conversations")
    created = response.json()
    assert created["conversation_id"].startswith("c")
    assert created["conversation_url"] == f"http://127.0.0.1:8770/c/{created['conversation_id']}"
    assert created["status"] == "active"
    found = await here.get(f"conversations/{created['conversation_id']}")
    assert found["persona"] == {"persona_name": "Ada"}
    for field in ("persona_id", "pal_id", "replica_id", "face_id", "created_at", "callback_url", "conversation_name"):
        assert found[field] == created[field]


async def test_fields_of_the_request_shape_the_conversation(here: Server):
    persona_id = (await here.create("personas", **GUIDE))["persona_id"]
    created = await here.create(
        pal_id=persona_id,
        face_id="rmira",
        conversation_name="Interview",
        custom_greeting="Welcome.",
        conversational_context="It is raining.",
        metadata={"plan": "gold", "seats": 3},
        audio_only=True,
        properties={"max_call_duration": 60, "participant_left_timeout": 5, "apply_greenscreen": True},
        overrides={"layers": {"conversational_flow": {"face_interruptibility": "low"}}},
    )
    assert created["conversation_name"] == "Interview"
    plan = await plan_of(here, created["conversation_id"])
    assert plan.persona.greeting == "Welcome."
    assert "It is raining." in plan.persona.context
    assert "plan: gold" in plan.persona.context and "seats: 3" in plan.persona.context
    assert plan.persona.layers.conversational_flow.replica_interruptibility == "low"
    assert (plan.limits.max_call_duration, plan.limits.participant_left_timeout) == (60, 5)
    assert plan.audio_only and plan.green_screen


async def test_longest_texts_that_are_taken_can_also_be_run(here: Server):
    persona_id = (await here.create("personas", **GUIDE | {"system_prompt": "x" * 100_000, "context": "y" * 100_000}))[
        "persona_id"
    ]
    created = await here.create(
        persona_id=persona_id,
        conversational_context="z" * 100_000,
        custom_greeting="g" * 4_000,
        metadata={"m": "n" * 15_000},
    )
    plan = await plan_of(here, created["conversation_id"])
    assert plan.persona.context.startswith("yyy") and len(plan.persona.greeting) == 4_000


async def test_defaults_are_those_of_the_reference(here: Server):
    limits = (await plan_of(here, (await here.create())["conversation_id"])).limits
    assert (limits.max_call_duration, limits.participant_absent_timeout, limits.participant_left_timeout) == (
        3600,
        300,
        0,
    )


async def test_longer_calls_than_a_day_are_cut_to_a_day(here: Server):
    created = await here.create(properties={"max_call_duration": 1e9})
    assert (await plan_of(here, created["conversation_id"])).limits.max_call_duration == 86_400


async def test_conversation_keeps_its_persona_whatever_becomes_of_it(here: Server):
    persona_id = (await here.create("personas", **GUIDE))["persona_id"]
    created = await here.create(persona_id=persona_id)
    await here.client.delete(f"/v2/personas/{persona_id}?hard=true")
    found = await here.get(f"conversations/{created['conversation_id']}")
    assert found["persona"] == {"persona_name": "Ines"} and found["persona_id"] == persona_id


async def test_verbose_gives_back_what_was_asked_for(here: Server):
    created = await here.create(
        custom_greeting="Hi.", colour="green", metadata={"plan": "gold"}, properties={"livekit_room_token": "t0ps3cret"}
    )
    response = await here.client.get(f"/v2/conversations/{created['conversation_id']}?verbose=true")
    found = response.json()
    assert (found["custom_greeting"], found["colour"], found["metadata"]) == ("Hi.", "green", {"plan": "gold"})
    assert found["properties"]["max_call_duration"] == 3600
    assert found["shutdown_reason"] is None and found["events"] == []
    assert "t0ps3cret" not in response.text


async def test_replica_counts_among_those_who_may_be_in_the_call(here: Server):
    for asked, people in ((None, 1), (2, 1), (3, 2), (500, 9)):
        created = await here.create(**({"max_participants": asked} if asked else {}))
        assert (await here.store.conversations.snapshot(created["conversation_id"]))["people"] == people


async def test_what_is_not_done_yet_is_named(here: Server):
    created = await here.create(
        memory_stores=["m"],
        document_ids=["d1"],
        max_participants=100,
        colour="green",
        properties={"enable_recording": True, "language": "spanish", "livekit_ws_url": "wss://x"},
        overrides={"layers": {"tts": {"tts_engine": "cartesia"}}},
    )
    named = " ".join(created["warnings"])
    for word in (
        "memory_stores",
        "document_ids",
        "max_participants",
        "colour",
        "enable_recording",
        "spanish",
        "cartesia",
    ):
        assert word in named
    assert (await here.create(persona_id="ptutor", properties={"language": "english"}))["warnings"] == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"persona_id": "p404"}, "persona_id"),
        ({"replica_id": "r404"}, "replica_id"),
        ({"properties": {"max_call_duration": -1}}, "properties.max_call_duration"),
        ({"properties": {"participant_absent_timeout": 1e300}}, "properties.participant_absent_timeout"),
        ({"conversation_name": 7}, "conversation_name"),
        ({"max_participants": 1}, "max_participants"),
        ({"metadata": {"x": "y" * 20_000}}, "metadata"),
        ({"overrides": {"pipeline_mode": "sideways"}}, "overrides.pipeline_mode"),
        ({"callback_url": "gopher://example.org"}, "callback_url"),
        ({"callback_url": "http://127.0.0.1/hook"}, "callback_url"),
        ({"callback_url": "http://169.254.169.254/"}, "callback_url"),
        ({"face_id": "rmira", "replica_id": "rother"}, "face_id"),
    ],
)
async def test_unusable_field_is_named(refusing: Server, body, field):
    response = await refusing.client.post("/v2/conversations", json=body)
    assert response.status_code == 400
    assert field in response.json()["error"]
    assert response.json()["error"] == response.json()["message"]


async def test_private_callbacks_can_be_allowed(tmp_path: Path):
    async with server(tmp_path, allow_private_urls="true") as here:
        created = await here.create(callback_url="http://127.0.0.1:9/hook")
        assert created["callback_url"] == "http://127.0.0.1:9/hook"


async def test_credentials_of_a_persona_do_not_follow_an_override_to_another_address(here: Server):
    llm = {"base_url": "https://host/v1", "model": "m", "api_key": "sk-secret", "headers": {"x-org": "o"}}
    persona_id = (await here.create("personas", **GUIDE, layers={"llm": llm}))["persona_id"]
    kept = await here.create(persona_id=persona_id, overrides={"layers": {"llm": {"model": "other"}}})
    settings = (await plan_of(here, kept["conversation_id"])).persona.layers.llm
    assert settings and settings.model == "other"
    assert settings.api_key and settings.api_key.get_secret_value() == "sk-secret"
    moved = await here.create(persona_id=persona_id, overrides={"layers": {"llm": {"base_url": "https://else/v1"}}})
    settings = (await plan_of(here, moved["conversation_id"])).persona.layers.llm
    assert settings and settings.api_key is None and not settings.headers


async def test_test_mode_makes_a_conversation_that_has_ended(here: Server):
    created = await here.create(test_mode=True)
    assert created["status"] == "ended"
    offer = await here.client.post(f"/v2/conversations/{created['conversation_id']}/offer", json=OFFER)
    assert offer.status_code == 410


@pytest.mark.parametrize("where", [{"require_auth": True}, {"properties": {"require_auth": True}}])
async def test_private_conversation_comes_with_a_token_that_opens_it(here: Server, where):
    created = await here.create(**where)
    url = f"/v2/conversations/{created['conversation_id']}/offer"
    assert (await here.client.post(url, json=OFFER)).status_code == 403
    other = (await here.create(require_auth=True))["meeting_token"]
    assert (await here.client.post(url, json=OFFER | {"token": other})).status_code == 403
    assert (await here.client.post(url, json=OFFER | {"token": created["meeting_token"]})).status_code == 200
    assert "meeting_token" not in await here.create()


async def test_meeting_token_lives_as_long_as_the_conversation_waits(here: Server):
    created = await here.create(require_auth=True, properties={"participant_absent_timeout": 60})
    row = await here.store.conversations.get(created["conversation_id"])
    assert row.expires_at and timedelta(seconds=55) < row.expires_at - datetime.now(UTC) <= timedelta(seconds=60)
    secret = await here.store.signing_secret(meeting_tokens.SECRET_NAME)
    meeting_tokens.verify(secret, created["meeting_token"], created["conversation_id"], row.nonce)


async def test_offer_is_answered_and_a_second_one_is_told_that_the_call_is_taken(here: Server):
    url = f"/v2/conversations/{(await here.create())['conversation_id']}/offer"
    assert (await here.client.post(url, json=OFFER)).json() == {"sdp": "v=0 answer", "type": "answer"}
    second = await here.client.post(url, json=OFFER)
    assert second.status_code == 409
    assert "another tab" in second.json()["error"]


async def test_ending_tells_the_person_and_cannot_be_undone(here: Server):
    conversation_id = (await here.create())["conversation_id"]
    await here.client.post(f"/v2/conversations/{conversation_id}/offer", json=OFFER)
    await asyncio.sleep(0.05)
    for _ in range(2):
        response = await here.client.post(f"/v2/conversations/{conversation_id}/end")
        assert (response.status_code, response.content) == (200, b"")
    (call,) = here.calls
    assert call.closed
    assert (await here.client.post(f"/v2/conversations/{conversation_id}/offer", json=OFFER)).status_code == 410
    found = await here.get(f"conversations/{conversation_id}?verbose=true")
    assert (found["status"], found["shutdown_reason"]) == ("ended", "end_conversation_endpoint_hit")
    types = [event["event_type"] for event in found["events"]]
    assert "system.shutdown" in types and "conversation.utterance.streaming" not in types
    assert all(event["timestamp"].endswith("Z") and event["conversation_id"] for event in found["events"])


async def test_unknown_conversation_is_called_invalid_with_a_key(here: Server):
    for method, path in (("GET", ""), ("POST", "/end"), ("DELETE", ""), ("GET", "/transcript"), ("GET", "/latency")):
        response = await here.client.request(method, f"/v2/conversations/c1{path}")
        assert response.status_code == 400, path
        assert "Invalid conversation_id" in response.json()["error"]


@pytest.mark.parametrize("hard", ["true", "false"])
async def test_deleted_conversation_ends_and_is_gone(here: Server, hard):
    conversation_id = (await here.create())["conversation_id"]
    await here.client.post(f"/v2/conversations/{conversation_id}/offer", json=OFFER)
    await asyncio.sleep(0.05)
    response = await here.client.delete(f"/v2/conversations/{conversation_id}?hard={hard}")
    assert (response.status_code, response.content) == (204, b"")
    assert here.calls[0].closed
    assert (await here.client.get(f"/v2/conversations/{conversation_id}")).status_code == 400
    assert (await here.get("conversations"))["total_count"] == 0


async def test_lists_are_filtered_and_paged(here: Server):
    ids = [(await here.create())["conversation_id"] for _ in range(5)]
    await here.client.post(f"/v2/conversations/{ids[0]}/end")
    active = await here.get("conversations/?status=active&limit=3&page=2")
    assert active["total_count"] == 4
    assert [one["conversation_id"] for one in active["data"]] == [ids[1]]
    assert await here.get("conversations?page=0") == await here.get("conversations?page=1")
    assert (await here.client.get("/v2/conversations?status=lost")).status_code == 400


async def test_transcript_is_told_in_three_formats(here: Server):
    conversation_id = (await here.create())["conversation_id"]
    said = [
        {"role": "system", "content": "You are Ada."},
        {"role": "assistant", "content": "Hello.", "timestamp": 1.0, "seconds_from_start": 0.5, "duration": 0.8},
        {"role": "user", "content": "Is 2 < 3?\nYes", "timestamp": 63.0, "seconds_from_start": 62.25, "duration": 0},
    ]
    await here.store.conversations.add_utterances(conversation_id, said)
    path = f"/v2/conversations/{conversation_id}/transcript"
    assert (await here.client.get(path)).json() == {"conversation_id": conversation_id, "transcript": said}
    text = await here.client.get(path, params={"format": "text"})
    assert text.text == "[00:00:00] Ada: Hello.\n[00:01:02] Person: Is 2 < 3? Yes\n"
    vtt = await here.client.get(path, headers={"accept": "text/vtt"})
    assert vtt.headers["content-type"].startswith("text/vtt")
    assert vtt.text == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\n<v Ada>Hello.\n\n"
        "00:01:02.250 --> 00:01:03.250\n<v Person>Is 2 &lt; 3? Yes\n"
    )


async def test_latency_is_told_turn_by_turn(here: Server):
    conversation_id = (await here.create())["conversation_id"]
    for ms in (500.0, 300.0, None, 400.0):
        await here.store.conversations.add_latency(conversation_id, {"utterance_to_utterance_ms": ms, "stages": {}})
    found = await here.get(f"conversations/{conversation_id}/latency")
    assert len(found["turns"]) == 4
    assert (found["utterance_to_utterance_p50_ms"], found["utterance_to_utterance_p95_ms"]) == (400.0, 500.0)


async def test_repeated_request_makes_one_conversation(here: Server):
    header = {"Idempotency-Key": "order-17"}
    first = await here.client.post("/v2/conversations", json={"conversation_name": "A"}, headers=header)
    second = await here.client.post("/v2/conversations", json={"conversation_name": "A"}, headers=header)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    other = await here.client.post("/v2/conversations", json={"conversation_name": "B"}, headers=header)
    assert other.status_code == 422
    assert (await here.get("conversations"))["total_count"] == 1


async def test_failed_request_can_be_repeated_with_the_same_idempotency_key(here: Server):
    header = {"Idempotency-Key": "order-18"}
    body = {"persona_id": "pnot-yet"}
    assert (await here.client.post("/v2/conversations", json=body, headers=header)).status_code == 400
    assert (await here.client.post("/v2/conversations", json={}, headers=header)).status_code == 200


async def test_demo_link_leads_to_a_conversation_that_waits(here: Server):
    first = (await here.client.get("/demo")).headers["location"]
    assert (await here.client.get("/demo")).headers["location"] == first
    assert (await here.client.get("/demo?embed=1")).headers["location"] == f"{first}?embed=1"
    conversation_id = first.rsplit("/", 1)[-1]
    assert (await here.client.post(f"/v2/conversations/{conversation_id}/offer", json=OFFER)).status_code == 200
    await asyncio.sleep(0.05)
    assert (await here.client.get("/demo")).headers["location"] != first


async def test_page_learns_what_it_needs_without_a_key_and_nothing_else(tmp_path: Path):
    async with server(tmp_path, dev=False, api_key="secret-key") as here:
        made = await here.client.post(
            "/v2/conversations",
            json={"metadata": {"plan": "gold"}, "custom_greeting": "Psst."},
            headers={"x-api-key": "secret-key"},
        )
        path = f"/v2/conversations/{made.json()['conversation_id']}"
        shown = await here.client.get(path, params={"verbose": "true"})
        assert shown.json()["persona"] == {"persona_name": "Ada"}
        assert shown.json().keys() <= {
            "conversation_id", "conversation_name", "status", "persona", "replica", "in_call", "require_auth",
            "audio_only", "chat", "green_screen", "sees", "ice_servers",
        }  # fmt: skip
        assert (await here.client.get(path, headers={"x-api-key": "wrong"})).status_code == 401
        assert (await here.client.get("/v2/conversations/c0")).status_code == 404


@pytest.mark.parametrize(("model", "sees"), [("off", False), ("auto", True)])
async def test_page_learns_whether_the_persona_looks_at_the_person(tmp_path: Path, model: str, sees: bool):
    async with server(tmp_path) as here:
        persona = {"layers": {"perception": {"perception_model": model}}}
        made = await here.client.post("/v2/conversations", json={"overrides": persona})
        shown = await here.client.get(f"/v2/conversations/{made.json()['conversation_id']}")
        assert shown.json()["sees"] is sees
