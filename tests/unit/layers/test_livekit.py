"""Real plugins of LiveKit, run by themselves against servers on this machine that speak their vendors' protocols."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from visavis.api.runnable import runnable
from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Samples
from visavis.errors import BadInputError, EngineError
from visavis.layers import plugins
from visavis.layers.llm import Function, Message, ToolRequest
from visavis.layers.plugins import Plugin
from visavis.outbound import Outbound, PrivateAddresses

pytest.importorskip("livekit.agents", exc_type=ImportError)
pytest.importorskip("livekit.plugins.deepgram", exc_type=ImportError)
pytest.importorskip("livekit.plugins.openai", exc_type=ImportError)

EVERYWHERE = Outbound(PrivateAddresses(every=True))
SECOND = (0.3 * np.sin(2 * np.pi * 440 * np.arange(LISTEN_RATE_HZ) / LISTEN_RATE_HZ)).astype(np.float32)


class Vendor:
    """Deepgram's streaming recogniser and voice, and OpenAI's transcriptions and chat completions."""

    def __init__(self) -> None:
        self.url = ""
        self.heard = b""
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.status = 200
        self.chunks: list[dict[str, Any]] = []

    async def listen(self, request: Any) -> Any:
        from aiohttp import WSMsgType, web

        self.keys.append(request.headers["Authorization"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                if not self.heard:
                    await socket.send_json(_results("what", final=False))
                self.heard += message.data
            elif json.loads(message.data)["type"] == "Finalize":
                await socket.send_json(_results("What time", final=True))
                await socket.send_json(_results("is it?", final=True))
        return socket

    async def speak(self, request: Any) -> Any:
        from aiohttp import web

        self.asked.append(await request.json())
        if self.status != 200:
            return web.Response(status=self.status, text="no")
        tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)
        return web.Response(body=tone.astype("<i2").tobytes(), content_type="audio/l16")

    async def transcribe(self, request: Any) -> Any:
        from aiohttp import web

        form = await request.post()
        self.heard = form["file"].file.read()
        return web.json_response({"text": "What time is it?"})

    async def chat(self, request: Any) -> Any:
        from aiohttp import web

        self.asked.append(await request.json())
        answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await answer.prepare(request)
        for delta in self.chunks:
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            await answer.write(f"data: {json.dumps(chunk)}\n\n".encode())
        done = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if "tool_calls" in self.chunks[-1] else "stop"}
        last = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [done]}
        await answer.write(f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n".encode())
        return answer


def _results(text: str, *, final: bool) -> dict[str, Any]:
    alternative = {"transcript": text, "confidence": 0.9, "words": []}
    return {
        "type": "Results",
        "is_final": final,
        "speech_final": False,
        "start": 0.0,
        "duration": 1.0,
        "channel": {"alternatives": [alternative]},
        "metadata": {"request_id": "r"},
    }


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    from aiohttp import web

    found = Vendor()
    app = web.Application()
    app.router.add_get("/v1/listen", found.listen)
    app.router.add_post("/v1/speak", found.speak)
    app.router.add_post("/v1/audio/transcriptions", found.transcribe)
    app.router.add_post("/v1/chat/completions", found.chat)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield found
    await runner.cleanup()


@asynccontextmanager
async def engine(layer: plugins.Layer, name: str, **options: Any) -> AsyncIterator[Any]:
    async with plugins.opened(layer, Plugin(engine=name, options=options), EVERYWHERE) as found:
        yield found


def pieces(sound: Samples) -> list[Samples]:
    return [sound[at : at + 512] for at in range(0, len(sound) - 511, 512)]


async def test_deepgrams_recogniser_listens_while_somebody_speaks(vendor: Vendor):
    async with engine("stt", "livekit:deepgram", base_url=f"{vendor.url}/listen", api_key="k") as recogniser:
        utterance = recogniser.utterance()
        for piece in pieces(SECOND):
            utterance.feed(piece)
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            while await utterance.partial() != "what":  # noqa: ASYNC110 - partial texts have no event
                await asyncio.sleep(0.02)
        assert await utterance.final() == "What time is it?"
        assert await utterance.final() == "What time is it?"
    sound = np.frombuffer(vendor.heard, "<i2") / 32768
    assert vendor.keys == ["Token k"]
    assert len(sound) > 0.9 * LISTEN_RATE_HZ and np.abs(sound[:8000] - SECOND[:8000]).max() < 0.001


async def test_deepgrams_voice_speaks(vendor: Vendor):
    async with engine("tts", "livekit:deepgram", base_url=f"{vendor.url}/speak", api_key="k") as voice:
        said = [piece async for piece in voice.stream("**Hello** there, this is a voice.")]
        sound = np.concatenate([piece.pcm for piece in said]).astype(float)
        assert vendor.asked[0]["text"] == "Hello there, this is a voice."
        assert " ".join(word.text for piece in said for word in piece.words) == "**Hello** there, this is a voice."
        assert len(sound) == pytest.approx(PLAYOUT_RATE_HZ, rel=0.02)
        assert np.abs(np.fft.rfft(sound)).argmax() * PLAYOUT_RATE_HZ / len(sound) == pytest.approx(440, abs=2)
        vendor.status = 401
        with pytest.raises(EngineError, match="livekit:deepgram failed"):
            _ = [piece async for piece in voice.stream("Again.")]


async def test_openais_recogniser_takes_the_whole_recording(vendor: Vendor):
    options = {"base_url": vendor.url, "api_key": "k", "model": "whisper-1"}
    async with engine("stt", "livekit:openai", **options) as recogniser:
        utterance = recogniser.utterance()
        for piece in pieces(SECOND):
            utterance.feed(piece)
        assert await utterance.final() == "What time is it?"
    assert vendor.heard.startswith(b"RIFF") and len(vendor.heard) > 30_000


async def test_openais_model_answers_and_asks_for_tools(vendor: Vendor):
    vendor.chunks = [{"role": "assistant", "content": "It is "}, {"content": "ten."}]
    told = [
        Message("system", "You are Ada."),
        Message("user", "What time is it?"),
        Message("assistant", "", (ToolRequest("c1", "clock", "{}"),)),
        Message("tool", "10:00", call_id="c1"),
    ]
    clock = Function("clock", "Tell the time.", {"type": "object", "properties": {"zone": {"type": "string"}}})
    async with engine("llm", "livekit:openai", base_url=vendor.url, api_key="k", model="m") as model:
        assert [piece async for piece in model.stream(told, [clock])] == ["It is ", "ten."]
        call = {
            "index": 0,
            "id": "c2",
            "type": "function",
            "function": {"name": "clock", "arguments": '{"zone":"CET"}'},
        }
        vendor.chunks = [{"role": "assistant", "tool_calls": [call]}]
        (request,) = [piece async for piece in model.stream(told[:2], [clock])]
    assert (request.name, json.loads(request.arguments)) == ("clock", {"zone": "CET"})
    asked = vendor.asked[0]
    assert [one["role"] for one in asked["messages"]] == ["system", "user", "assistant", "tool"]
    assert asked["tools"][0]["function"]["name"] == "clock"


async def test_private_address_is_not_called_unless_that_is_allowed(vendor: Vendor):
    wanted = Plugin(engine="livekit:deepgram", options={"base_url": f"{vendor.url}/speak", "api_key": "k"})
    with pytest.raises(EngineError, match="VISAVIS_ALLOW_PRIVATE_URLS"):
        async with plugins.opened("tts", wanted, Outbound()):
            pass


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        ({"stt_engine": "livekit:nobody"}, "layers.stt.stt_engine"),
        ({"stt_engine": "livekit:deepgram", "colour": "red"}, "layers.stt.colour"),
    ],
)
def test_wrong_persona_is_refused_with_its_field(layer: dict[str, Any], field: str):
    with pytest.raises(BadInputError) as raised:
        runnable({"persona_name": "A", "system_prompt": "B", "layers": {"stt": layer}})
    assert raised.value.field == field


def test_persona_names_plugins_for_three_layers():
    layers = {
        "stt": {"stt_engine": "livekit:deepgram", "api_key": "k", "stt_model_name": "nova-3"},
        "tts": {"tts_engine": "livekit:deepgram", "api_key": "k", "tts_model_name": "aura-2-thalia-en"},
        "llm": {"llm_engine": "livekit:openai", "api_key": "k", "model": "gpt-5.2"},
    }
    found = runnable({"persona_name": "A", "system_prompt": "B", "layers": layers}).layers
    assert found.stt.plugin and found.tts.plugin and found.llm_plugin and found.llm is None
    assert found.llm_plugin.options == {"api_key": "k", "model": "gpt-5.2"}
