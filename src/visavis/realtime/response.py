"""One response of a session: the language model's words, spoken, message by message of the protocol."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ
from visavis.conversation.clauses import ClauseSplitter
from visavis.layers import Layers
from visavis.layers.llm import Message, Piece, Tokens, ToolRequest
from visavis.layers.llm.prompt import spoken_style
from visavis.layers.tts import Speech, Word
from visavis.realtime.description import RATE_HZ, Description
from visavis.realtime.items import Item, Items, new_id
from visavis.resampling import Resampler, as_pcm, as_samples

Emit = Callable[..., Awaitable[None]]
"""Sends an event: its type, and its members by name."""


def told(description: Description, messages: Sequence[Message]) -> list[Message]:
    """`messages` as the language model is told them: with the rules of speaking, where it speaks."""
    prompt, *rest = messages
    style = spoken_style if description.modality == "audio" else str
    return [Message("system", style(prompt.content)), *rest]


class Response:
    """A response in the making. Owner of its document and of the items it makes."""

    def __init__(
        self, description: Description, items: Items, emit: Emit, *, keeps: bool = True, metadata: Any = None
    ) -> None:
        """`keeps` puts what it makes into the conversation."""
        self.response_id = new_id("resp")
        self.spoken_s = 0.0
        """Seconds of sound sent."""
        self._description = description
        self._items = items
        self._emit = emit
        self._keeps = keeps
        self._output: list[Item] = []
        self._tokens = Tokens(0, 0)
        self._resampler = Resampler(PLAYOUT_RATE_HZ, RATE_HZ)
        self._message: Item | None = None
        self._document: dict[str, Any] = {
            "object": "realtime.response",
            "id": self.response_id,
            "status": "in_progress",
            "status_details": None,
            "output": [],
            "conversation_id": None,
            "output_modalities": [description.modality],
            "max_output_tokens": description.document.get("max_output_tokens"),
            "audio": {"output": {"format": {"type": "audio/pcm", "rate": RATE_HZ}, "voice": description.voice}},
            "usage": None,
            "metadata": metadata,
        }

    async def begin(self) -> None:
        """Announce it."""
        await self._emit("response.created", response=self._document)

    async def make(self, layers: Layers, messages: Sequence[Message]) -> None:
        """Answer `messages`. Raises `visavis.errors.EngineError`."""
        description = self._description
        functions = description.functions if description.uses_tools else ()
        asked = told(description, messages)
        requests: list[ToolRequest] = []
        stream = layers.language_model.stream(asked, functions) if functions else layers.language_model.stream(asked)
        async with aclosing(stream) as pieces:  # type: ignore[type-var]
            if description.modality == "text":
                await self._write(pieces, requests)
            else:
                await self._speak(layers, pieces, requests)
        await self._end_message("completed")
        for request in requests:
            await self._call(request)

    async def end(self, status: str, details: dict[str, Any] | None = None) -> None:
        """Announce the end."""
        if status != "completed":
            await self._end_message("incomplete")
        output = [item.document for item in self._output]
        ended = {"status": status, "status_details": details, "output": output, "usage": _usage(self._tokens)}
        await self._emit("response.done", response=self._document | ended)

    def _note(self, piece: ToolRequest | Tokens, requests: list[ToolRequest]) -> None:
        if isinstance(piece, Tokens):
            self._tokens = piece
        else:
            requests.append(piece)

    async def _write(self, pieces: AsyncIterator[Piece], requests: list[ToolRequest]) -> None:
        async for piece in pieces:
            if not isinstance(piece, str):
                self._note(piece, requests)
                continue
            item = await self._said()
            item.document["content"][0]["text"] += piece
            await self._emit("response.output_text.delta", delta=piece, **self._at(item))

    async def _speak(self, layers: Layers, pieces: AsyncIterator[Piece], requests: list[ToolRequest]) -> None:
        splitter = ClauseSplitter()
        async for piece in pieces:
            if not isinstance(piece, str):
                self._note(piece, requests)
                continue
            for clause in splitter.feed(piece):
                await self._say(layers, clause)
        for clause in splitter.flush():
            await self._say(layers, clause)

    async def _say(self, layers: Layers, clause: str) -> None:
        async with aclosing(layers.voice.stream(clause)) as speeches:  # type: ignore[type-var]
            async for speech in speeches:
                await self._send_speech(speech)

    async def _send_speech(self, speech: Speech) -> None:
        item = await self._said()
        words = " ".join(word.text for word in speech.words)
        if words:
            before = item.document["content"][0]["transcript"]
            delta = f" {words}" if before else words
            item.document["content"][0]["transcript"] = before + delta
            await self._emit("response.output_audio_transcript.delta", delta=delta, **self._at(item))
        item.words += [Word(one.text, item.spoken_s + one.start_s, item.spoken_s + one.end_s) for one in speech.words]
        item.spoken_s += len(speech.pcm) / PLAYOUT_RATE_HZ
        self.spoken_s = item.spoken_s
        await self._send_sound(item, as_pcm(self._resampler.feed(as_samples(speech.pcm))).astype("<i2").tobytes())

    async def _send_sound(self, item: Item, sound: bytes) -> None:
        if sound:
            delta = base64.b64encode(sound).decode()
            await self._emit("response.output_audio.delta", delta=delta, **self._at(item))

    async def _said(self) -> Item:
        """The message that is being said; announced when it begins."""
        if self._message is None:
            document = {
                "object": "realtime.item",
                "id": new_id("item"),
                "type": "message",
                "status": "in_progress",
                "role": "assistant",
                "content": [],
            }
            item = self._message = Item(document)
            await self._begin_item(item)
            kind = "text" if self._description.modality == "text" else "audio"
            inner = "text" if kind == "text" else "transcript"
            item.document["content"].append({"type": f"output_{kind}", inner: ""})
            part = {"type": kind, inner: ""}
            await self._emit("response.content_part.added", part=part, **self._at(item))
        return self._message

    async def _end_message(self, status: str) -> None:
        item, self._message = self._message, None
        if item is None:
            return
        part = item.document["content"][0]
        if part["type"] == "output_text":
            await self._emit("response.output_text.done", text=part["text"], **self._at(item))
            ended = {"type": "text", "text": part["text"]}
        else:
            rest = self._resampler.feed(np.zeros(PLAYOUT_RATE_HZ // 500, np.float32))
            if status == "completed":
                await self._send_sound(item, as_pcm(rest).astype("<i2").tobytes())
            await self._emit("response.output_audio.done", **self._at(item))
            transcript = part["transcript"]
            await self._emit("response.output_audio_transcript.done", transcript=transcript, **self._at(item))
            ended = {"type": "audio", "transcript": transcript}
        await self._emit("response.content_part.done", part=ended, **self._at(item))
        await self._end_item(item, status)

    async def _call(self, request: ToolRequest) -> None:
        document = {
            "object": "realtime.item",
            "id": new_id("item"),
            "type": "function_call",
            "status": "in_progress",
            "name": request.name,
            "call_id": new_id("call"),
            "arguments": "",
        }
        item = Item(document)
        await self._begin_item(item)
        arguments = request.arguments or "{}"
        document["arguments"] = arguments
        at = {name: value for name, value in self._at(item).items() if name != "content_index"}
        at["call_id"] = document["call_id"]
        await self._emit("response.function_call_arguments.delta", delta=arguments, **at)
        await self._emit("response.function_call_arguments.done", arguments=arguments, name=request.name, **at)
        await self._end_item(item, "completed")

    async def _begin_item(self, item: Item) -> None:
        self._output.append(item)
        previous = self._items.add(item) if self._keeps else None
        index = len(self._output) - 1
        shown = dict(item.document)
        await self._emit("response.output_item.added", response_id=self.response_id, output_index=index, item=shown)
        if self._keeps:
            await self._emit("conversation.item.added", previous_item_id=previous, item=shown)

    async def _end_item(self, item: Item, status: str) -> None:
        item.document["status"] = status
        index = self._output.index(item)
        await self._emit(
            "response.output_item.done", response_id=self.response_id, output_index=index, item=item.document
        )
        if self._keeps:
            await self._emit("conversation.item.done", previous_item_id=None, item=item.document)

    def _at(self, item: Item) -> dict[str, Any]:
        index = self._output.index(item)
        return {
            "response_id": self.response_id,
            "item_id": item.item_id,
            "output_index": index,
            "content_index": 0,
        }


def _usage(tokens: Tokens) -> dict[str, Any]:
    """All of it is text: sound costs no tokens here."""
    cached = {"text_tokens": tokens.cached, "audio_tokens": 0, "image_tokens": 0}
    read = {"text_tokens": tokens.read, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": tokens.cached}
    return {
        "total_tokens": tokens.read + tokens.written,
        "input_tokens": tokens.read,
        "output_tokens": tokens.written,
        "input_token_details": read | {"cached_tokens_details": cached},
        "output_token_details": {"text_tokens": tokens.written, "audio_tokens": 0},
    }
