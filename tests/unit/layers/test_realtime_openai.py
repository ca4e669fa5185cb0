"""The client of the OpenAI Realtime protocol, against a server that checks every message with the openai package."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.realtime_server import RealtimeServer, realtime_server
from visavis.errors import EngineError
from visavis.layers.llm import Function, Message
from visavis.layers.realtime import (
    Complaint,
    Event,
    Part,
    PersonSaid,
    Ready,
    RefusedError,
    ReplyBegan,
    ReplyEnded,
    Said,
    Sound,
    SpeechBegan,
    SpeechEnded,
    Words,
)
from visavis.layers.realtime.openai_realtime import OpenAIRealtime, OpenAISession
from visavis.layers.settings import RealtimeSettings
from visavis.outbound import Outbound, PrivateAddresses

LOCAL = PrivateAddresses(every=True)
PART = Part("You are Tim.", (Function("book", "Book it.", {"type": "object", "properties": {}}),))
TONE = (8000 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)).astype(np.int16)


@pytest.fixture
async def server() -> AsyncIterator[RealtimeServer]:
    async with realtime_server() as found:
        yield found


@asynccontextmanager
async def connected(server: RealtimeServer, part: Part = PART, **settings: Any) -> AsyncIterator[OpenAISession]:
    given = {"base_url": server.url, "model": "gpt-realtime", "api_key": "sk-secret", **settings}
    model = OpenAIRealtime(RealtimeSettings.model_validate(given), Outbound(LOCAL))
    async with model.connect(part) as session:
        yield session


async def told(session: OpenAISession, count: int) -> list[Event]:
    """The first `count` things that the model does."""
    found: list[Event] = []
    async with asyncio.timeout(60):
        async for event in session.events():
            found.append(event)
            if len(found) == count:
                return found
    raise AssertionError(found)


async def test_session_is_described_in_the_protocols_words_with_the_key_as_bearer(server: RealtimeServer):
    settings = {"voice": "marin", "turn_detection": "semantic_vad", "language": "en", "session": {"tracing": "auto"}}
    past = [Message("user", "I am Ada."), Message("assistant", "Hello Ada.")]
    part = Part(PART.instructions, PART.functions, past)
    async with connected(server, part, **settings) as session:
        assert await told(session, 1) == [Ready()]
        await server.until("conversation.item.create", 2)
    assert server.requests[0].path == "/v1/realtime?model=gpt-realtime"
    assert server.requests[0].headers["Authorization"] == "Bearer sk-secret"
    given = server.of_type("session.update")[0]["session"]
    assert given["instructions"] == "You are Tim." and given["tracing"] == "auto"
    assert given["tools"][0]["name"] == "book"
    assert given["audio"]["input"]["turn_detection"] == {"type": "semantic_vad"}
    assert given["audio"]["input"]["transcription"] == {"model": "gpt-4o-mini-transcribe", "language": "en"}
    assert given["audio"]["output"]["voice"] == "marin"
    items = [one["item"] for one in server.of_type("conversation.item.create")]
    assert [(one["role"], one["content"][0]["text"]) for one in items] == [
        ("user", "I am Ada."),
        ("assistant", "Hello Ada."),
    ]


async def test_sound_of_the_person_arrives_at_24_khz(server: RealtimeServer):
    second = (0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.float32)
    async with connected(server) as session:
        for at in range(0, 16_000, 320):
            session.hear(second[at : at + 320])
        await server.until("input_audio_buffer.append", 50)
    chunks = [base64.b64decode(one["audio"]) for one in server.of_type("input_audio_buffer.append")]
    sound = np.frombuffer(b"".join(chunks), "<i2")
    assert 24_000 - len(sound) <= 24
    assert np.abs(sound - 0.5 * 32767 * np.sin(2 * np.pi * 440 * np.arange(len(sound)) / 24_000))[100:].max() < 5


async def test_answer_arrives_as_sound_and_words(server: RealtimeServer):
    async with connected(server) as session:
        await told(session, 1)
        server.send("input_audio_buffer.speech_started", audio_start_ms=100, item_id="item_0")
        server.send("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="item_0")
        server.answer("Hello there.", TONE[:4800])
        transcribed = {"item_id": "item_0", "content_index": 0}
        server.send("conversation.item.input_audio_transcription.delta", delta="Good", **transcribed)
        usage = {"type": "duration", "seconds": 1.0}
        server.send(
            "conversation.item.input_audio_transcription.completed", transcript="Good day. ", usage=usage, **transcribed
        )
        found = await told(session, 9)
    sound = found.pop(3)
    assert isinstance(sound, Sound) and np.array_equal(sound.pcm, TONE[:4800]) and sound.rate_hz == 24_000
    assert found == [
        SpeechBegan(),
        SpeechEnded(),
        ReplyBegan("resp_1"),
        Words("item_1", "Hello there."),
        Said("item_1"),
        ReplyEnded("resp_1"),
        PersonSaid("item_0", "Good", final=False),
        PersonSaid("item_0", "Good day.", final=True),
    ]


async def test_names_of_the_beta_are_understood(server: RealtimeServer):
    async with connected(server) as session:
        await told(session, 1)
        at = '"event_id": "e", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0'
        delta = base64.b64encode(TONE[:480].tobytes()).decode()
        server.send_raw(f'{{"type": "response.audio.delta", "delta": "{delta}", {at}}}')
        server.send_raw(f'{{"type": "response.audio_transcript.delta", "delta": "Hi", {at}}}')
        sound, words = await told(session, 2)
    assert isinstance(sound, Sound) and len(sound.pcm) == 480
    assert words == Words("i", "Hi")


async def test_tools_are_asked_for_and_their_results_told(server: RealtimeServer):
    call = {"type": "function_call", "name": "book", "call_id": "call_7", "arguments": '{"a": 1}', "id": "item_2"}
    async with connected(server) as session:
        await told(session, 1)
        server.send("response.created", response={"id": "resp_1"})
        server.send("response.done", response={"id": "resp_1", "status": "completed", "output": [call]})
        _, ended = await told(session, 2)
        assert isinstance(ended, ReplyEnded)
        (request,) = ended.requests
        assert (request.call_id, request.name, request.arguments) == ("call_7", "book", '{"a": 1}')
        session.tell_results([("call_7", "Booked.")])
        session.go_on()
        await server.until("response.create")
    (result,) = server.of_type("conversation.item.create")
    assert result["item"] == {"type": "function_call_output", "call_id": "call_7", "output": "Booked."}


async def test_second_answer_is_asked_for_when_the_first_is_complete(server: RealtimeServer):
    async with connected(server) as session:
        await told(session, 1)
        session.go_on()
        session.say("Wait.")
        await server.until("response.create")
        assert session.answering
        server.answer("One.", TONE[:480])
        await told(session, 5)
        second = await server.until("response.create", 2)
    assert '"Wait."' in second["response"]["instructions"]


async def test_interruption_is_cancelled_and_truncated(server: RealtimeServer):
    async with connected(server) as session:
        await told(session, 1)
        session.cancel()  # nothing to cancel: nothing is sent
        server.send("response.created", response={"id": "resp_1"})
        await told(session, 1)
        session.cancel()
        session.truncate("item_1", 1234)
        truncated = await server.until("conversation.item.truncate")
    assert (truncated["item_id"], truncated["audio_end_ms"], truncated["content_index"]) == ("item_1", 1234, 0)
    assert len(server.of_type("response.cancel")) == 1


async def test_errors_are_quoted_without_the_key(server: RealtimeServer):
    async with connected(server) as session:
        await told(session, 1)
        server.send("error", error={"type": "invalid_request_error", "message": "bad key sk-secret"})
        failure = {"type": "failed", "error": {"type": "server_error", "message": "overloaded"}}
        failed = {"id": "r", "status": "failed", "status_details": failure, "output": []}
        server.send("response.done", response=failed)
        found = await told(session, 2)
    assert found[0] == Complaint("bad key ***")
    assert (isinstance(found[1], ReplyEnded) and "overloaded" in found[1].problem) or found[1].problem


@pytest.mark.parametrize("garbage", ["no JSON", "[]", "7", '{"type": 3}', '{"type": "response.output_audio.delta"}'])
async def test_garbage_is_left_out_and_too_much_of_it_ends_the_connection(server: RealtimeServer, garbage: str):
    async with connected(server) as session:
        await told(session, 1)
        server.send_raw(garbage)
        server.answer("Fine.", TONE[:480])
        assert await told(session, 1) == [ReplyBegan("resp_1")]
        await told(session, 4)
        for _ in range(10):
            server.send_raw(garbage)
        with pytest.raises(EngineError, match="does not speak the Realtime protocol"):
            await told(session, 1)


async def test_server_that_hangs_up_is_told(server: RealtimeServer):
    async with connected(server) as session:
        await told(session, 1)
        await server.sockets[0].close()
        with pytest.raises(EngineError, match="has hung up"):
            await told(session, 1)


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (HTTPStatus.UNAUTHORIZED, RefusedError, "check api_key"),
        (HTTPStatus.NOT_FOUND, RefusedError, "check base_url and model"),
        (HTTPStatus.TOO_MANY_REQUESTS, EngineError, "no more calls for now"),
        (HTTPStatus.BAD_GATEWAY, EngineError, "failed on its side"),
    ],
)
async def test_refusals_say_what_to_check(
    server: RealtimeServer, status: HTTPStatus, kind: type[EngineError], text: str
):
    server.status = status
    with pytest.raises(EngineError, match=text) as raised:
        async with connected(server):
            pass
    assert type(raised.value) is kind and "sk-secret" not in str(raised.value)


async def test_private_address_is_not_called_unless_that_is_allowed(server: RealtimeServer):
    settings = RealtimeSettings(base_url=server.url, model="m")
    with pytest.raises(EngineError, match="VISAVIS_ALLOW_PRIVATE_URLS"):
        async with OpenAIRealtime(settings, Outbound()).connect(PART):
            pass
    assert not server.requests


async def test_server_that_never_settles_is_used_all_the_same(server: RealtimeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("visavis.layers.realtime.openai_realtime._SETTLE_S", 0.05)
    server.settles = False
    async with connected(server) as session:
        assert await told(session, 1) == [Ready()]


@pytest.mark.parametrize(
    "wrong",
    [{"base_url": "ftp://host"}, {"base_url": "http://a:b@host/v1"}, {"model": ""}, {"speed": 9}, {"vioce": "marin"}],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        RealtimeSettings.model_validate({"base_url": "http://host/v1", "model": "m", **wrong})
