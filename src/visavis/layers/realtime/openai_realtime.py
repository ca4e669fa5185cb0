"""Voice-to-voice models behind the OpenAI Realtime protocol (GA names), over WebSocket.

Servers that still use the names of its beta are understood as well.
"""

import asyncio
import base64
import binascii
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from visavis.audio import LISTEN_RATE_HZ, Pcm, Samples
from visavis.errors import EngineError
from visavis.layers.llm import Message, ToolRequest
from visavis.layers.llm.chat_protocol import flat_function_as_json
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
from visavis.layers.settings import RealtimeSettings
from visavis.outbound import Outbound, OutboundError
from visavis.resampling import Resampler, as_pcm

_log = logging.getLogger(__name__)

LAYER = "voice-to-voice model"

RATE_HZ = 24_000
"""Of the protocol's `audio/pcm`."""

_MOST_WAITING = 512
"""Messages that may wait to be sent: ten seconds of sound. More means that nobody reads them."""

_MOST_GARBAGE = 10
"""Messages in a row that make no sense, after which it is no Realtime server."""

_LARGEST = 16 * 2**20
"""Bytes of one message."""

_PING_S = 5.0
"""So often, and with so long a wait for the answer, a connection is looked after."""

_SETTLE_S = 5.0
"""Longest wait until the session is set up; servers that do not say so begin all the same."""

_MEANING_OF_STATUS = {
    401: "refused the API key; check api_key",
    403: "does not allow this API key to use it; check api_key and model",
    404: "does not exist; check base_url and model",
    429: "takes no more calls for now",
}

_GA_NAMES = {
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "response.text.delta": "response.output_text.delta",
}
"""What the protocol's beta called things."""

_NO_ANSWER = "response_cancel_not_active"
_ANSWERS_ALREADY = "conversation_already_has_active_response"


