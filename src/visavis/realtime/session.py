"""One connection's session: takes the client's messages, listens, answers.

Owner of the response that is being made. One response at a time; the person's voice may end it.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import openai.types.realtime as protocol
from openai.types.realtime.realtime_audio_input_turn_detection import SemanticVad
from pydantic import TypeAdapter

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.conversation.clock import LoopClock
from visavis.conversation.ear import (
    Ear,
    EarFailed,
    Heard,
    OverlapBegan,
    OverlapPassed,
    PauseJudged,
    TurnDone,
    TurnPaused,
    TurnResumed,
    TurnStarted,
)
from visavis.conversation.floor import Doing
from visavis.errors import VisavisError
from visavis.layers import Layers
from visavis.layers.llm import Function
from visavis.realtime import description
from visavis.realtime.description import Description, ProtocolError, checked
from visavis.realtime.hearing import Buffer
from visavis.realtime.items import Item, Items, new_id
from visavis.realtime.response import Response, told

_log = logging.getLogger(__name__)

SHORTEST_S = 0.1
"""Of sound that is committed."""

_MESSAGES: Mapping[str, TypeAdapter[Any]] = {
    name: TypeAdapter(kind)
    for name, kind in {
        "session.update": protocol.SessionUpdateEvent,
        "input_audio_buffer.append": protocol.InputAudioBufferAppendEvent,
        "input_audio_buffer.commit": protocol.InputAudioBufferCommitEvent,
        "input_audio_buffer.clear": protocol.InputAudioBufferClearEvent,
        "conversation.item.create": protocol.ConversationItemCreateEvent,
        "conversation.item.retrieve": protocol.ConversationItemRetrieveEvent,
        "conversation.item.truncate": protocol.ConversationItemTruncateEvent,
        "conversation.item.delete": protocol.ConversationItemDeleteEvent,
        "response.create": protocol.ResponseCreateEvent,
        "response.cancel": protocol.ResponseCancelEvent,
    }.items()
}

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Sends a message to the client."""

OpenLayers = Callable[[str], AbstractAsyncContextManager[Layers]]
"""Opens the engines of the session, with that voice."""


