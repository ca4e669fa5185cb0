"""`/v2/conversations` over HTTP; only the browser at the other end of a call is simulated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.conversation.simulation import (
    CountingFace,
    LevelActivity,
    ScriptedEndOfTurn,
    ScriptedModel,
    ScriptedRecogniser,
    SimulatedCall,
    SteadyVoice,
)
from visavis.api.app import create_app
from visavis.api.live import LiveConversations
from visavis.config import Settings
from visavis.conversation.persona import Persona
from visavis.errors import BadInputError
from visavis.layers import Layers

OFFER = {"sdp": "v=0", "type": "offer"}


class Server:
    """An application and a client of it."""

    def __init__(self, **settings: object) -> None:
        self.calls: list[SimulatedCall] = []
        self.settings = Settings(**settings)
        model = ScriptedModel(["Fine."])
        layers = Layers(LevelActivity, ScriptedRecogniser([]), ScriptedEndOfTurn(), model, SteadyVoice())
        self.live = LiveConversations(layers, CountingFace(), self.answer, self.settings.max_conversations)
        persona = Persona(persona_name="Ada", system_prompt="You are Ada.", greeting="Hello.")
        app = create_app(self.settings, persona, self.live)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8770")

    async def answer(self, sdp: str) -> tuple[SimulatedCall, str]:
        if not sdp.startswith("v=0"):
            raise BadInputError("sdp", sdp, "an SDP offer")
        self.calls.append(SimulatedCall())
        return self.calls[-1], "v=0 answer"

    async def create(self, **body: object) -> dict:
        response = await self.client.post("/v2/conversations", json=body)
        assert response.status_code == 200, response.text
        return response.json()


@asynccontextmanager
async def server(**settings: object) -> AsyncIterator[Server]:
    here = Server(**settings)
    async with here.client:
        yield here
    await here.live.close()


async def test_created_conversation_has_a_link_and_can_be_looked_up():
    async with server() as here:
        response = await here.client.post("/v2/conversations")
        created = response.json()
        assert created["conversation_id"].startswith("c")
        assert created["conversation_url"] == f"http://127.0.0.1:8770/c/{created['conversation_id']}"
        assert created["status"] == "active"
        found = (await here.client.get(f"/v2/conversations/{created['conversation_id']}")).json()
        assert found["persona"] == {"persona_name": "Ada"}


async def test_properties_of_the_request_shape_the_conversation():
    async with server() as here:
        created = await here.create(
            conversation_name="Interview",
            custom_greeting="Welcome.",
            conversational_context="It is raining.",
            properties={"max_call_duration": 60, "enable_recording": False},
        )
        assert created["conversation_name"] == "Interview"
        live = here.live.get(created["conversation_id"])
        assert live.conversation.persona.greeting == "Welcome."
        assert live.conversation.persona.context == "It is raining."
        assert live.max_call_duration_s == 60


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"persona_id": "p404"}, "persona_id"),
        ({"replica_id": "r404"}, "replica_id"),
        ({"properties": {"max_call_duration": -1}}, "properties.max_call_duration"),
        ({"conversation_name": 7}, "conversation_name"),
    ],
)
async def test_unusable_field_is_named(body, field):
    async with server() as here:
        response = await here.client.post("/v2/conversations", json=body)
        assert response.status_code == 400
        assert field in response.json()["error"]
        assert response.json()["error"] == response.json()["message"]


async def test_offer_is_answered_and_a_second_one_is_told_that_the_call_is_taken():
    async with server(max_conversations=2) as here:
        url = f"/v2/conversations/{(await here.create())['conversation_id']}/offer"
        answer = await here.client.post(url, json=OFFER)
        assert answer.json() == {"sdp": "v=0 answer", "type": "answer"}
        second = await here.client.post(url, json=OFFER)
        assert second.status_code == 409
        assert "another tab" in second.json()["error"]


async def test_more_calls_than_allowed_are_asked_to_come_back():
    async with server(max_conversations=1) as here:
        first, second = [(await here.create())["conversation_id"] for _ in range(2)]
        await here.client.post(f"/v2/conversations/{first}/offer", json=OFFER)
        busy = await here.client.post(f"/v2/conversations/{second}/offer", json=OFFER)
        assert busy.status_code == 503
        assert int(busy.headers["retry-after"]) > 0
        await here.client.post(f"/v2/conversations/{first}/end")
        again = await here.client.post(f"/v2/conversations/{second}/offer", json=OFFER)
        assert again.status_code == 200


async def test_ending_tells_the_person_and_cannot_be_undone():
    async with server() as here:
        conversation_id = (await here.create())["conversation_id"]
        await here.client.post(f"/v2/conversations/{conversation_id}/offer", json=OFFER)
        await asyncio.sleep(0.05)
        for _ in range(2):
            assert (await here.client.post(f"/v2/conversations/{conversation_id}/end")).status_code == 200
        (call,) = here.calls
        assert call.closed
        assert call.said("conversation.ended")[0]["properties"] == {"reason": "end_conversation_api"}
        assert (await here.client.post(f"/v2/conversations/{conversation_id}/offer", json=OFFER)).status_code == 410
        found = (await here.client.get(f"/v2/conversations/{conversation_id}?verbose=true")).json()
        assert found["status"] == "ended"
        assert found["shutdown_reason"] == "end_conversation_api"
        assert "conversation.utterance.streaming" not in {event["event_type"] for event in found["events"]}


async def test_unknown_conversation_is_not_found():
    async with server() as here:
        for method, path in (("GET", "/v2/conversations/c1"), ("POST", "/v2/conversations/c1/end")):
            response = await here.client.request(method, path)
            assert response.status_code == 404
            assert "c1" in response.json()["error"]


async def test_unusable_offer_is_refused_and_leaves_the_line_free():
    async with server() as here:
        url = f"/v2/conversations/{(await here.create())['conversation_id']}/offer"
        assert (await here.client.post(url, json={"sdp": "hello", "type": "offer"})).status_code == 400
        assert (await here.client.post(url, json={"sdp": "v=0", "type": "answer"})).status_code == 400
        assert (await here.client.post(url, json=OFFER)).status_code == 200


async def test_person_who_leaves_politely_ends_the_conversation():
    async with server() as here:
        conversation_id = (await here.create())["conversation_id"]
        await here.client.post(f"/v2/conversations/{conversation_id}/offer", json=OFFER)
        here.calls[0].type("conversation.leave")
        await asyncio.sleep(0.3)
        found = (await here.client.get(f"/v2/conversations/{conversation_id}?verbose=true")).json()
        assert (found["status"], found["shutdown_reason"]) == ("ended", "participant_left_timeout")


async def test_person_who_is_lost_may_come_back_and_is_not_greeted_again():
    async with server() as here:
        conversation_id = (await here.create())["conversation_id"]
        url = f"/v2/conversations/{conversation_id}/offer"
        await here.client.post(url, json=OFFER)
        await asyncio.sleep(0.3)
        await here.calls[0].close()
        await asyncio.sleep(0.3)
        assert (await here.client.post(url, json=OFFER)).status_code == 200
        await asyncio.sleep(0.5)
        assert here.calls[0].said("conversation.replica.started_speaking")
        assert here.calls[1].said("system.replica_present")
        assert not here.calls[1].said("conversation.replica.started_speaking")


async def test_nobody_comes_and_the_conversation_ends_by_itself():
    async with server() as here:
        created = await here.create(properties={"participant_absent_timeout": 0.1})
        await asyncio.sleep(0.3)
        found = (await here.client.get(f"/v2/conversations/{created['conversation_id']}?verbose=true")).json()
        assert found["shutdown_reason"] == "participant_absent_timeout"


async def test_call_that_lasts_too_long_is_ended():
    async with server() as here:
        created = await here.create(properties={"max_call_duration": 0.2})
        await here.client.post(f"/v2/conversations/{created['conversation_id']}/offer", json=OFFER)
        await asyncio.sleep(0.5)
        assert here.calls[0].said("conversation.ended")[0]["properties"] == {"reason": "max_call_duration"}


async def test_lists_are_filtered_and_paged():
    async with server() as here:
        ids = [(await here.create())["conversation_id"] for _ in range(5)]
        await here.client.post(f"/v2/conversations/{ids[0]}/end")
        active = (await here.client.get("/v2/conversations?status=active&limit=3&page=2")).json()
        assert active["total_count"] == 4
        assert [one["conversation_id"] for one in active["data"]] == [ids[1]]


async def test_demo_link_leads_to_a_conversation_that_waits():
    async with server() as here:
        first = (await here.client.get("/demo")).headers["location"]
        assert (await here.client.get("/demo")).headers["location"] == first
        assert (await here.client.get("/demo?embed=1")).headers["location"] == f"{first}?embed=1"
        conversation_id = first.rsplit("/", 1)[-1]
        await here.client.post(f"/v2/conversations/{conversation_id}/offer", json=OFFER)
        await asyncio.sleep(0.05)
        assert (await here.client.get("/demo")).headers["location"] != first


async def test_foreign_host_names_are_refused_on_loopback():
    async with server() as here:
        response = await here.client.get("/v2/conversations", headers={"host": "evil.example"})
        assert response.status_code == 400


async def test_beyond_loopback_the_key_is_asked_for():
    async with server(host="0.0.0.0", api_key="secret-key") as here:
        assert (await here.client.post("/v2/conversations")).status_code == 401
        assert (await here.client.get("/demo")).status_code == 401
        allowed = await here.client.post("/v2/conversations", headers={"x-api-key": "secret-key"})
        assert allowed.status_code == 200
        conversation_id = allowed.json()["conversation_id"]
        assert (await here.client.get(f"/v2/conversations/{conversation_id}")).status_code == 200
        assert "secret-key" not in repr(here.settings)


async def test_figures_for_prometheus_are_served_and_need_the_key_beyond_loopback():
    async with server() as here:
        response = await here.client.get("/metrics")
        assert response.status_code == 200
        assert "visavis_calls 0.0" in response.text
    async with server(host="0.0.0.0", api_key="secret") as here:
        assert (await here.client.get("/metrics")).status_code == 401
        assert (await here.client.get("/metrics", headers={"x-api-key": "secret"})).status_code == 200