class OpenAIRealtime:
    """A `visavis.layers.realtime.VoiceToVoice`."""

    def __init__(self, settings: RealtimeSettings, outbound: Outbound) -> None:
        """`outbound` knows which addresses may be called."""
        self._settings = settings
        self.name = f"{settings.model} at {urlsplit(settings.base_url).netloc}"
        self.answer_timeout_s = settings.answer_timeout_s
        self._outbound = outbound

    @asynccontextmanager
    async def connect(self, part: Part) -> AsyncIterator["OpenAISession"]:
        """See `visavis.layers.realtime.VoiceToVoice`."""
        socket = await self._open()
        session = OpenAISession(socket, self._settings, self.name)
        sending = asyncio.create_task(session.send_all(), name="to the voice-to-voice model")
        try:
            session.begin(part)
            yield session
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await socket.close()

    async def _open(self) -> ClientConnection:
        settings = self._settings
        limit_s = settings.connect_timeout_s
        query = {"model": settings.model} | _revealed(settings.default_query)
        url = f"{settings.base_url.rstrip('/')}/realtime?{urlencode(query)}"
        headers = _revealed(settings.headers)
        if settings.api_key is not None:
            headers["Authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
        try:
            made = await self._outbound.connect(settings.base_url, timeout_s=limit_s)
            return await connect(
                "ws" + url.removeprefix("http"),
                sock=made,
                proxy=None,
                additional_headers=headers,
                open_timeout=limit_s,
                ping_interval=_PING_S,
                ping_timeout=_PING_S,
                close_timeout=1.0,
                max_size=_LARGEST,
                compression=None,
            )
        except OutboundError as error:
            raise EngineError(LAYER, str(error)) from None
        except InvalidStatus as error:
            status = error.response.status_code
            meaning = _MEANING_OF_STATUS.get(status) or ("failed on its side" if status >= 500 else "refused the call")
            kind = RefusedError if status in (400, 401, 403, 404) else EngineError
            raise kind(LAYER, f"{self.name} {meaning} (HTTP {status})") from None
        except TimeoutError:
            raise EngineError(LAYER, f"{self.name} did not answer within {limit_s:g} s") from None
        except (OSError, ValueError, WebSocketException) as error:
            raise EngineError(LAYER, f"{self.name} speaks no WebSocket ({type(error).__name__})") from None


class OpenAISession:
    """A `visavis.layers.realtime.Session`. Owner of what waits to be sent, and of which answer is being made."""

    def __init__(self, socket: ClientConnection, settings: RealtimeSettings, name: str) -> None:
        self._socket = socket
        self._connection = AsyncRealtimeConnection(socket)
        self._settings = settings
        self._name = name
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(_MOST_WAITING)
        self._stuck = False
        self._resampler = Resampler(LISTEN_RATE_HZ, RATE_HZ)
        self._active = ""
        self._asked = False
        self._next: dict[str, Any] | None = None
        self._ready = False

    # To the model

    def begin(self, part: Part) -> None:
        """Describe the part, and tell what was said before."""
        self.describe(part)
        for message in part.past:
            if item := _item(message):
                self._send("conversation.item.create", item=item)

    def describe(self, part: Part) -> None:
        """See `visavis.layers.realtime.Session`, as for all that follow."""
        self._send("session.update", session=merged(self._session(part), self._settings.session))

    @property
    def answering(self) -> bool:
        return bool(self._active) or self._asked or self._next is not None

    def hear(self, samples: Samples) -> None:
        sound = as_pcm(self._resampler.feed(samples))
        if len(sound):
            self._send("input_audio_buffer.append", audio=base64.b64encode(sound.astype("<i2").tobytes()).decode())

    def say(self, text: str) -> None:
        exactly = f"Say exactly this, word for word, and nothing else: {json.dumps(text, ensure_ascii=False)}"
        self._respond(instructions=exactly, tool_choice="none")

    def answer(self, text: str) -> None:
        self._add("user", "input_text", text)
        self._respond()

    def note(self, text: str) -> None:
        self._add("system", "input_text", text)

    def tell_results(self, results: Sequence[tuple[str, str]]) -> None:
        for call_id, text in results:
            item = {"type": "function_call_output", "call_id": call_id, "output": text}
            self._send("conversation.item.create", item=item)

    def go_on(self) -> None:
        self._respond()

    def cancel(self) -> None:
        self._next = None
        if self._active or self._asked:
            self._send("response.cancel")

    def truncate(self, item_id: str, heard_ms: int) -> None:
        self._send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms)

    async def send_all(self) -> None:
        """Send what is to be sent, until cancelled or the connection is lost."""
        while True:
            await self._socket.send(await self._outgoing.get())

    def _session(self, part: Part) -> dict[str, Any]:
        settings = self._settings
        pcm = {"type": "audio/pcm", "rate": RATE_HZ}
        hearing: dict[str, Any] = {"format": pcm}
        speaking: dict[str, Any] = {"format": pcm}
        if settings.transcription_model:
            hearing["transcription"] = {"model": settings.transcription_model}
            if settings.language:
                hearing["transcription"]["language"] = settings.language
        if settings.turn_detection:
            hearing["turn_detection"] = {"type": settings.turn_detection}
        if settings.voice and not self._ready:  # it cannot be changed once it has spoken
            speaking["voice"] = settings.voice
        if settings.speed:
            speaking["speed"] = settings.speed
        return {
            "type": "realtime",
            "instructions": part.instructions,
            "output_modalities": ["audio"],
            "audio": {"input": hearing, "output": speaking},
            "tools": [flat_function_as_json(one) for one in part.functions],
        }

    def _add(self, role: str, kind: str, text: str) -> None:
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
        self._send("conversation.item.create", item=item)

    def _respond(self, **wanted: Any) -> None:
        """Ask for an answer; while another is being made, for one after it."""
        if self._active or self._asked:
            self._next = wanted
        else:
            self._asked = True
            self._send("response.create", **({"response": wanted} if wanted else {}))

    def _send(self, event_type: str, **members: Any) -> None:
        try:
            self._outgoing.put_nowait(json.dumps({"type": event_type, **members}))
        except asyncio.QueueFull:
            self._stuck = True

    # From the model

    async def events(self) -> AsyncIterator[Event]:
        garbage = 0
        while True:
            try:
                async with asyncio.timeout(None if self._ready else _SETTLE_S):
                    message = await self._connection.recv_bytes()
            except TimeoutError:
                yield self._settled()
                continue
            except (OSError, WebSocketException):
                raise EngineError(LAYER, f"{self._name} has hung up") from None
            if self._stuck:
                raise EngineError(LAYER, f"{self._name} takes no more sound")
            try:
                found = self._read(message)
                garbage = 0
            except (ValueError, TypeError, AttributeError, binascii.Error) as error:
                garbage += 1
                _log.warning("%s sent something that makes no sense (%s)", self._name, type(error).__name__)
                if garbage >= _MOST_GARBAGE:
                    raise EngineError(LAYER, f"{self._name} does not speak the Realtime protocol") from None
                continue
            if found:
                yield found

    def _settled(self) -> Event:
        self._ready = True
        return Ready()

    def _read(self, message: bytes) -> Event | None:
        """What a message means. Raises `ValueError` and its like for garbage."""
        raw = json.loads(message)
        if not isinstance(raw["type"], str):
            raise TypeError(raw["type"])
        raw["type"] = _GA_NAMES.get(raw["type"], raw["type"])
        event: RealtimeServerEvent = self._connection.parse_event(json.dumps(raw))
        found: Event | None = None
        match event.type:
            case "session.updated" if not self._ready:
                found = self._settled()
            case "input_audio_buffer.speech_started":
                found = SpeechBegan()
            case "input_audio_buffer.speech_stopped":
                found = SpeechEnded()
            case "conversation.item.input_audio_transcription.delta":
                found = PersonSaid(event.item_id, event.delta or "", final=False)
            case "conversation.item.input_audio_transcription.completed":
                found = PersonSaid(event.item_id, event.transcript.strip(), final=True)
            case "response.output_audio.delta":
                found = Sound(event.item_id, _pcm(event.delta), RATE_HZ)
            case "response.output_audio_transcript.delta":
                found = Words(event.item_id, str(event.delta))
            case "response.output_audio.done":
                found = Said(event.item_id)
            case "response.created":
                self._active, self._asked = event.response.id or "unnamed", False
                found = ReplyBegan(self._active)
            case "response.done":
                found = self._ended(event.response)
            case "error":
                found = self._complaint(event.error.code or "", event.error.message)
        return found

    def _ended(self, response: Any) -> ReplyEnded:
        self._active, wanted, self._next = "", self._next, None
        if wanted is not None:
            self._respond(**wanted)
        problem = ""
        if response.status == "failed":
            details = response.status_details
            problem = (details.error.message if details and details.error else "") or "it gave no reason"
        calls = [one for one in response.output or () if one.type == "function_call"]
        if response.status == "cancelled":
            calls = []
        requests = tuple(ToolRequest(str(one.call_id), str(one.name), str(one.arguments)) for one in calls)
        return ReplyEnded(response.id or "unnamed", requests, self._quoted(problem))

    def _complaint(self, code: str, text: str) -> Complaint | None:
        self._asked = False
        if code == _ANSWERS_ALREADY:
            self._next = self._next or {}
        # Who cancels an answer that had just come to its end has what they wanted.
        return None if code in (_ANSWERS_ALREADY, _NO_ANSWER) else Complaint(self._quoted(str(text)))

    def _quoted(self, text: str) -> str:
        """The server's words, without any secret that it may have sent back."""
        settings = self._settings
        for secret in (settings.api_key, *settings.headers.values(), *settings.default_query.values()):
            if secret is not None and secret.get_secret_value():
                text = text.replace(secret.get_secret_value(), "***")
        return text[:200]


def _pcm(text: str) -> Pcm:
    sound = base64.b64decode(text, validate=True)
    return np.frombuffer(sound[: len(sound) // 2 * 2], "<i2").astype(np.int16, copy=False)


def _item(message: Message) -> dict[str, Any] | None:
    """A message of the past; tools' rounds are left out, since their requests are no longer known to the model."""
    if not message.content or message.role not in ("user", "assistant"):
        return None
    kind = "output_text" if message.role == "assistant" else "input_text"
    return {"type": "message", "role": message.role, "content": [{"type": kind, "text": message.content}]}


def merged(session: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`session` with the members of `more`, however deep they stand."""
    found = dict(session)
    for name, value in more.items():
        inner = found.get(name)
        found[name] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
    return found


def _revealed(secrets: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in secrets.items()}
