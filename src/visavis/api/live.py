"""The conversations of this process. Owner of which exist, which are in a call, and when they end."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from visavis.hosting.telemetry import Telemetry
from visavis.conversation import events
from visavis.conversation.clock import LoopClock
from visavis.conversation.conversation import Conversation
from visavis.conversation.persona import Persona
from visavis.errors import VisavisError
from visavis.layers import Layers
from visavis.replica import Replica
from visavis.transport import Call

_log = logging.getLogger(__name__)

RECONNECT_S = 15.0
"""How long a conversation waits for a person whose connection broke off."""

_STANDING = "demo"
_KEPT = 1_000  # conversations remembered after their end

Answer = Callable[[str], Awaitable[tuple[Call, str]]]
"""Turns an SDP offer into a call and the SDP answer."""


class UnknownConversationError(VisavisError):
    """No conversation has this id."""


class ConversationEndedError(VisavisError):
    """The conversation is over."""


class ConversationTakenError(VisavisError):
    """Somebody is in this call already."""


class BusyError(VisavisError):
    """As many calls as allowed are running."""


@dataclass(slots=True)
class LiveConversation:
    """A conversation and the state of its call."""

    conversation: Conversation
    name: str
    max_call_duration_s: float
    participant_absent_timeout_s: float
    participant_left_timeout_s: float
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: Literal["active", "ended"] = "active"
    shutdown_reason: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    runner: asyncio.Task[None] | None = None
    timeout: asyncio.TimerHandle | None = None

    @property
    def conversation_id(self) -> str:
        """Its id, `c…`."""
        return self.conversation.events.conversation_id

    @property
    def in_call(self) -> bool:
        """A person is connected, or connecting."""
        return self.runner is not None


class LiveConversations:
    """Makes conversations, connects people to them and ends them."""

    def __init__(self, layers: Layers, replica: Replica, answer: Answer, max_calls: int) -> None:
        self._layers = layers
        self._replica = replica
        self._answer = answer
        self._max_calls = max_calls
        self.telemetry = Telemetry()
        self._all: dict[str, LiveConversation] = {}
        self._endings: set[asyncio.Task[None]] = set()
        # Rendering has its own threads: queueing behind a transcription would cost frames.
        self._render_threads = ThreadPoolExecutor(max_workers=max_calls, thread_name_prefix="render")

    def create(
        self,
        persona: Persona,
        *,
        name: str = "",
        max_call_duration_s: float = 3600,
        participant_absent_timeout_s: float = 300,
        participant_left_timeout_s: float = 0,
    ) -> LiveConversation:
        """A new conversation that waits for its person."""
        conversation = Conversation(
            f"c{secrets.token_hex(8)}", persona, self._replica, self._layers, LoopClock(), self._render_threads
        )
        live = LiveConversation(
            conversation,
            name or persona.persona_name,
            max_call_duration_s,
            participant_absent_timeout_s,
            participant_left_timeout_s,
        )
        self._all[live.conversation_id] = live
        self._forget_oldest()
        self._end_after(live, participant_absent_timeout_s, "participant_absent_timeout")
        return live

    def standing(self, persona: Persona) -> LiveConversation:
        """The conversation behind the standing link: one that waits for somebody, made when there is none."""
        for live in self._all.values():
            if live.name == _STANDING and live.status == "active" and not live.events and not live.in_call:
                return live
        return self.create(persona, name=_STANDING)

    def get(self, conversation_id: str) -> LiveConversation:
        """The conversation with this id.

        Raises `UnknownConversationError`.
        """
        try:
            return self._all[conversation_id]
        except KeyError:
            raise UnknownConversationError(f"There is no conversation {conversation_id!r}.") from None

    @property
    def replica_id(self) -> str:
        """Id of the replica that all conversations of this server have, `r…`."""
        return f"r{self._replica.name.lower()}"

    def list(self) -> list[LiveConversation]:
        """All conversations, newest first."""
        return list(reversed(self._all.values()))

    async def connect(self, conversation_id: str, sdp_offer: str) -> str:
        """Connect a person to a conversation; returns the SDP answer.

        Raises `UnknownConversationError`, `ConversationEndedError`, `ConversationTakenError`, `BusyError`, and what
        the transport raises for an unusable offer.
        """
        live = self.get(conversation_id)
        if live.status == "ended":
            raise ConversationEndedError("This conversation has ended.")
        if live.in_call:
            raise ConversationTakenError("Somebody is in this call already, perhaps you in another tab.")
        if sum(other.in_call for other in self._all.values()) >= self._max_calls:
            raise BusyError("All lines are taken at the moment. Please try again in a minute.")
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        live.runner = asyncio.create_task(self._run(live, sdp_offer, answered), name=f"call {conversation_id}")
        return await asyncio.shield(answered)

    async def end(self, live: LiveConversation, reason: str) -> None:
        """End a conversation; its person is told, its call hung up. Ending twice does nothing."""
        if live.status == "ended":
            return
        live.status, live.shutdown_reason = "ended", reason
        if live.timeout:
            live.timeout.cancel()
        live.conversation.events.emit(events.Ended(reason=reason))
        _log.info("conversation %s ended: %s", live.conversation_id, reason)
        if live.runner and live.runner is not asyncio.current_task():
            live.runner.cancel()
            await asyncio.gather(live.runner, return_exceptions=True)

    async def close(self) -> None:
        """End everything."""
        for live in self._all.values():
            await self.end(live, "server_shutdown")
        self._render_threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, live: LiveConversation, sdp_offer: str, answered: asyncio.Future[str]) -> None:
        started = time.monotonic()
        try:
            call, sdp_answer = await self._answer(sdp_offer)
            answered.set_result(sdp_answer)
            self._end_after(live, live.max_call_duration_s, "max_call_duration")
            _log.info("conversation %s: call begins", live.conversation_id)
            stream = live.conversation.events
            with (
                stream.heard_by(lambda message: _remember(live, message)),
                stream.heard_by(self.telemetry.hear),
                self.telemetry.calls.track_inprogress(),
            ):
                await live.conversation.run(call)
        except asyncio.CancelledError:
            if not answered.done():
                answered.set_exception(ConversationEndedError("This conversation has ended."))
            raise
        except Exception as error:
            if not answered.done():
                answered.set_exception(error)
                return
            _log.exception("conversation %s broke off", live.conversation_id)
            live.status, live.shutdown_reason = "ended", "internal_error"
        finally:
            live.runner = None
        _log.info("conversation %s: call over after %.0f s", live.conversation_id, time.monotonic() - started)
        live.max_call_duration_s -= time.monotonic() - started
        grace_s = live.participant_left_timeout_s
        if not live.conversation.left:
            grace_s = max(grace_s, RECONNECT_S)
        self._end_after(live, grace_s, "participant_left_timeout")

    def _end_after(self, live: LiveConversation, seconds: float, reason: str) -> None:
        """End `live` in `seconds`, instead of when it would have ended so far."""
        if live.timeout:
            live.timeout.cancel()
        if live.status == "active":
            live.timeout = asyncio.get_running_loop().call_later(max(0.0, seconds), self._end_soon, live, reason)

    def _end_soon(self, live: LiveConversation, reason: str) -> None:
        ending = asyncio.create_task(self.end(live, reason))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    def _forget_oldest(self) -> None:
        for conversation_id, live in list(self._all.items()):
            if len(self._all) <= _KEPT:
                return
            if live.status == "ended":
                del self._all[conversation_id]


def _remember(live: LiveConversation, message: Any) -> None:
    if message["event_type"] != "conversation.utterance.streaming":
        live.events.append(dict(message))
