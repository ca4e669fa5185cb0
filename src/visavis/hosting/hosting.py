"""Live conversations as a service. Owner of which are live, where each runs, and when it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from visavis.conversation import events
from visavis.conversation.interactions import parse_interaction
from visavis.errors import VisavisError
from visavis.hosting import meeting_tokens, shutdown
from visavis.hosting.announcements import CALL_EVENTS, deliveries, last_events
from visavis.hosting.calls import Engines
from visavis.hosting.errors import (
    BusyError,
    ConversationElsewhereError,
    ConversationEndedError,
    ConversationTakenError,
    UnknownConversationError,
)
from visavis.hosting.faces import Bundles
from visavis.hosting.feeds import Feeds
from visavis.hosting.goodbye import goodbye
from visavis.hosting.journal import Ending, Journal
from visavis.hosting.life import LEASE_S, Life
from visavis.hosting.meeting_tokens import MeetingTokenError
from visavis.hosting.place import CallOver, Happened, Place, Report
from visavis.hosting.plan import Plan
from visavis.hosting.record import Record
from visavis.hosting.telemetry import Telemetry
from visavis.store import Store
from visavis.store.conversations import StoredConversation
from visavis.store.errors import NotFoundError, StoreError

_log = logging.getLogger(__name__)

RECONNECT_S = 30.0
"""How long a conversation waits at least for a person whose connection broke off."""

SWEEP_S = 1.0
"""How often conversations are looked for that nobody has joined in time."""

END_S = 10.0
"""How long a place may take to hang up."""

FAREWELL_S = 20.0
"""How long a goodbye may take, from its making to its last word."""

_DRAIN_RETRY_S = 60
_WORKER_RETRY_S = 5


class Worker(Place, Protocol):
    """A place in another process."""

    @property
    def ready(self) -> bool:
        """It takes calls."""
        ...

    async def run(self) -> None:
        """Keep the process running until cancelled."""
        ...


@dataclass(frozen=True)
class Running:
    """What a server does at the moment."""

    slots: int
    in_call: tuple[str, ...]
    """Ids of the conversations that somebody is connected to, or is connecting to."""
    draining: bool


@dataclass(eq=False, slots=True)
class _Live:
    """A conversation that has begun, or begins."""

    row: StoredConversation
    plan: Plan
    record: Record
    place: Place | None = None
    in_call: bool = False
    connecting: int = 0
    """How many offers are being answered."""
    answered: bool = False
    """One of them was, in the call that runs now."""
    joined: bool = False
    told: set[str] = field(default_factory=set)
    """Types of events that there have been."""
    ends_at: float = float("inf")
    timer: asyncio.TimerHandle | None = None
    ending: asyncio.Task[None] | None = None
    reason: str | None = None


class Hosting:
    """Connects people to conversations, carries messages and events, and ends what has to end. See `open_hosting`."""

    def __init__(
        self,
        store: Store,
        here: Callable[[Callable[[Report], None]], Place],
        workers: Callable[[Callable[[Report], None]], Sequence[Worker]] = lambda tell: (),
        *,
        slots: int = 1,
        in_process: int = 1,
        per_worker: int = 1,
        meeting_secret: bytes = b"",
        bundles: Bundles | None = None,
        telemetry: Telemetry | None = None,
        name: str = "server",
        engines: Engines | None = None,
    ) -> None:
        """`here` and `workers` make the places where calls run, which report to what they are given.

        in_process: calls that run in this process before workers are used.
        meeting_secret: what meeting tokens are signed with.
        bundles: where the faces of replicas are; without it, `here` and `workers` have to know.
        name: tells this server from others that share the store.
        engines: those of this process, for what is no conversation.
        """
        self.engines = engines
        self.slots = slots
        self.telemetry = telemetry or Telemetry()
        self._store = store
        self._here = here(self._hear)
        self._workers = workers(self._hear)
        self._in_process = in_process
        self._per_worker = per_worker
        self._meeting_secret = meeting_secret
        self._bundles = bundles
        self._life = Life(store, name)
        self._journal = Journal(store, self._life.server_id)
        self._feeds = Feeds()
        self._live: dict[str, _Live] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._draining = False
        self._other_lines = 0
        self._call_over = asyncio.Event()

    # Who may come in

    def check_room(self) -> None:
        """Raise `BusyError` when the server takes no further call."""
        if self._draining:
            raise BusyError("The server is being stopped. Please try again in a minute.", _DRAIN_RETRY_S)
        if self._count() >= self.slots:
            raise BusyError

    @contextmanager
    def line(self) -> Iterator[None]:
        """Something that is no conversation but takes as much of the machine as a call. Raises `BusyError`."""
        self.check_room()
        self._other_lines += 1
        try:
            yield
        finally:
            self._other_lines -= 1
            self._call_over.set()

    async def check_token(self, conversation_id: str, token: str | None) -> None:
        """Whether somebody who knows the id, and perhaps a meeting token, may follow a conversation and take part.

        Raises `MeetingTokenError`, `UnknownConversationError`.
        """
        live = self._live.get(conversation_id)
        row, plan = (live.row, live.plan) if live else await self._stored(conversation_id)
        self._check_token(row, plan, token, joined_before=row.started_at is not None or bool(live and live.joined))

    async def check_known(self, conversation_id: str) -> None:
        """Raise `UnknownConversationError` when there is no such conversation."""
        if conversation_id not in self._live:
            await self._row(conversation_id)

    # Calls

    async def connect(self, conversation_id: str, sdp_offer: str, token: str | None = None) -> str:
        """Connect a person to a conversation; returns the SDP answer.

        Raises `UnknownConversationError`, `ConversationEndedError`, `ConversationTakenError`, `MeetingTokenError`,
        `BusyError`, `BadInputError` for an unusable offer, and what the engines raise when they cannot start.
        """
        live = await self._begun(conversation_id)
        self._check_token(live.row, live.plan, token, joined_before=live.joined)
        if not live.in_call:
            self.check_room()
        elif live.plan.people == 1:
            raise ConversationTakenError
        elif self._draining:
            raise BusyError("The server is being stopped. Please try again in a minute.", _DRAIN_RETRY_S)
        place = live.place = live.place or self._choose()
        self._live[conversation_id] = live
        self._set_in_call(live, True)
        live.connecting += 1
        try:
            answer = await place.connect(live.plan, sdp_offer)
            live.answered = True
            return answer
        except BaseException as error:
            if live.connecting == 1 and not live.answered:
                self._set_in_call(live, False)
            if isinstance(error, VisavisError) or not isinstance(error, Exception):
                raise
            _log.exception("conversation %s could not be started", conversation_id)
            if not live.answered:
                self._end_soon(live, shutdown.FAILED_TO_START)
            raise VisavisError("The call could not be started; the server's log says why.") from error
        finally:
            live.connecting -= 1

    async def interact(self, conversation_id: str, message: Mapping[str, Any]) -> None:
        """Give a conversation a message of the interactions protocol.

        Raises `UnknownConversationError`, `ConversationEndedError`, `BusyError`, `BadInputError` that names the
        field, and `NobodyInCallError` for what needs somebody in the call.
        """
        parse_interaction(message)  # what is not usable starts nothing
        live = await self._begun(conversation_id)
        if live.place is None:
            live.place = self._choose()
            self._live[conversation_id] = live
        if live.plan.chat and not live.in_call:
            self.check_room()
            self._set_in_call(live, True)
        try:
            await live.place.interact(live.plan, message)
        except VisavisError:
            if live.plan.chat and not live.joined:
                self._set_in_call(live, False)
            raise

    async def end(self, conversation_id: str, reason: str) -> None:
        """End a conversation; its person is told, its call hung up. Ending twice does nothing.

        Returns when that is stored. Raises `UnknownConversationError`, and `StoreError` when it cannot be stored yet.
        """
        live = self._live.get(conversation_id)
        if live is None:
            await self._end_stored(conversation_id, reason)
            return
        if live.ending is None:
            live.ending = asyncio.create_task(self._end(live, reason), name=f"end {conversation_id}")
        await asyncio.shield(live.ending)

    async def events(
        self, conversation_id: str, after: int = 0, *, live: bool = True
    ) -> AsyncIterator[Mapping[str, Any]]:
        """The events of a conversation after number `after` (`seq`): those that are stored, then new ones if `live`.

        Only new ones include `conversation.utterance.streaming`. Ends with the conversation, and for a reader that is
        too slow, who may ask again. Raises `UnknownConversationError`.
        """
        with self._feeds.follow(conversation_id) as coming:
            row = await self._row(conversation_id)
            if row.status == "active":
                await self._journal.flush(conversation_id)
            for event in await self._store.conversations.events(conversation_id):
                if event.get("seq", 0) > after:
                    after = event.get("seq", after)
                    yield event
            if row.status == "ended" or not live:
                return
            async for new in coming:
                if new.get("seq", 0) > after:
                    yield new

    def running(self) -> Running:
        """What the server does at the moment."""
        in_call = tuple(one for one, live in self._live.items() if live.in_call)
        return Running(self.slots, in_call, self._draining)

    def in_call(self, conversation_id: str) -> bool:
        """Whether somebody is connected to a conversation, or is connecting to it."""
        live = self._live.get(conversation_id)
        return live is not None and live.in_call

    # The server's own life

    async def recover(self) -> None:
        """Begin a life, and end what was cut off in an earlier one; to be called before the first call."""
        await self._life.begin()
        await self._end_abandoned()

    async def run(self) -> None:
        """Write what happens and end what nobody has joined in time, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._journal.run())
            tasks.create_task(self._life.run())
            tasks.create_task(self._sweep())
            for worker in self._workers:
                tasks.create_task(worker.run())

    async def drain(self, patience_s: float) -> None:
        """Take no new calls; let those that run go on for `patience_s`, then have them say goodbye, and end them."""
        self._draining = True
        try:
            async with asyncio.timeout(patience_s):
                while self._count():
                    self._call_over.clear()
                    await self._call_over.wait()
        except TimeoutError:
            _log.info("%d calls are told goodbye", self._count())
        async with asyncio.TaskGroup() as tasks:
            for live in [one for one in self._live.values() if one.in_call]:
                tasks.create_task(self._send_off(live))
        self._feeds.close_all()

    async def close(self) -> None:
        """End every conversation that has begun here; those that still wait for somebody go on waiting."""
        self._draining = True
        begun = [live for live in self._live.values() if live.joined or live.in_call]
        ends = [self.end(live.row.conversation_id, shutdown.SERVER_STOPPED) for live in begun]
        for outcome in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.error("the end of a conversation could not be stored: %s", outcome)
        self._feeds.close_all()
        try:
            await self._journal.flush_all()
        except StoreError as error:
            _log.error("the last events could not be stored: %s", error)
        await self._life.finish()

    # Inside

    async def _begun(self, conversation_id: str) -> _Live:
        """The conversation, which has not ended; it counts as live once it is in `_live`."""
        live = self._live.get(conversation_id)
        if live is None:
            row, plan = await self._stored(conversation_id)
            if row.status == "ended":
                raise ConversationEndedError(row.shutdown_reason)
            if row.server_id not in (None, self._life.server_id):
                raise ConversationElsewhereError
            if self._bundles and plan.pictures:
                plan = plan.model_copy(update={"bundle": await self._bundles.path(plan.replica_id)})
            live = self._live.get(conversation_id)  # somebody may have been quicker
            live = live or _Live(row, plan, Record(plan.prompt))
        if live.reason or (unwritten := self._journal.ending(conversation_id)):
            raise ConversationEndedError(live.reason or (unwritten.reason if unwritten else None))
        return live

    async def _row(self, conversation_id: str) -> StoredConversation:
        try:
            return await self._store.conversations.get(conversation_id)
        except NotFoundError:
            raise UnknownConversationError(conversation_id) from None

    async def _stored(self, conversation_id: str) -> tuple[StoredConversation, Plan]:
        row = await self._row(conversation_id)
        try:
            snapshot = await self._store.conversations.snapshot(conversation_id)
        except NotFoundError:
            raise UnknownConversationError(conversation_id) from None
        return row, Plan.model_validate({**snapshot, "conversation_id": conversation_id})

    def _check_token(self, row: StoredConversation, plan: Plan, token: str | None, *, joined_before: bool) -> None:
        if not plan.require_auth:
            return
        if not token:
            raise MeetingTokenError("This conversation asks for its meeting token: open the link that ends in ?t=...")
        meeting_tokens.verify(self._meeting_secret, token, row.conversation_id, row.nonce, joined_before=joined_before)

    def _choose(self) -> Place:
        """Where the next conversation runs: here, up to a number, then in the worker that has the fewest calls."""
        if not self._workers or self._count(self._here) < self._in_process:
            return self._here
        free = [one for one in self._workers if one.ready and self._count(one) < self._per_worker]
        if not free:
            raise BusyError(
                "The server is getting ready for more calls. Please try again in a moment.", _WORKER_RETRY_S
            )
        return min(free, key=self._count)

    def _count(self, place: Place | None = None) -> int:
        """Calls that run, in all or in one place."""
        others = self._other_lines if place in (None, self._here) else 0
        return others + sum(live.in_call and place in (None, live.place) for live in self._live.values())

    def _set_in_call(self, live: _Live, in_call: bool) -> None:
        live.in_call = in_call
        self.telemetry.calls.set(self._count())
        if not in_call:
            self._call_over.set()

    def _hear(self, report: Report) -> None:
        live = self._live.get(report.conversation_id)
        if live is None:
            return
        match report:
            case Happened(event=event):
                self._happened(live, event)
            case CallOver(left=left, failed_step=failed_step):
                self._over(live, left, failed_step)

    def _happened(self, live: _Live, event: Mapping[str, Any]) -> None:
        conversation_id, event_type = live.row.conversation_id, event["event_type"]
        if event_type == events.Joined.event_type:
            live.answered = True
            self._set_in_call(live, True)
            self._person_joined(live)
        if event_type == events.EndRequested.event_type:
            self._end_soon(live, shutdown.REPLICA_SAID_GOODBYE)
        utterance, waterfall = live.record.hear(event)
        self.telemetry.hear(event)
        self._feeds.publish(conversation_id, event)
        if event_type == events.UtteranceStreaming.event_type:
            return
        event = events.PerceptionToolCall.without_frames(event)
        told = deliveries(live.row, [event]) if event_type in CALL_EVENTS - live.told else ()
        live.told.add(event_type)
        self._journal.add(conversation_id, event, utterance=utterance, waterfall=waterfall, deliveries=told)

    def _person_joined(self, live: _Live) -> None:
        if not live.joined:
            live.joined = True
            live.ends_at = asyncio.get_running_loop().time() + live.plan.limits.max_call_duration
            self._journal.started(live.row.conversation_id)
        _log.info("conversation %s: call begins", live.row.conversation_id)
        self._end_at(live, live.ends_at, shutdown.MAX_CALL_DURATION)

    def _over(self, live: _Live, left: bool, failed_step: str | None) -> None:
        live.answered = False
        self._set_in_call(live, bool(live.connecting))
        live.record.call_over()
        _log.info("conversation %s: call over after %.0f s", live.row.conversation_id, live.record.connected_s)
        if failed_step:
            self._end_soon(live, shutdown.internal_error(failed_step))
        elif live.joined:
            grace_s = live.plan.limits.participant_left_timeout
            if not left:
                grace_s = max(grace_s, RECONNECT_S)
            gone_at = asyncio.get_running_loop().time() + grace_s
            if gone_at < live.ends_at:
                self._end_at(live, gone_at, shutdown.PARTICIPANT_LEFT)

    def _end_at(self, live: _Live, when: float, reason: str) -> None:
        """End `live` then, instead of when it would have ended so far."""
        if live.timer:
            live.timer.cancel()
        live.timer = asyncio.get_running_loop().call_at(when, self._end_soon, live, reason)

    def _end_soon(self, live: _Live, reason: str) -> None:
        ending = asyncio.create_task(self._end_quietly(live.row.conversation_id, reason))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _end_quietly(self, conversation_id: str, reason: str) -> None:
        """Nobody waits for this end, so the log gets what goes wrong."""
        try:
            await self.end(conversation_id, reason)
        except VisavisError as error:
            _log.error("the end of conversation %s could not be stored yet: %s", conversation_id, error)

    async def _end(self, live: _Live, reason: str) -> None:
        conversation_id = live.row.conversation_id
        live.reason = reason
        if live.timer:
            live.timer.cancel()
        try:
            if live.place:
                async with asyncio.timeout(END_S):
                    await live.place.end(conversation_id, reason)
        except Exception:
            _log.exception("conversation %s could not be hung up", conversation_id)
        try:
            self._set_in_call(live, False)
            live.record.call_over()
            await self._conclude(live.row, live.record, reason)
        finally:
            self._live.pop(conversation_id, None)
            self._feeds.close(conversation_id)

    async def _end_stored(self, conversation_id: str, reason: str) -> None:
        """End a conversation of which nothing runs."""
        row = await self._row(conversation_id)
        if row.status == "ended":
            return
        _, plan = await self._stored(conversation_id)
        record = Record(plan.prompt)
        happened = await self._store.conversations.events(conversation_id)
        for event in happened:
            record.hear(event)
        if happened:
            record.call_over(happened[-1]["timestamp"])
        await self._conclude(row, record, reason)
        self._feeds.close(conversation_id)

    async def _conclude(self, row: StoredConversation, record: Record, reason: str) -> None:
        """Store the end, and tell of it."""
        last = last_events(row, record, reason)
        ending = Ending(reason, last, deliveries(row, last), record.connected_s, dict(record.tokens), row.key_id)
        try:
            first = await self._journal.end(row.conversation_id, ending)
        except NotFoundError:
            return  # deleted meanwhile
        if first:
            _log.info("conversation %s ended: %s", row.conversation_id, reason)
            for event in last:
                self._feeds.publish(row.conversation_id, event)

    async def _send_off(self, live: _Live) -> None:
        conversation_id = live.row.conversation_id
        try:
            if live.place:
                async with asyncio.timeout(FAREWELL_S):
                    await live.place.farewell(conversation_id, goodbye(live.plan.language))
        except Exception as error:
            _log.warning("conversation %s ends without a goodbye: %r", conversation_id, error)
        await self._end_quietly(conversation_id, shutdown.SERVER_STOPPED)

    async def _end_abandoned(self) -> None:
        """End what was cut off when a server died."""
        for conversation_id in await self._store.conversations.abandoned():
            if conversation_id not in self._live:  # a server that stood still is not dead
                await self._end_stored(conversation_id, shutdown.SERVER_RESTARTED)

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        looked_at = loop.time()
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                if loop.time() - looked_at > LEASE_S / 3:
                    looked_at = loop.time()
                    await self._end_abandoned()
                for conversation_id in await self._store.conversations.expired(datetime.now(UTC)):
                    if not self.in_call(conversation_id):
                        await self._end_quietly(conversation_id, shutdown.PARTICIPANT_ABSENT)
            except Exception as error:  # whatever it is, the next attempt may work
                unexpected = error if not isinstance(error, StoreError) else None
                _log.error("conversations that are over cannot be ended: %s", error, exc_info=unexpected)


@asynccontextmanager
async def open_hosting(hosting: Hosting) -> AsyncIterator[Hosting]:
    """Keep `hosting` at work; in the end its conversations are ended."""
    await hosting.recover()
    work = asyncio.create_task(hosting.run(), name="hosting")
    try:
        yield hosting
    finally:
        await hosting.close()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
