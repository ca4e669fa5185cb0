"""`/v1/realtime` as the `openai` package's realtime client sees it, unchanged; only the engines are scripted.

Every message of the server is checked against the package's types.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
import uvicorn
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.conversation.simulation import (
    LevelActivity,
    ScriptedEndOfTurn,
    ScriptedModel,
    ScriptedRecogniser,
    SteadyVoice,
)
from tests.unit.api.server import Server, server
from visavis.hosting.plan import Plan
from visavis.layers import Layers

_EVENT: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
RATE_HZ = 24_000


class Engines:
    """The person says `said`; the model answers `replies`."""

    def __init__(self) -> None:
        self.recogniser = ScriptedRecogniser(["What time is it?", "And now?"], takes_s=0.02)
        self.model = ScriptedModel(["It is ten."], first_token_s=0.02, token_s=0.0)
        self.plans: list[Plan] = []

    @asynccontextmanager
    async def layers(self, plan: Plan) -> AsyncIterator[Layers]:
        self.plans.append(plan)
        yield Layers(LevelActivity, self.recogniser, ScriptedEndOfTurn(), self.model, SteadyVoice())


class Place:
    """A running server and what it answers with."""

    def __init__(self, url: str, here: Server, engines: Engines) -> None:
        self.url, self.here, self.engines = url, here, engines


@asynccontextmanager
async def running(folder: Path, **settings: Any) -> AsyncIterator[Place]:
    async with server(folder, **settings) as here:
        engines = Engines()
        here.hosting.engines = engines  # type: ignore[assignment]
        web = uvicorn.Server(uvicorn.Config(here.app, port=0, log_level="error", lifespan="off"))
        task = asyncio.create_task(web.serve())
        while not web.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        yield Place(f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}/v1", here, engines)
        web.should_exit = True
        await task


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with running(tmp_path) as found:
        yield found


class Client:
    """The package's own connection; keeps and checks what comes."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.events: list[Any] = []

    async def next(self) -> Any:
        async with asyncio.timeout(60):
            raw = await self.connection.recv_bytes()
        _EVENT.validate_python(json.loads(raw))
        self.events.append(self.connection.parse_event(raw))
        return self.events[-1]

    async def until(self, kind: str) -> Any:
        """The next event of that type."""
        while (event := await self.next()).type != kind:
            assert event.type != "error" or kind == "error", event
        return event

    async def speak(self, seconds: float, pause_s: float = 1.0) -> None:
        """Say something, and then nothing, as fast as it can be sent."""
        voice = np.resize(np.array([0.5, 0.5, 0.5, -0.5, -0.5, -0.5]), round(seconds * RATE_HZ))
        sound = np.concatenate([voice, np.zeros(round(pause_s * RATE_HZ))])
        pcm = (32767 * sound).astype("<i2").tobytes()
        for at in range(0, len(pcm), 9600):
            audio = base64.b64encode(pcm[at : at + 9600]).decode()
            await self.connection.input_audio_buffer.append(audio=audio)

    def types(self) -> list[str]:
        return [event.type for event in self.events]

    def sound(self) -> np.ndarray:
        deltas = [base64.b64decode(one.delta) for one in self.events if one.type == "response.output_audio.delta"]
        return np.frombuffer(b"".join(deltas), "<i2")


@asynccontextmanager
async def session(place: Place, model: str = "visavis", **update: Any) -> AsyncIterator[Client]:
    async with (
        openai.AsyncOpenAI(base_url=place.url, api_key="any") as package,
        package.realtime.connect(model=model) as connection,
    ):
        client = Client(connection)
        await client.until("session.created")
        if update:
            await connection.session.update(session={"type": "realtime", **update})
            await client.until("session.updated")
        yield client


MANUAL: dict[str, Any] = {"audio": {"input": {"turn_detection": None, "transcription": {"model": "any"}}}}