class Session:
    """A session. Use `run`."""

    def __init__(
        self,
        send: Send,
        open_layers: OpenLayers,
        *,
        model: str,
        instructions: str,
        functions: tuple[Function, ...] = (),
        voice: str,
    ) -> None:
        self._send = send
        self._open_layers = open_layers
        self._description = description.first(instructions, functions, model, new_id("sess"), voice)
        self._items = Items()
        self._buffer = Buffer()
        self._layers: Layers
        self._engines = AsyncExitStack()
        self._response: Response | None = None
        self._making: asyncio.Task[None] | None = None
        self._stopped_because: str | None = None
        self._ear: asyncio.Task[None] | None = None
        self._item_id = new_id("item")
        self._speaks = False
        self._tasks: asyncio.TaskGroup

    async def run(self, receive: Callable[[], Awaitable[Any]]) -> None:
        """Serve the client; `receive` gives its next message, decoded, and raises when it is gone."""
        async with self._engines:
            self._layers = await self._engines.enter_async_context(self._open_layers(self._description.voice))
            await self._emit("session.created", session=self._description.document)
            async with asyncio.TaskGroup() as self._tasks:
                self._listen_again()
                self._prefill()
                try:
                    while True:
                        await self._take(await receive())
                finally:
                    for task in (self._ear, self._making):
                        if task:
                            task.cancel()

    async def _emit(self, event_type: str, **members: Any) -> None:
        await self._send({"type": event_type, "event_id": new_id("event"), **members})

    # The client's messages

    async def _take(self, message: Any) -> None:
        event_id = message.get("event_id") if isinstance(message, dict) else None
        try:
            await self._obey(message)
        except ProtocolError as error:
            await self._complain(error.code, str(error), param=error.param, event_id=event_id)
        except VisavisError as error:
            await self._complain("server_error", str(error), kind="server_error", event_id=event_id)

    async def _complain(self, code: str, text: str, *, kind: str = "invalid_request_error", **more: Any) -> None:
        found = {"type": kind, "code": code, "message": text, "param": None, "event_id": None} | more
        await self._emit("error", error=found)

    async def _obey(self, message: Any) -> None:
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise ProtocolError("invalid_event", "A message is a JSON object with a type.")
        name = message["type"]
        if name not in _MESSAGES:
            text = f"{name[:80]!r} is no event of a client; there are {', '.join(_MESSAGES)}."
            raise ProtocolError("invalid_value", text, "type")
        if name not in ("session.update", "conversation.item.create", "response.create"):
            checked(_MESSAGES[name], message)  # these are read part by part
        match name:
            case "session.update":
                await self._update(message)
            case "input_audio_buffer.append":
                self._append(message["audio"])
            case "input_audio_buffer.commit":
                await self._commit()
            case "input_audio_buffer.clear":
                self._clear()
                await self._emit("input_audio_buffer.cleared")
            case "response.create":
                await self._create_response(_object(message.get("response") or {}, "response"))
            case "response.cancel":
                await self._cancel_response(message)
            case _:
                await self._change_items(name, message)

    async def _change_items(self, name: str, message: Mapping[str, Any]) -> None:
        match name:
            case "conversation.item.create":
                await self._create_item(message)
            case "conversation.item.retrieve":
                item = self._items.get(message["item_id"])
                await self._emit("conversation.item.retrieved", item=item.document)
            case "conversation.item.truncate":
                self._items.truncate(message["item_id"], message["audio_end_ms"])
                told = {one: message[one] for one in ("item_id", "content_index", "audio_end_ms")}
                await self._emit("conversation.item.truncated", **told)
            case "conversation.item.delete":
                self._items.delete(message["item_id"])
                await self._emit("conversation.item.deleted", item_id=message["item_id"])

    async def _update(self, message: Mapping[str, Any]) -> None:
        before = self._description
        after = description.updated(before, _object(message.get("session"), "session"))
        if after.voice != before.voice:
            self._layers = await self._engines.enter_async_context(self._open_layers(after.voice))
        self._description = after
        if after.turn_detection != before.turn_detection:
            self._listen_again()
        await self._emit("session.updated", session=after.document)
        if after.instructions != before.instructions or after.functions != before.functions:
            self._prefill()

    def _prefill(self) -> None:
        """Let the language model read the prompt while nobody waits for it."""
        functions = self._description.functions if self._description.uses_tools else ()
        prompt = told(self._description, self._items.messages(self._description.instructions))
        self._tasks.create_task(self._layers.language_model.prefill(prompt, functions))

    def _append(self, audio: str) -> None:
        try:
            pcm = base64.b64decode(audio, validate=True)
        except (binascii.Error, ValueError):
            raise ProtocolError("invalid_value", "audio: expected base64 text.", "audio") from None
        if len(pcm) % 2:
            raise ProtocolError("invalid_value", "audio: expected 16-bit samples, an even number of bytes.", "audio")
        self._buffer.append(pcm)

    async def _commit(self) -> None:
        sound = self._buffer.take()
        if len(sound) < SHORTEST_S * LISTEN_RATE_HZ:
            raise ProtocolError(
                "input_audio_buffer_commit_empty",
                f"Expected at least {1000 * SHORTEST_S:g} ms of audio; there are "
                f"{1000 * len(sound) / LISTEN_RATE_HZ:.0f} ms.",
            )
        self._listen_again()
        item = self._said_by_person(await self._recognised(sound))
        await self._committed(item)

    def _clear(self) -> None:
        self._buffer.clear()
        self._listen_again()

    async def _create_item(self, message: Mapping[str, Any]) -> None:
        item = self._items.read(_object(message.get("item"), "item"))
        for part in item.document.get("content") or ():
            if part.get("type") == "input_audio" and part.get("audio") and not part.get("transcript"):
                part["transcript"] = await self._recognised(_sound(part["audio"]))
            part.pop("audio", None)
        previous = self._items.add(item, message.get("previous_item_id"))
        for event in ("conversation.item.added", "conversation.item.done"):
            await self._emit(event, previous_item_id=previous, item=item.document)

    # Listening

    def _listen_again(self) -> None:
        """Listen for turns from what comes next on, if the session wants that."""
        if self._ear:
            self._ear.cancel()
            self._ear = None
        self._speaks = False
        self._buffer.go_on()
        if self._description.turn_detection is not None:
            self._ear = self._tasks.create_task(self._listen(self._description))

    async def _listen(self, wanted: Description) -> None:
        layers, floor = self._layers, wanted.floor()
        ear = Ear(layers.voice_activity(), layers.recogniser, layers.end_of_turn, floor, LoopClock())
        async for heard in ear.listen(self._buffer.listen()):
            # Who waits for words says "mhm" without an interruption; the other kind of detection is for any voice.
            busy = self._making is not None and isinstance(wanted.turn_detection, SemanticVad)
            floor.replica = Doing.SPEAKING if busy else Doing.LISTENING
            await self._hear(heard)

    async def _hear(self, heard: Heard) -> None:
        match heard:
            case TurnStarted():
                await self._begin_turn()
            case TurnPaused():
                self._buffer.hold()
            case PauseJudged() | TurnResumed() | OverlapBegan() | OverlapPassed():
                self._buffer.go_on()
            case TurnDone(turn):
                await self._end_turn(turn.text)
            case EarFailed(error):
                await self._end_turn("")
                await self._complain("server_error", str(error), kind="server_error")

    async def _begin_turn(self) -> None:
        self._speaks = True
        start_ms = max(0, round(self._buffer.heard_ms - 400))
        await self._emit("input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=self._item_id)
        if self._making and self._description.interrupts:
            await self._stop("turn_detected")

    async def _end_turn(self, text: str) -> None:
        self._buffer.go_on()
        if not self._speaks:
            return
        self._speaks = False
        end_ms = round(self._buffer.heard_ms)
        await self._emit("input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=self._item_id)
        self._buffer.forget_turn()
        item = self._said_by_person(text)
        await self._committed(item)
        if text and self._description.creates_response and self._making is None:
            await self._create_response({})

    async def _recognised(self, sound: Samples) -> str:
        utterance = self._layers.recogniser.utterance()
        utterance.feed(sound)
        return await utterance.final()

    def _said_by_person(self, text: str) -> Item:
        document = {
            "object": "realtime.item",
            "id": self._item_id,
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": text}],
        }
        self._item_id = new_id("item")
        return Item(document)

    async def _committed(self, item: Item) -> None:
        previous = self._items.add(item)
        await self._emit("input_audio_buffer.committed", previous_item_id=previous, item_id=item.item_id)
        for event in ("conversation.item.added", "conversation.item.done"):
            await self._emit(event, previous_item_id=previous, item=item.document)
        if self._description.transcribes:
            at = {"item_id": item.item_id, "content_index": 0}
            if item.text:
                await self._emit("conversation.item.input_audio_transcription.delta", delta=item.text, **at)
            await self._emit(
                "conversation.item.input_audio_transcription.completed",
                transcript=item.text,
                usage={"type": "duration", "seconds": 0.0},
                **at,
            )

    # Answering

    async def _create_response(self, wanted: Mapping[str, Any]) -> None:
        if self._making:
            raise ProtocolError(
                "conversation_already_has_active_response",
                "Conversation already has an active response; wait for its end, or cancel it.",
            )
        wants = description.for_response(self._description, wanted)
        only = None if wanted.get("input") is None else [self._input(one) for one in wanted["input"]]
        messages = self._items.messages(wants.instructions, only)
        keeps = wanted.get("conversation", "auto") != "none"
        metadata = wanted.get("metadata")
        response = self._response = Response(wants, self._items, self._emit, keeps=keeps, metadata=metadata)
        self._stopped_because = None
        await response.begin()
        self._making = self._tasks.create_task(self._make(response, messages))

    def _input(self, given: Any) -> Item:
        """An item of a response's own input, or a reference to one of the conversation."""
        found = _object(given, "response.input")
        return self._items.get(found["id"]) if found.get("type") == "item_reference" else self._items.read(found)

    async def _make(self, response: Response, messages: Any) -> None:
        status = "completed"
        details: dict[str, Any] | None = None
        try:
            await response.make(self._layers, messages)
        except asyncio.CancelledError:
            if self._stopped_because is None:
                raise  # the client is gone
            status, details = "cancelled", self._cancelled
        except VisavisError as error:
            problem = {"type": "server_error", "code": "server_error", "message": str(error)}
            status, details = "failed", {"type": "failed", "error": problem}
        except Exception:
            _log.exception("a response broke off")
            problem = {"type": "server_error", "code": "server_error", "message": "Something went wrong."}
            status, details = "failed", {"type": "failed", "error": problem}
        self._making = self._response = None
        await response.end(status, details)

    async def _cancel_response(self, message: Mapping[str, Any]) -> None:
        wanted = message.get("response_id")
        if self._response is None or (wanted and wanted != self._response.response_id):
            raise ProtocolError("response_cancel_not_active", "There is no active response to cancel.", "response_id")
        await self._stop("client_cancelled")

    async def _stop(self, reason: str) -> None:
        """End the response that is being made; returns when its end was told."""
        making, response, self._stopped_because = self._making, self._response, reason
        if making and response:
            making.cancel()
            await asyncio.wait([making])
            if self._response is response:  # it had not begun to be made
                self._making = self._response = None
                await response.end("cancelled", self._cancelled)

    @property
    def _cancelled(self) -> dict[str, Any]:
        return {"type": "cancelled", "reason": self._stopped_because}


def _object(given: Any, name: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ProtocolError("missing_required_parameter", f"{name}: expected an object.", name)
    return given


def _sound(audio: Any) -> Samples:
    """Sound inside an item, as `input_audio_buffer.append` has it, at 16 kHz."""
    buffer = Buffer()
    try:
        buffer.append(base64.b64decode(str(audio), validate=True))
    except (binascii.Error, ValueError):
        raise ProtocolError("invalid_value", "audio: expected base64 text of 16-bit samples.", "item.content") from None
    return buffer.take()
