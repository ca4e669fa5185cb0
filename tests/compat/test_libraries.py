"""Clients that are libraries: LiveKit's plugin, Astrocyte's integration, and tavus-cli's server for assistants."""

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.compat.checking import check
from tests.compat.clients import Clients, Ran

pytestmark = pytest.mark.slow


def printed(ran: Ran) -> Any:
    """What a program found out, after checking all that it was answered."""
    assert ran.code == 0, ran.err
    check(ran.exchanges)
    return ran.json


def base_url(clients: Clients) -> str:
    return f"{clients.recorder.url}/v2"


@pytest.fixture
def conversation_id(clients: Clients) -> str:
    headers = {"x-api-key": clients.key}
    made = httpx.post(f"{base_url(clients)}/conversations", json={"conversation_name": "Tour"}, headers=headers).json()
    httpx.post(f"{base_url(clients)}/conversations/{made['conversation_id']}/end", headers=headers)
    return str(made["conversation_id"])


def test_astrocyte_lists_and_finds_conversations(clients: Clients, conversation_id: str):
    found = printed(clients.program("astrocyte_conversations", base_url(clients), clients.key, conversation_id))
    for listed in (found["first"], found["ended"]):
        assert listed["data"][0]["conversation_id"] == conversation_id
        assert listed["total_count"] >= 1
    assert {one["status"] for one in found["ended"]["data"]} == {"ended"}
    assert found["one"]["conversation_name"] == found["verbose"]["conversation_name"] == "Tour"
    assert "events" not in found["one"]
    assert found["verbose"]["shutdown_reason"] == "end_conversation_endpoint_hit"
    assert [event["event_type"] for event in found["verbose"]["events"]] == ["system.shutdown"]
    assert (found["unknown"]["status"], found["wrong key"]["status"]) == (400, 401)


def test_livekit_plugin_makes_pals_and_conversations(clients: Clients):
    ran = clients.program("livekit_avatar", base_url(clients), clients.key)
    found = printed(ran)
    made = {one.answered["conversation_id"]: one for one in ran.exchanges if "conversation_id" in (one.answered or {})}
    for name in ("conversation", "old names", "avatar session"):
        answered = made[found[name]].answered
        assert (answered["pal_id"], answered["face_id"]) == (found["pal"], "rmira")
    # Rooms of LiveKit cannot be joined yet, and the answer says so.
    in_rooms = [made[found[name]] for name in ("conversation", "no names", "avatar session")]
    for exchange in in_rooms:
        assert exchange.sent["properties"].keys() == {"livekit_ws_url", "livekit_room_token"}
        assert any(line.startswith("properties.livekit_ws_url") for line in exchange.answered["warnings"])
    # It would name the hosted service's own; the parrot stands in for it.
    assert made[found["no names"]].sent["pal_id"] == "pb87e71797da"
    assert made[found["no names"]].answered["pal_id"] == "pparrot"
    assert (found["unknown pal"]["status"], found["wrong key"]["status"]) == (400, 401)


def tools(clients: Clients, *calls: Sequence[Any]) -> Ran:
    (clients.folder / "calls.json").write_text(json.dumps(calls))
    return clients.program("mcp_tools", "calls.json")


def test_tools_of_resources_that_exist_work_for_assistants(clients: Clients):
    ran = tools(
        clients,
        ("tavus_mcp_health_check", {}),
        ("tavus_quickstart", {"system_prompt": "You are Ines.", "pal_name": "Quick"}),
        ("tavus_pal_from_template", {"template": "tutor", "default_face_id": "rmira"}),
        ("tavus_pal_create", {"system_prompt": "You are Ines.", "pal_name": "Ines", "default_face_id": "rmira"}),
        ("tavus_pal_get", {"pal_id": "$pal_id", "include_settings": True}),
        ("tavus_pal_list", {"pal_type": "user", "sort": "desc"}),
        (
            "tavus_patch_pal",
            {"pal_id": "$pal_id", "ops": [{"op": "replace", "path": "/greeting", "value": "Welcome."}]},
        ),
        ("tavus_pal_preview", {"pal_id": "$pal_id"}),
        ("tavus_pal_knowledge_settings_patch", {"pal_id": "$pal_id", "rag_n_chunks": 3}),
        ("tavus_pal_capability_attach", {"pal_id": "$pal_id", "capability_id": "perception"}),
        ("tavus_pal_capability_detach", {"pal_id": "$pal_id", "capability_id": "perception"}),
        ("tavus_meeting_configure", {"pal_id": "$pal_id", "wake_phrase": "Hey Ines", "sleep_phrase": "Thanks Ines"}),
        ("tavus_face_list", {"stock": True}),
        ("tavus_voice_list", {}),
        ("tavus_resource_list", {"resource": "voices"}),
        ("tavus_conversation_create", {"pal_id": "$pal_id", "meeting_url": "https://meet.example.com/abc"}),
        ("tavus_conversation_end", {"conversation_id": "$conversation_id"}),
        ("tavus_chat_start", {"pal_id": "$pal_id", "custom_greeting": "Hi."}),
        ("tavus_chat_end", {"conversation_id": "$conversation_id"}),
        ("tavus_pal_delete", {"pal_id": "$pal_id"}),
    )
    found = printed(ran)
    assert found["tools"] == 81
    assert [one for one in found["answers"] if one["failed"]] == []
    answers = {one["tool"]: one["answer"] for one in found["answers"]}
    assert answers["tavus_mcp_health_check"]["ok"]
    assert answers["tavus_meeting_configure"]["settings_verified"]
    assert answers["tavus_pal_get"]["pal_name"] == "Ines"
    assert ran.exchanges[-1].headers["x-tavus-client-tool"] == "tavus_pal_delete"


def test_tools_of_resources_that_do_not_exist_yet_fail_with_404(clients: Clients):
    ran = tools(
        clients,
        ("tavus_document_list", {}),
        ("tavus_guardrail_list", {}),
        ("tavus_objective_list", {}),
        ("tavus_skill_list", {}),
        ("tavus_deployment_list", {}),
        ("tavus_builder_list", {}),
        ("tavus_pal_skills_list", {"pal_id": "pguide"}),
    )
    assert ran.code == 0, ran.err
    for one in ran.json["answers"]:
        assert one["failed"] and "failed with 404" in one["answer"], one
    for exchange in ran.exchanges:
        assert exchange.status == 404
        assert exchange.answered["error"].endswith("not available in this version of visavis.")
