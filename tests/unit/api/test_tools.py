"""`/v2/tools` over HTTP on a real store, and which tools a persona has."""

from typing import Any

import pytest

from tests.unit.api.server import Server
from visavis.api.runnable import runnable

ASKS = {"name": "opening_hours", "description": "When the museum is open.", "delivery": {"app_message": True}}
CALLS = {
    "name": "get_weather",
    "description": "Look up the weather.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    "delivery": {
        "api": {"url": "https://93.184.216.34/{place}", "auth": {"type": "api_key", "name": "k", "value": "hidden"}}
    },
}


async def test_a_tool_is_made_shown_changed_listed_and_deleted(here: Server):
    made = await here.create("tools", **CALLS, on_resolve="generate_response")
    assert made["tool_id"].startswith("t") and made["tool_type"] == "user"
    assert made["delivery"]["api"]["auth"]["value"] == "********"
    changed = await here.client.patch(f"/v2/tools/{made['tool_id']}", json={"description": "Weather.", "tags": ["x"]})
    assert changed.status_code == 200 and changed.json()["description"] == "Weather."
    listed = await here.get("tools?type=user&sort=asc")
    assert [one["tool_id"] for one in listed["data"]] == [made["tool_id"]] and listed["total_count"] == 1
    assert {one["name"] for one in (await here.get("tools?type=system"))["data"]} >= {"end_call", "current_time"}
    stored = (await here.store.tools.get(made["tool_id"], reveal=True)).document
    assert stored["delivery"]["api"]["auth"]["value"] == "hidden"
    assert (await here.client.delete(f"/v2/tools/{made['tool_id']}")).status_code == 204
    assert (await here.client.get(f"/v2/tools/{made['tool_id']}")).status_code == 404


async def test_tools_are_found_by_id_and_by_a_part_of_their_name(here: Server):
    made = [await here.create("tools", **ASKS | {"name": name}) for name in ("opening_hours", "get_100", "getX100")]

    async def found(wanted: str) -> list[str]:
        listed = await here.get(f"tools?name_or_uuid={wanted}")
        assert listed["total_count"] == len(listed["data"])
        return [one["name"] for one in listed["data"]]

    assert await found("HOURS") == ["opening_hours"]
    assert await found(made[1]["tool_id"]) == ["get_100"]
    assert await found("t_100") == ["get_100"]
    assert await found("current") == ["current_time"] and await found("nothing") == []


async def test_a_secret_does_not_move_to_another_host(here: Server):
    made = await here.create("tools", **CALLS)
    api = made["delivery"]["api"] | {"url": "https://93.184.216.99/{place}"}
    refused = await here.client.patch(f"/v2/tools/{made['tool_id']}", json={"delivery": {"api": api}})
    assert refused.status_code == 400 and "auth.value" in refused.json()["error"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "1"}, "name"),
        ({"name": "end_call"}, "name"),
        ({"delivery": {}}, "delivery"),
        ({"delivery": {"api": {"url": "http://169.254.169.254/"}}}, "delivery.api.url"),
        ({"parameters": {"type": "array"}}, "parameters"),
        ({"on_call": "sing"}, "on_call"),
        ({"delivery": {"api": {"url": "https://x", "auth": {"type": "basic"}}}}, "delivery.api.auth"),
    ],
)
async def test_a_wrong_tool_is_refused_with_its_field(refusing: Server, change: dict[str, Any], field: str):
    refused = await refusing.client.post("/v2/tools", json=ASKS | change)
    assert refused.status_code == 400 and field in refused.json()["error"]


async def test_personas_get_and_lose_tools(here: Server):
    persona = (await here.create("personas", persona_name="Ines", system_prompt="You are Ines."))["persona_id"]
    tool = (await here.create("tools", **ASKS))["tool_id"]
    given = await here.client.post(f"/v2/pals/{persona}/tools/", json={"tool_ids": [tool, "end_call"]})
    assert given.status_code == 200 and given.json()["tool_ids"] == [tool, "end_call"]
    listed = await here.get(f"personas/{persona}/tools")
    assert [one["name"] for one in listed["data"]] == ["opening_hours", "end_call"]
    assert (await here.client.delete(f"/v2/pals/{persona}/tools/{tool}")).status_code == 204
    assert (await here.get(f"personas/{persona}"))["tool_ids"] == ["end_call"]
    assert (await here.client.delete(f"/v2/pals/{persona}/tools/{tool}")).status_code == 404
    unknown = await here.client.post(f"/v2/pals/{persona}/tools", json={"tool_ids": ["t0"]})
    assert unknown.status_code == 404


def test_a_persona_runs_with_the_tools_of_both_places():
    layers = {"llm": {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "current_time"}]}}
    document = {"persona_name": "I", "system_prompt": "x", "tool_ids": ["t1", "end_call"], "layers": layers}
    persona = runnable(document, tools=[ASKS])
    assert [one.name for one in persona.tools] == ["opening_hours", "f"]
    assert persona.system_tools == ("end_call", "current_time")
