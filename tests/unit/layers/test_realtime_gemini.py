"""The client of Gemini Live, against a server that checks every message with the types of Google's library."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic.alias_generators import to_camel

from visavis.errors import BadInputError, EngineError
from visavis.layers.llm import Function, Message, ToolRequest
from visavis.layers.realtime import (
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
from visavis.layers.realtime.gemini_live import GeminiLive, is_installed
from visavis.layers.settings import GeminiLiveSettings
from visavis.outbound import Outbound, PrivateAddresses

if not is_installed():
    pytest.skip("the extra gemini is not installed", allow_module_level=True)

from google import genai
from google.genai import types

from tests.gemini_server import GeminiServer, gemini_server
from visavis.api.runnable import runnable
from visavis.api.runnable import warnings as persona_warnings
from visavis.layers.realtime.gemini_session import GeminiSession

PARAMETERS = {"type": "object", "properties": {"day": {"type": "string"}}}
PART = Part("You are Tim.", (Function("book", "Book it.", PARAMETERS),))
TONE = (8000 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)).astype(np.int16)


@pytest.fixture
async def server() -> AsyncIterator[GeminiServer]:
    async with gemini_server() as found:
        yield found


@asynccontextmanager
async def connected(server: GeminiServer, part: Part = PART, **settings: Any) -> AsyncIterator[GeminiSession]:
    given = {"base_url": f"http://127.0.0.1:{server.port}", "model": "gemini-live", "api_key": "secret", **settings}
    model = GeminiLive(GeminiLiveSettings.model_validate(given), Outbound(PrivateAddresses(every=True)))
    async with model.connect(part) as session:
        yield session


@asynccontextmanager
async def settled(server: GeminiServer, part: Part = PART, **settings: Any) -> AsyncIterator[GeminiSession]:
    async with connected(server, part, **settings) as session:
        assert await told(session, 1) == [Ready()]
        yield session


async def told(session: GeminiSession, count: int) -> list[Event]:
    """The first `count` things that the model does."""
    found: list[Event] = []
    async with asyncio.timeout(20):
        async for event in session.events():
            found.append(event)
            if len(found) == count:
                return found
    raise AssertionError(found)


async def test_setup_is_what_googles_own_client_sends(tmp_path: Path):
    async with gemini_server(certificate(tmp_path)) as theirs, gemini_server() as ours:
        trusting = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        options = types.HttpOptions(
            base_url=f"https://localhost:{theirs.port}", async_client_args={"ssl": trusting, "proxy": None}
        )
        config = types.LiveConnectConfig(
            response_modalities=[types.Modality.AUDIO],
            speech_config=types.SpeechConfig(
                language_code="de-DE",
                voice_config=types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Puck")),
            ),
            system_instruction=types.Content(role="user", parts=[types.Part(text="You are Tim.")]),
            tools=[
                types.Tool(
                    function_declarations=[
                        types.FunctionDeclaration(
                            name="book", description="Book it.", parameters_json_schema=PARAMETERS
                        )
                    ]
                )
            ],
            input_audio_transcription=types.AudioTranscriptionConfig(),
            output_audio_transcription=types.AudioTranscriptionConfig(),
            context_window_compression=types.ContextWindowCompressionConfig(sliding_window=types.SlidingWindow()),
            realtime_input_config=types.RealtimeInputConfig(
                automatic_activity_detection=types.AutomaticActivityDetection(silence_duration_ms=500)
            ),
        )
        client = genai.Client(api_key="secret", http_options=options)
        async with client.aio.live.connect(model="gemini-live", config=config) as session:
            await session.send_realtime_input(
                audio=types.Blob(data=TONE[:320].tobytes(), mime_type="audio/pcm;rate=16000")
            )
            await theirs.until("realtime_input")
        more = {"realtimeInputConfig": {"automaticActivityDetection": {"silenceDurationMs": 500}}}
        async with settled(ours, voice="Puck", language="de-DE", session=more) as mine:
            mine.hear(TONE[:320].astype(np.float32) / 32768)
            heard = await ours.until("realtimeInput")
        assert ours.of_type("setup") == in_camel_case(theirs.of_type("setup"))
        assert heard[0]["audio"]["mimeType"] == theirs.of_type("realtime_input")[0]["audio"]["mime_type"]
        assert ours.requests[0].path == theirs.requests[0].path
        for request in (ours.requests[0], theirs.requests[0]):
            assert request.headers["x-goog-api-key"] == "secret" and "secret" not in request.path


def in_camel_case(message: Any) -> Any:
    """With one spelling of all names: Google's client mixes two, and its server takes both."""
    if isinstance(message, list):
        return [in_camel_case(one) for one in message]
    if not isinstance(message, dict):
        return message
    return {to_camel(name): in_camel_case(value) for name, value in message.items()}


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's, for localhost; the file cert.pem is who to trust."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_sound_of_the_person_arrives_as_it_is(server: GeminiServer):
    second = (0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.float32)
    async with settled(server) as session:
        for at in range(0, 16_000, 512):
            session.hear(second[at : at + 512])
        chunks = await server.until("realtimeInput", 32)
    assert chunks[0]["audio"]["mimeType"] == "audio/pcm;rate=16000"
    sound = np.frombuffer(b"".join(base64.urlsafe_b64decode(one["audio"]["data"]) for one in chunks), "<i2")
    assert len(sound) == 16_000 and np.abs(sound / 32768 - second).max() < 1e-3


