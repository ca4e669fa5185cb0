"""A connection to a Gemini Live model. Needs Google's library (extra `gemini`), whose types its messages are made of.

The protocol knows no answers with names, no end of the person's turn, no order to be silent and no cutting of what
was heard. Answers are numbered here; the person's turn ends with the first sound of the answer; what comes of an
answer after it was cancelled is thrown away; and the model is told in words what of an interrupted answer was heard.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import numpy as np
from google.genai import types
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, WebSocketException

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import EngineError
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
from visavis.layers.realtime.gemini_live import LAYER
from visavis.layers.realtime.openai_realtime import merged
from visavis.layers.settings import GeminiLiveSettings
from visavis.resampling import as_pcm

_log = logging.getLogger(__name__)

RATE_HZ = 24_000
"""Of the model's sound, where it does not say so itself."""

_MOST_WAITING = 512
"""Messages that may wait to be sent: ten seconds of sound. More means that nobody reads them."""

_MOST_GARBAGE = 10
"""Messages in a row that make no sense, after which it is not Gemini Live."""

_SETTLE_S = 10.0
"""Longest wait until the model is set up."""

_REFUSED_CODES = (1007, 1008)
"""With which the server closes for a wrong key, model or setup."""


class GeminiSession:
    """A `visavis.layers.realtime.Session`. Owner of what waits to be sent, and of which answer is being made."""

    def __init__(self, socket: ClientConnection, settings: GeminiLiveSettings, name: str, part: Part) -> None:
        self._socket = socket
        self._settings = settings
        self._name = name
        self._part = part
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(_MOST_WAITING)
        self._stuck = False
        self._ready = asyncio.Event()
        self._asked = False
        self._wanted: types.LiveClientMessage | None = None
        self._active = ""
        self._count = 0
        self._muted = False
        self._sounds = False
        self._said = _Spoken()
        self._heard = ""
        self._turn = 0
        self._calls: dict[str, str] = {}

    # To the model

    async def send_all(self) -> None:
        """Send what is to be sent, until cancelled or the connection is lost."""
        known = json.loads(_text(types.LiveClientMessage(setup=self._setup())))
        await self._socket.send(json.dumps({"setup": merged(known["setup"], self._settings.session)}))
        await self._ready.wait()
        if past := [_content(one.role, one.content) for one in self._part.past if _was_said(one)]:
            await self._socket.send(_text(_client_content(past, complete=True)))
        while True:
            await self._socket.send(await self._outgoing.get())

    @property
    def answering(self) -> bool:
        """See `visavis.layers.realtime.Session`, as for all that follow."""
        return bool(self._active) or self._asked or self._wanted is not None

    def hear(self, samples: Samples) -> None:
        if self._ready.is_set():
            sound = types.Blob(
                data=as_pcm(samples).astype("<i2").tobytes(), mime_type=f"audio/pcm;rate={LISTEN_RATE_HZ}"
            )
            self._send(types.LiveClientMessage(realtime_input=types.LiveClientRealtimeInput(audio=sound)))

    def describe(self, part: Part) -> None:
        if (part.instructions, part.functions) == (self._part.instructions, self._part.functions):
            return
        self._part = part
        update = types.LiveClientContextUpdate(
            system_instruction=_content("user", part.instructions),
            tools=types.LiveClientContextUpdateTools(tools=_tools(part.functions)),
        )
        self._send(types.LiveClientMessage(context_update=update))

    def say(self, text: str) -> None:
        if self._calls:
            return  # the model waits for tools, and would forget them over other words
        exactly = f"Say exactly this, word for word, and nothing else: {json.dumps(text, ensure_ascii=False)}"
        self._ask(_client_content([_content("user", exactly)], complete=True))

    def answer(self, text: str) -> None:
        # What it was saying is broken off by this, so there is nothing to wait for.
        self._wanted, self._asked = None, True
        self._send(_client_content([_content("user", text)], complete=True))

    def note(self, text: str) -> None:
        self._send(_client_content([_content("user", f"({text})")], complete=False))

    def tell_results(self, results: Sequence[tuple[str, str]]) -> None:
        answers = [
            types.FunctionResponse(id=call_id, name=self._calls.pop(call_id), response={"output": text})
            for call_id, text in results
            if call_id in self._calls  # else it has taken its request back
        ]
        if answers:
            self._asked = True  # it goes on by itself
            self._send(types.LiveClientMessage(tool_response=types.LiveClientToolResponse(function_responses=answers)))

    def go_on(self) -> None:
        if not self._asked:
            self._ask(_client_content([], complete=True))

    def cancel(self) -> None:
        self._wanted = None
        self._muted = bool(self._active)
        self._asked = False

    def truncate(self, item_id: str, heard_ms: int) -> None:
        if (heard := self._said.until(item_id, heard_ms)) is not None:
            self.note(f"You were interrupted. Of your last words the caller heard only: {json.dumps(heard)}")

    def _setup(self) -> types.LiveClientSetup:
        settings = self._settings
        speech = types.SpeechConfig(language_code=settings.language or None)
        if settings.voice:
            named = types.PrebuiltVoiceConfig(voice_name=settings.voice)
            speech.voice_config = types.VoiceConfig(prebuilt_voice_config=named)
        spoken = bool(settings.language or settings.voice)
        return types.LiveClientSetup(
            model=settings.model if "/" in settings.model else f"models/{settings.model}",
            generation_config=types.GenerationConfig(
                response_modalities=[types.Modality.AUDIO], speech_config=speech if spoken else None
            ),
            system_instruction=_content("user", self._part.instructions),
            tools=_tools(self._part.functions) or None,
            input_audio_transcription=types.AudioTranscriptionConfig(),
            output_audio_transcription=types.AudioTranscriptionConfig(),
            # Without it a session ends after a quarter of an hour.
            context_window_compression=types.ContextWindowCompressionConfig(sliding_window=types.SlidingWindow()),
            history_config=types.HistoryConfig(initial_history_in_client_content=True)
            if any(_was_said(one) for one in self._part.past)
            else None,
        )

    def _ask(self, message: types.LiveClientMessage) -> None:
        """Ask for an answer; while another is being made, for one after it."""
        if self._active or self._asked:
            self._wanted = message
        else:
            self._asked = True
            self._send(message)

    def _send(self, message: types.LiveClientMessage) -> None:
        try:
            self._outgoing.put_nowait(_text(message))
        except asyncio.QueueFull:
            self._stuck = True

    # From the model

    async def events(self) -> AsyncIterator[Event]:
        garbage = 0
        while True:
            message = await self._receive()
            if self._stuck:
                raise EngineError(LAYER, f"{self._name} takes no more sound")
            try:
                found = list(self._read(_understood(message)))
                garbage = 0
            except (ValueError, TypeError, AttributeError) as error:
                garbage += 1
                _log.warning("%s sent something that makes no sense (%s)", self._name, type(error).__name__)
                if garbage >= _MOST_GARBAGE:
                    raise EngineError(LAYER, f"{self._name} does not speak Gemini Live") from None
                continue
            for event in found:
                yield event

    async def _receive(self) -> bytes:
        try:
            async with asyncio.timeout(None if self._ready.is_set() else _SETTLE_S):
                return await self._socket.recv(decode=False)
        except TimeoutError:
            raise EngineError(LAYER, f"{self._name} was not set up within {_SETTLE_S:g} s") from None
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            kind = RefusedError if code in _REFUSED_CODES else EngineError
            why = self._quoted(error.rcvd.reason) if error.rcvd and error.rcvd.reason else ""
            raise kind(LAYER, f"{self._name} has hung up{f': {why}' if why else ''}") from None
        except (OSError, WebSocketException):
            raise EngineError(LAYER, f"{self._name} has hung up") from None

    def _read(self, message: types.LiveServerMessage) -> Iterator[Event]:
        if message.setup_complete and not self._ready.is_set():
            self._ready.set()
            yield Ready()
        if message.go_away:
            _log.info("%s will hang up in %s", self._name, message.go_away.time_left)
        if message.server_content:
            yield from self._content(message.server_content)
        if message.tool_call:
            yield from self._called(message.tool_call.function_calls or [])
        if message.tool_call_cancellation:
            for call_id in message.tool_call_cancellation.ids or ():
                self._calls.pop(call_id, None)

    def _content(self, content: types.LiveServerContent) -> Iterator[Event]:
        if content.interrupted:
            if self._active and not self._muted:
                yield SpeechBegan()
            yield from self._ended()
        if content.input_transcription and content.input_transcription.text:
            yield from self._follow(content.input_transcription.text)
        parts = (content.model_turn.parts if content.model_turn else None) or ()
        sounds = [part.inline_data for part in parts if part.inline_data and part.inline_data.data]
        words = content.output_transcription.text if content.output_transcription else ""
        if (sounds or words) and not self._active:
            yield from self._began()
        if not self._muted:
            item = f"item_{self._count}"
            for blob in sounds:
                pcm = np.frombuffer(blob.data[: len(blob.data) // 2 * 2], "<i2").astype(np.int16, copy=False)
                rate_hz = _rate_hz(blob.mime_type or "")
                self._sounds = True
                self._said.sound(item, len(pcm) / rate_hz)
                yield Sound(item, pcm, rate_hz)
            if words:
                self._said.words(item, words)
                yield Words(item, words)
        if content.generation_complete:  # the turn is complete only when all of it should have been played
            yield from self._said_all()
        if content.turn_complete:
            yield from self._settled()
            yield from self._ended()

    def _follow(self, text: str) -> Iterator[Event]:
        """Words of the person. They are noticed by their words, as the protocol tells nothing else of them."""
        if not self._heard:
            self._turn += 1
            if not self._active:
                yield SpeechBegan()
        self._heard += text
        yield PersonSaid(f"turn_{self._turn}", text, final=False)

    def _settled(self) -> Iterator[Event]:
        """The person's words are complete."""
        heard, self._heard = self._heard.strip(), ""
        if heard:
            yield PersonSaid(f"turn_{self._turn}", heard, final=True)

    def _began(self) -> Iterator[Event]:
        """The first of an answer; the person's turn is over."""
        if not self._asked:
            yield SpeechEnded()
        yield from self._settled()
        self._count += 1
        self._active, self._asked, self._muted = f"reply_{self._count}", False, False
        yield ReplyBegan(self._active)

    def _ended(self, requests: tuple[ToolRequest, ...] = ()) -> Iterator[Event]:
        """No more of the present answer will come."""
        if not self._active:
            return
        yield from self._said_all()
        reply, self._active, self._muted = self._active, "", False
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._asked = True
            self._send(wanted)
        yield ReplyEnded(reply, requests)

    def _said_all(self) -> Iterator[Event]:
        if self._sounds:
            self._sounds = False
            yield Said(f"item_{self._count}")

    def _called(self, calls: Sequence[types.FunctionCall]) -> Iterator[Event]:
        if not self._active:
            yield from self._began()
        requests = []
        for call in () if self._muted else calls:
            call_id = str(call.id)
            self._calls[call_id] = str(call.name)
            requests.append(ToolRequest(call_id, str(call.name), json.dumps(call.args or {})))
        yield from self._ended(tuple(requests))

    def _quoted(self, text: str) -> str:
        """The server's words, without any secret that it may have sent back."""
        for secret in (self._settings.api_key, *self._settings.headers.values()):
            if secret is not None and secret.get_secret_value():
                text = text.replace(secret.get_secret_value(), "***")
        return text[:200]


class _Spoken:
    """The newest of what the model says: its words, and how long they take."""

    def __init__(self) -> None:
        self._item, self._text, self._lasts_s = "", "", 0.0

    def sound(self, item_id: str, seconds: float) -> None:
        self._turn_to(item_id)
        self._lasts_s += seconds

    def words(self, item_id: str, text: str) -> None:
        self._turn_to(item_id)
        self._text += text

    def until(self, item_id: str, heard_ms: int) -> str | None:
        """The words of the first `heard_ms`, as far as their length tells; None where it is not known or all of it."""
        words = self._text.split()
        if item_id != self._item or not words or not self._lasts_s:
            return None
        count = round(len(words) * min(heard_ms / 1000 / self._lasts_s, 1.0))
        return " ".join(words[:count]) if count < len(words) else None

    def _turn_to(self, item_id: str) -> None:
        if item_id != self._item:
            self._item, self._text, self._lasts_s = item_id, "", 0.0


def _understood(message: bytes) -> types.LiveServerMessage:
    """A message in the library's types, without members that they do not know yet. Raises `ValueError`."""
    raw = json.loads(message)
    try:
        return types.LiveServerMessage.model_validate_json(message)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            if problem["type"] == "extra_forbidden":
                _without(raw, problem["loc"])
    return types.LiveServerMessage.model_validate_json(json.dumps(raw))


def _without(raw: Any, at: Sequence[int | str]) -> None:
    for step in at[:-1]:
        raw = raw[step]
    del raw[at[-1]]


def _text(message: types.LiveClientMessage) -> str:
    return str(message.model_dump_json(by_alias=True, exclude_none=True))


def _client_content(turns: list[types.Content], *, complete: bool) -> types.LiveClientMessage:
    content = types.LiveClientContent(turns=turns or None, turn_complete=complete)
    return types.LiveClientMessage(client_content=content)


def _content(role: str, text: str) -> types.Content:
    return types.Content(role="model" if role == "assistant" else "user", parts=[types.Part(text=text)])


def _was_said(message: Message) -> bool:
    return bool(message.content) and message.role in ("user", "assistant")


def _tools(functions: Sequence[Function]) -> list[types.Tool]:
    if not functions:
        return []
    declared = [
        types.FunctionDeclaration(
            name=one.name, description=one.description, parameters_json_schema=dict(one.parameters)
        )
        for one in functions
    ]
    return [types.Tool(function_declarations=declared)]


def _rate_hz(mime_type: str) -> int:
    rate = mime_type.partition("rate=")[2].partition(";")[0]
    return int(rate) if rate.isdecimal() and 8_000 <= int(rate) <= 192_000 else RATE_HZ
