"""Hands the events of conversations to whoever follows them. Owner of who does."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from visavis.transport.queues import DropOldest

WAITING_EVENTS = 1_000
"""For a reader that is slow; one that falls behind further is cut off and may resume from the store."""

Events = DropOldest[Mapping[str, Any]]


class Feeds:
    """One for a server."""

    def __init__(self) -> None:
        self._readers: defaultdict[str, list[Events]] = defaultdict(list)

    @contextmanager
    def follow(self, conversation_id: str) -> Iterator[Events]:
        """The events of a conversation from now on; ends with it."""
        events: Events = DropOldest(WAITING_EVENTS)
        self._readers[conversation_id].append(events)
        try:
            yield events
        finally:
            readers = self._readers.get(conversation_id, [])
            if events in readers:
                readers.remove(events)
            if not readers:
                self._readers.pop(conversation_id, None)

    def publish(self, conversation_id: str, event: Mapping[str, Any]) -> None:
        """Hand an event to everybody who follows."""
        for reader in list(self._readers.get(conversation_id, ())):
            if not reader.put(event):
                reader.end()
                self._readers[conversation_id].remove(reader)

    def close(self, conversation_id: str) -> None:
        """No more events of this conversation."""
        for reader in self._readers.pop(conversation_id, ()):
            reader.end()

    def close_all(self) -> None:
        """No more events at all: the server stops."""
        for conversation_id in list(self._readers):
            self.close(conversation_id)