async def test_answer_to_speech_arrives_as_sound_and_words(server: GeminiServer):
    async with settled(server) as session:
        server.content(inputTranscription={"text": "Good"})
        server.content(inputTranscription={"text": " day."})
        server.sound(TONE[:4800])
        server.content(outputTranscription={"text": "Hello there."})
        server.content(generationComplete=True)
        server.content(turnComplete=True)
        found = await told(session, 10)
        assert not session.answering
    sound = found.pop(6)
    assert isinstance(sound, Sound) and np.array_equal(sound.pcm, TONE[:4800]) and sound.rate_hz == 24_000
    assert found == [
        SpeechBegan(),
        PersonSaid("turn_1", "Good", final=False),
        PersonSaid("turn_1", " day.", final=False),
        SpeechEnded(),
        PersonSaid("turn_1", "Good day.", final=True),
        ReplyBegan("reply_1"),
        Words("item_1", "Hello there."),
        Said("item_1"),
        ReplyEnded("reply_1"),
    ]


async def test_typed_words_are_answered_without_a_turn_of_speech(server: GeminiServer):
    async with settled(server) as session:
        session.answer("Who are you?")
        assert session.answering
        (asked,) = await server.until("clientContent")
        assert asked == {"turns": [{"parts": [{"text": "Who are you?"}], "role": "user"}], "turnComplete": True}
        server.sound(TONE[:2400], "audio/pcm;rate=16000")
        found = await told(session, 2)
    assert found[0] == ReplyBegan("reply_1") and isinstance(found[1], Sound) and found[1].rate_hz == 16_000


async def test_tools_are_asked_for_and_their_results_told(server: GeminiServer):
    async with settled(server) as session:
        server.content(inputTranscription={"text": "Book Monday."})
        calls = [{"id": "c1", "name": "book", "args": {"day": "Monday"}}, {"id": "c2", "name": "book", "args": {}}]
        server.send(toolCall={"functionCalls": calls})
        server.send(toolCallCancellation={"ids": ["c2"]})
        server.content(turnComplete=True)
        found = await told(session, 6)
        assert found[-1] == ReplyEnded(
            "reply_1", (ToolRequest("c1", "book", '{"day": "Monday"}'), ToolRequest("c2", "book", "{}"))
        )
        server.content(inputTranscription={"text": "x"})
        await told(session, 2)
        session.say("One moment.")  # is left out: the model would forget what it waits for
        session.tell_results([("c1", "done"), ("c2", "done")])
        session.go_on()
        assert session.answering
        (results,) = await server.until("toolResponse")
        assert results == {"functionResponses": [{"id": "c1", "name": "book", "response": {"output": "done"}}]}
        session.hear(np.zeros(512, np.float32))
        await server.until("realtimeInput")
    assert not server.of_type("clientContent")


async def test_interruption_ends_the_answer_and_the_model_is_told_what_was_heard(server: GeminiServer):
    async with settled(server) as session:
        server.sound(TONE)
        server.content(outputTranscription={"text": "One two three four."})
        await told(session, 4)
        server.content(interrupted=True)
        assert await told(session, 3) == [SpeechBegan(), Said("item_1"), ReplyEnded("reply_1")]
        session.truncate("item_1", 500)
        (note,) = await server.until("clientContent")
        assert not note["turnComplete"] and '"One two"' in note["turns"][0]["parts"][0]["text"]
        session.truncate("item_1", 1000)
        session.truncate("item_0", 10)
        server.content(turnComplete=True)
        server.sound(TONE[:480])
        assert (await told(session, 2))[1] == ReplyBegan("reply_2")
    assert len(server.of_type("clientContent")) == 1


