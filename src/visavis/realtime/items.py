"""The conversation of a session as the protocol has it: a list of items, and what the language model sees of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from openai.types.realtime import ConversationItem
from pydantic import TypeAdapter

from visavis.layers.llm import Message, ToolRequest
from visavis.layers.tts import Word
from visavis.realtime.description import ProtocolError, checked

MOST_ITEMS = 2_000
"""Of one session."""

_ITEM: TypeAdapter[Any] = TypeAdapter(ConversationItem)
_KINDS = ("message", "function_call", "function_call_output")


def new_id(kind: str) -> str:
    """An identifier as the protocol writes them."""
    return f"{kind}_{uuid4().hex[:24]}"


@dataclass(eq=False, slots=True)
class Item:
    """One item. Owner of its document, which grows while it is being said."""

    document: dict[str, Any]
    words: list[Word] = field(default_factory=list)
    """Of what was spoken, timed from its first sound."""
    spoken_s: float = 0.0

    @property
    def item_id(self) -> str:
        """Its name."""
        return str(self.document["id"])

    @property
    def text(self) -> str:
        """All that is written in it."""
        parts = self.document.get("content") or ()
        return " ".join(str(part.get("text") or part.get("transcript") or "") for part in parts).strip()

    def message(self) -> Message | None:
        """What a language model is told; None for nothing."""
        document = self.document
        match document["type"]:
            case "function_call":
                request = ToolRequest(document["call_id"], document["name"], document["arguments"])
                return Message("assistant", "", (request,))
            case "function_call_output":
                return Message("tool", document["output"], call_id=document["call_id"])
        if not self.text:
            return None
        if document["role"] == "system":
            return Message("user", f"[{self.text}]")
        return Message("assistant" if document["role"] == "assistant" else "user", self.text)


class Items:
    """The items of one session, in order."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    def read(self, given: Mapping[str, Any]) -> Item:
        """An item of a client; it belongs to no conversation yet. Raises `ProtocolError`."""
        if given.get("type") not in _KINDS:
            raise ProtocolError("invalid_value", f"Items are of the types {', '.join(_KINDS)}.", "item.type")
        checked(_ITEM, given, "item.")
        document = {"object": "realtime.item", "status": "completed", **given}
        document["id"] = given.get("id") or new_id("item")
        if self._find(document["id"]) is not None:
            raise ProtocolError("invalid_value", f"There is an item {document['id']!r} already.", "item.id")
        if document["type"] == "function_call":
            document["call_id"] = document.get("call_id") or new_id("call")
        return Item(document)

    def add(self, item: Item, previous_item_id: str | None = None) -> str | None:
        """Put `item` behind another ("root": at the beginning), or at the end; returns what it is behind.

        Raises `ProtocolError`.
        """
        if len(self._items) >= MOST_ITEMS:
            raise ProtocolError("conversation_too_long", f"A session holds at most {MOST_ITEMS} items.")
        at = len(self._items)
        if previous_item_id is not None:
            at = 0 if previous_item_id == "root" else self._items.index(self.get(previous_item_id)) + 1
        self._items.insert(at, item)
        return self._items[at - 1].item_id if at else None

    def get(self, item_id: str) -> Item:
        """The item of that name. Raises `ProtocolError`."""
        if (found := self._find(item_id)) is None:
            raise ProtocolError("item_not_found", f"There is no item {item_id!r}.", "item_id")
        return found

    def delete(self, item_id: str) -> None:
        """Forget it. Raises `ProtocolError`."""
        self._items.remove(self.get(item_id))

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """Only so much of what was said was heard. Raises `ProtocolError`."""
        item = self.get(item_id)
        if item.document.get("role") != "assistant" or item.document["type"] != "message":
            raise ProtocolError("invalid_value", "Only messages of the assistant can be truncated.", "item_id")
        if heard_ms > 1000 * item.spoken_s + 1:
            text = f"Audio content of {round(1000 * item.spoken_s)} ms is already shorter than {heard_ms} ms."
            raise ProtocolError("invalid_value", text, "audio_end_ms")
        item.words = [word for word in item.words if (word.start_s + word.end_s) / 2 <= heard_ms / 1000]
        heard = " ".join(word.text for word in item.words)
        for part in item.document["content"]:
            part["transcript"] = heard

    def messages(self, instructions: str, only: Sequence[Item] | None = None) -> list[Message]:
        """What a language model is told, of all items or of `only` these."""
        found = [Message("system", instructions)]
        for message in self._known(self._items if only is None else only):
            last = found[-1]
            joined = message.role == last.role and not (message.tool_requests or last.tool_requests or message.call_id)
            both_ask = bool(message.tool_requests and last.tool_requests)
            if joined:
                found[-1] = Message(last.role, f"{last.content} {message.content}")
            elif both_ask:
                found[-1] = Message("assistant", last.content, (*last.tool_requests, *message.tool_requests))
            else:
                found.append(message)
        return found

    def _known(self, items: Sequence[Item]) -> Iterator[Message]:
        """Messages of `items`; calls without results and results without calls, which no model takes, are left out."""
        answered = {one.document["call_id"] for one in items if one.document["type"] == "function_call_output"}
        called = {one.document["call_id"] for one in items if one.document["type"] == "function_call"}
        for item in items:
            if item.document["type"] != "message" and item.document["call_id"] not in answered & called:
                continue
            if message := item.message():
                yield message

    def _find(self, item_id: str) -> Item | None:
        return next((one for one in self._items if one.item_id == item_id), None)
