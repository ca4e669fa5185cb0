"""Writes what happened in conversations to the store, in batches, so that no call waits for a disk.

Owner of what has happened but is not stored yet. While nothing can be stored (a full disk), calls go on and the newest
events wait; how a conversation ended is kept until it could be written.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from visavis.store import Store
from visavis.store.errors import NotFoundError, StoreError
from visavis.store.webhooks import NewDelivery

_log = logging.getLogger(__name__)

FLUSH_S = 0.5
LONGEST_PAUSE_S = 30.0
"""Between two attempts while the store fails."""

WAITING_EVENTS = 5_000
"""Events of one conversation that wait for a store that fails; then the oldest are lost."""

Json = Mapping[str, Any]


@dataclass
class _Unwritten:
    events: deque[Json] = field(default_factory=lambda: deque(maxlen=WAITING_EVENTS))
    utterances: deque[Json] = field(default_factory=lambda: deque(maxlen=WAITING_EVENTS))
    waterfalls: deque[Json] = field(default_factory=lambda: deque(maxlen=WAITING_EVENTS))
    deliveries: list[NewDelivery] = field(default_factory=list)
    started: bool = False


@dataclass(frozen=True)
class Ending:
    """The end of a conversation, to be stored as a whole."""

    reason: str
    events: Sequence[Json]
    deliveries: Sequence[NewDelivery]
    connected_s: float
    tokens: Mapping[str, int]
    """Of the language model, by kind."""
    key_id: str | None


class Journal:
    """One for a server. `run` must be running for anything to be written unasked."""

    def __init__(self, store: Store, server_id: str | None = None) -> None:
        """`server_id` is remembered as the server on which conversations have begun."""
        self._store = store
        self._server_id = server_id
        self._unwritten: dict[str, _Unwritten] = {}
        self._endings: dict[str, Ending] = {}
        self._writing = asyncio.Lock()

    def add(
        self,
        conversation_id: str,
        event: Json,
        *,
        utterance: Json | None = None,
        waterfall: Json | None = None,
        deliveries: Sequence[NewDelivery] = (),
    ) -> None:
        """Remember an event and what it completes; written soon."""
        unwritten = self._unwritten.setdefault(conversation_id, _Unwritten())
        unwritten.events.append(event)
        if utterance:
            unwritten.utterances.append(utterance)
        if waterfall:
            unwritten.waterfalls.append(waterfall)
        unwritten.deliveries.extend(deliveries)

    def started(self, conversation_id: str) -> None:
        """Remember that somebody has joined for the first time; written soon."""
        self._unwritten.setdefault(conversation_id, _Unwritten()).started = True

    def ending(self, conversation_id: str) -> Ending | None:
        """How a conversation ended whose end could not be stored yet."""
        return self._endings.get(conversation_id)

    async def flush(self, conversation_id: str) -> None:
        """Write all of one conversation now. Raises `StoreError`, and keeps what could not be written."""
        async with self._writing:
            await self._write(conversation_id)

    async def end(self, conversation_id: str, ending: Ending) -> bool:
        """Write the end of a conversation, after all that came before it; False if it had ended already.

        Raises `StoreError`; except for an unknown conversation it will be tried again until it works.
        """
        async with self._writing:
            self._endings.setdefault(conversation_id, ending)
            return await self._write_end(conversation_id)

    async def run(self) -> None:
        """Write until cancelled."""
        pause_s = FLUSH_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self.flush_all()
                pause_s = FLUSH_S
            except Exception as error:  # whatever it is, the next attempt may work
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                unexpected = error if not isinstance(error, StoreError) else None
                _log.error(
                    "conversations cannot be recorded, trying again in %.0f s: %s", pause_s, error, exc_info=unexpected
                )

    async def flush_all(self) -> None:
        """Write everything. Raises `StoreError`."""
        async with self._writing:
            for conversation_id in list(self._unwritten):
                await self._write(conversation_id)
            for conversation_id in list(self._endings):
                await self._write_end(conversation_id)

    async def _write_end(self, conversation_id: str) -> bool:
        ending = self._endings.get(conversation_id)
        if ending is None:
            return False
        try:
            await self._write(conversation_id)
            first = await self._store.conversations.end(
                conversation_id, ending.reason, events=ending.events, deliveries=ending.deliveries
            )
        except NotFoundError:  # deleted meanwhile
            del self._endings[conversation_id]
            raise
        if first:
            used = {f"language_model_{kind}": float(count) for kind, count in ending.tokens.items()}
            for kind, quantity in ({"conversation_seconds": round(ending.connected_s, 3)} | used).items():
                if quantity:
                    await self._store.usage.record(kind, conversation_id, quantity, key_id=ending.key_id)
        del self._endings[conversation_id]
        return first

    async def _write(self, conversation_id: str) -> None:
        unwritten = self._unwritten.get(conversation_id)
        if unwritten is None:
            return
        conversations = self._store.conversations
        if unwritten.started:
            await conversations.started(conversation_id, server_id=self._server_id)
            unwritten.started = False
        # More may come while something is being written; only what was written is taken away.
        if events := list(unwritten.events):
            deliveries = list(unwritten.deliveries)
            await conversations.add_events(conversation_id, events, deliveries)
            _take(unwritten.events, len(events))
            del unwritten.deliveries[: len(deliveries)]
        if utterances := list(unwritten.utterances):
            await conversations.add_utterances(conversation_id, utterances)
            _take(unwritten.utterances, len(utterances))
        for waterfall in list(unwritten.waterfalls):
            await conversations.add_latency(conversation_id, waterfall)
            _take(unwritten.waterfalls, 1)
        if not (unwritten.started or unwritten.events or unwritten.utterances or unwritten.waterfalls):
            del self._unwritten[conversation_id]


def _take(queue: deque[Json], count: int) -> None:
    for _ in range(min(count, len(queue))):
        queue.popleft()