async def test_what_comes_of_a_cancelled_answer_is_thrown_away(server: GeminiServer):
    async with settled(server) as session:
        server.sound(TONE[:480])
        await told(session, 3)
        session.cancel()
        server.sound(TONE[:480])
        server.content(outputTranscription={"text": "unheard"})
        server.content(interrupted=True)
        session.answer("And now?")
        assert await told(session, 2) == [Said("item_1"), ReplyEnded("reply_1")]
        server.content(turnComplete=True)
        server.sound(TONE[:480])
        found = await told(session, 2)
        assert found[0] == ReplyBegan("reply_2") and isinstance(found[1], Sound) and found[1].item_id == "item_2"


async def test_what_is_to_be_said_waits_for_the_answer_that_is_being_made(server: GeminiServer):
    async with settled(server) as session:
        server.sound(TONE[:480])
        await told(session, 3)
        session.say("Goodbye.")
        session.note("The caller smiles.")
        (note,) = await server.until("clientContent")
        assert "smiles" in note["turns"][0]["parts"][0]["text"]
        server.content(turnComplete=True)
        await told(session, 2)
        said = (await server.until("clientContent", 2))[1]
        assert '"Goodbye."' in said["turns"][0]["parts"][0]["text"] and said["turnComplete"]


async def test_past_and_changed_part_are_told(server: GeminiServer):
    past = [Message("user", "I am Ada."), Message("assistant", "Hello Ada."), Message("tool", "7", call_id="c")]
    async with settled(server, Part(PART.instructions, PART.functions, past)) as session:
        (told_before,) = await server.until("clientContent")
        session.describe(Part(PART.instructions, PART.functions))
        session.describe(Part("You are Tom."))
        (update,) = await server.until("contextUpdate")
    assert server.of_type("setup")[0]["historyConfig"] == {"initialHistoryInClientContent": True}
    assert [(one["role"], one["parts"][0]["text"]) for one in told_before["turns"]] == [
        ("user", "I am Ada."),
        ("model", "Hello Ada."),
    ]
    assert update["systemInstruction"]["parts"] == [{"text": "You are Tom."}]


async def test_members_that_the_library_does_not_know_do_no_harm(server: GeminiServer):
    async with settled(server) as session:
        server.send_raw('{"serverContent": {"inputTranscription": {"text": "Hi", "mood": 1}}, "novelty": {"a": 1}}')
        assert (await told(session, 2))[1] == PersonSaid("turn_1", "Hi", final=False)


async def test_garbage_again_and_again_is_no_gemini(server: GeminiServer):
    async with settled(server) as session:
        for text in ("{", "[]", '"x"', '{"serverContent": 7}', "null") * 2:
            server.send_raw(text)
        with pytest.raises(EngineError, match="does not speak Gemini Live"):
            await told(session, 1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(HTTPStatus.FORBIDDEN, RefusedError), (HTTPStatus.NOT_FOUND, RefusedError), (HTTPStatus.BAD_GATEWAY, EngineError)],
)
async def test_refusal_says_what_to_check(server: GeminiServer, status, kind):
    server.status = status
    with pytest.raises(kind, match=str(status.value)) as refused:
        async with connected(server):
            pass
    assert type(refused.value) is kind


@pytest.mark.parametrize(("code", "kind"), [(1007, RefusedError), (1011, EngineError)])
async def test_server_that_hangs_up_says_why_without_the_key(server: GeminiServer, code, kind):
    server.settles = False
    async with connected(server) as session:
        await server.until("setup")
        await server.sockets[0].close(code, "API key secret not valid")
        with pytest.raises(kind, match=r"API key \*\*\* not valid") as lost:
            await told(session, 1)
    assert type(lost.value) is kind


async def test_address_that_users_may_not_reach_is_not_called(server: GeminiServer):
    settings = GeminiLiveSettings(base_url=f"http://127.0.0.1:{server.port}", model="m")
    with pytest.raises(EngineError, match="private address"):
        async with GeminiLive(settings, Outbound()).connect(PART):
            pass
    assert not server.requests


def test_persona_names_it_as_engine_and_is_told_what_is_wrong():
    sts = {"sts_engine": "gemini", "model": "gemini-live", "api_key": "k", "voice": "Puck"}
    document = {"persona_name": "T", "pipeline_mode": "speech-to-speech", "layers": {"sts": sts}}
    assert persona_warnings(document) == []
    found = runnable(document).layers.sts_gemini
    assert found and found.voice == "Puck" and found.base_url.startswith("https://generativelanguage.")
    with pytest.raises(BadInputError, match=r"^layers\.sts\.model"):
        runnable({**document, "layers": {"sts": {"sts_engine": "gemini"}}})