async def test_spoken_turn_is_heard_transcribed_and_answered_in_sound(place: Place):
    async with session(place, audio={"input": {"transcription": {"model": "any"}}}) as client:
        await client.speak(1.0)
        await client.until("response.done")
    kinds = [kind for kind in client.types() if not kind.endswith(".delta")]
    assert kinds == [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    of = {event.type: event for event in client.events}
    assert of["conversation.item.input_audio_transcription.completed"].transcript == "What time is it?"
    assert of["response.output_audio_transcript.done"].transcript == "It is ten."
    assert of["response.done"].response.status == "completed"
    sound = client.sound()
    assert abs(len(sound) - 0.9 * RATE_HZ) < RATE_HZ // 100
    assert np.abs(np.fft.rfft(sound.astype(float))).argmax() * RATE_HZ / len(sound) == pytest.approx(200, abs=2)
    (_, asked) = place.engines.model.asked[0]
    assert asked.content == "What time is it?"


async def test_two_turns_sent_at_once_are_two_turns(place: Place):
    async with session(place) as client:
        await client.speak(1.0, 1.5)
        await client.speak(1.0, 1.5)
        for _ in range(2):
            await client.until("input_audio_buffer.committed")


async def test_commit_and_response_by_hand(place: Place):
    async with session(place, **MANUAL) as client:
        await client.speak(1.0, 0.0)
        await client.connection.input_audio_buffer.commit()
        done = await client.until("conversation.item.input_audio_transcription.completed")
        assert done.transcript == "What time is it?"
        await client.connection.response.create()
        answered = await client.until("response.done")
    assert answered.response.output[0].content[0].transcript == "It is ten."
    assert "input_audio_buffer.speech_started" not in client.types()


async def test_text_alone_is_answered_in_text_alone(place: Place):
    async with session(place, output_modalities=["text"], instructions="You are Ada.") as client:
        message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
        await client.connection.conversation.item.create(item=message)
        await client.until("conversation.item.done")
        await client.connection.response.create()
        await client.until("response.done")
    deltas = [event.delta for event in client.events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "It is ten."
    assert not len(client.sound())
    system, person = place.engines.model.asked[0]
    assert (system.content, person.content) == ("You are Ada.", "Hello")


async def test_function_is_called_and_answered_from_its_output(place: Place):
    place.engines.model.replies = [[("get_time", '{"place": "Rome"}')], "It is ten in Rome."]
    tool = {"type": "function", "name": "get_time", "description": "Tell the time.", "parameters": {"type": "object"}}
    async with session(place, tools=[tool], tool_choice="auto", **MANUAL) as client:
        await client.connection.response.create()
        called = await client.until("response.function_call_arguments.done")
        done = await client.until("response.done")
        assert (called.name, json.loads(called.arguments)) == ("get_time", {"place": "Rome"})
        (item,) = done.response.output
        assert (item.type, item.call_id) == ("function_call", called.call_id)
        output = {"type": "function_call_output", "call_id": called.call_id, "output": "10:00"}
        await client.connection.conversation.item.create(item=output)
        await client.connection.response.create()
        await client.until("response.done")
    assert place.engines.model.offered[0] == ["get_time"]
    told = place.engines.model.asked[1]
    assert [one.role for one in told] == ["system", "assistant", "tool"]
    assert told[1].tool_requests[0].call_id == told[2].call_id and told[2].content == "10:00"


async def test_voice_interrupts_the_answer(place: Place):
    place.engines.model.replies = ["Word " * 60]
    place.engines.model.token_s = 0.05
    async with session(place) as client:
        await client.speak(1.0)
        await client.until("response.output_audio.delta")
        await client.speak(0.5)
        done = await client.until("response.done")
    assert done.response.status == "cancelled"
    assert done.response.status_details.reason == "turn_detected"
    assert done.response.output[0].status == "incomplete"


async def test_client_cancels_and_truncates_at_what_was_heard(place: Place):
    place.engines.model.replies = ["One two three four. Five six seven eight. " + "Word " * 80]
    place.engines.model.token_s = 0.02
    async with session(place, **MANUAL) as client:
        await client.connection.response.create()
        spoken = await client.until("response.output_audio.delta")
        await client.until("response.output_audio.delta")
        await client.connection.response.cancel()
        done = await client.until("response.done")
        assert done.response.status == "cancelled"
        await client.connection.conversation.item.truncate(item_id=spoken.item_id, content_index=0, audio_end_ms=700)
        await client.until("conversation.item.truncated")
        await client.connection.conversation.item.retrieve(item_id=spoken.item_id)
        item = (await client.until("conversation.item.retrieved")).item
        assert item.content[0].transcript == "One two"
        await client.connection.response.create()
        await client.until("response.created")
        await client.connection.response.cancel()
        await client.until("response.done")
        await client.connection.conversation.item.delete(item_id=spoken.item_id)
        await client.until("conversation.item.deleted")
    assert place.engines.model.asked[1][1].content == "One two"


TELEPHONY = {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}
TRUNCATE = {"type": "conversation.item.truncate", "content_index": 0}
WRONG: list[tuple[Any, str, str | None]] = [
    ({"type": "session.update", "session": TELEPHONY}, "invalid_value", "session.audio.input.format"),
    ({"type": "session.update", "session": {"tools": [{"type": "mcp"}]}}, "invalid_value", None),
    ({"type": "session.update", "session": {"type": "transcription"}}, "invalid_value", "session.type"),
    ({"type": "session.update"}, "missing_required_parameter", "session"),
    ({"type": "input_audio_buffer.append", "audio": "???"}, "invalid_value", "audio"),
    ({"type": "input_audio_buffer.append", "audio": "AA=="}, "invalid_value", "audio"),
    ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
    ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
    ({"type": "conversation.item.create", "item": {"type": "poem"}}, "invalid_value", "item.type"),
    ({"type": "conversation.item.delete", "item_id": "item_none"}, "item_not_found", "item_id"),
    ({**TRUNCATE, "item_id": "x"}, "missing_required_parameter", "audio_end_ms"),
    ({"type": "response.cancel"}, "response_cancel_not_active", "response_id"),
    ({"type": "dance"}, "invalid_value", "type"),
    ([1], "invalid_event", None),
]


async def test_wrong_messages_are_explained_and_the_session_goes_on(place: Place):
    async with session(place) as client:
        for message, code, param in WRONG:
            named = {**message, "event_id": "mine"} if isinstance(message, dict) else message
            await client.connection.send_raw(json.dumps(named))
            error = (await client.until("error")).error
            assert error.code == code and (param is None or error.param == param), (message, error)
            assert error.event_id == ("mine" if isinstance(message, dict) else None)
        await client.connection.send_raw("no JSON")
        await client.until("error")
        await client.connection.input_audio_buffer.clear()
        await client.until("input_audio_buffer.cleared")


async def test_second_response_at_once_is_refused(place: Place):
    place.engines.model.first_token_s = 0.5
    async with session(place, **MANUAL) as client:
        await client.connection.response.create()
        await client.connection.response.create()
        error = (await client.until("error")).error
        assert error.code == "conversation_already_has_active_response"
        await client.until("response.done")


async def test_response_beside_the_conversation_leaves_it_alone(place: Place):
    async with session(place, output_modalities=["text"]) as client:
        asked = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Sum it up."}]}
        beside = {"conversation": "none", "input": [asked], "instructions": "Be brief.", "metadata": {"topic": "sum"}}
        await client.connection.response.create(response=beside)
        done = await client.until("response.done")
        assert done.response.metadata == {"topic": "sum"}
        await client.connection.response.create()
        await client.until("response.done")
    first, second = place.engines.model.asked
    assert [one.content for one in first] == ["Be brief.", "Sum it up."]
    assert [one.role for one in second] == ["system"]
    assert client.types().count("conversation.item.added") == 1


async def test_failing_model_fails_the_response_alone(place: Place):
    place.engines.model.fails_after = 0
    async with session(place, **MANUAL) as client:
        await client.connection.response.create()
        done = await client.until("response.done")
        assert done.response.status == "failed" and "killed" in done.response.status_details.error.message
        place.engines.model.fails_after = None
        await client.connection.response.create()
        assert (await client.until("response.done")).response.status == "completed"


async def test_persona_is_a_model_and_a_stock_voice_a_voice(place: Place):
    made = await place.here.create("personas", persona_name="Tim", system_prompt="You are Tim.")
    async with session(place, made["persona_id"], audio={"output": {"voice": "coral"}}) as client:
        created = client.events[0]
    assert created.session.instructions == "You are Tim."
    assert place.engines.plans[0].persona.persona_name == "Tim"


async def test_key_is_asked_for_as_bearer_or_as_subprotocol(tmp_path: Path):
    async with running(tmp_path, dev=False, api_key="right") as place:
        address = f"ws{place.url.removeprefix('http')}/realtime?model=m"
        for headers, protocols in (({}, None), ({"Authorization": "Bearer wrong"}, None)):
            with pytest.raises(InvalidStatus) as refused:
                await connect(address, additional_headers=headers, subprotocols=protocols)
            assert refused.value.response.status_code == 401
        offered = ["realtime", "openai-insecure-api-key.right"]
        async with connect(address, subprotocols=offered) as socket:  # type: ignore[arg-type]
            assert socket.subprotocol == "realtime"
            assert json.loads(await socket.recv())["type"] == "session.created"
        async with connect(address, additional_headers={"Authorization": "Bearer right"}) as socket:
            assert json.loads(await socket.recv())["type"] == "session.created"


async def test_full_server_takes_no_further_session_and_a_session_is_a_line(place: Place):
    place.here.hosting.slots = 1
    async with session(place):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws{place.url.removeprefix('http')}/realtime?model=m")
        assert refused.value.response.status_code == 503 and refused.value.response.headers["Retry-After"]
    await asyncio.sleep(0.05)
    async with session(place):
        pass
