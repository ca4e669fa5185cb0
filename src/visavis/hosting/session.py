"""One conversation in this process, from its first message or call until it is ended. Owner of its call."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any

from visavis.conversation import events
from visavis.conversation.conversation import Conversation
from visavis.hosting.errors import ConversationEndedError, ConversationTakenError
from visavis.hosting.place import Answer, CallOver, Happened, Tell
from visavis.hosting.plan import Plan
from visavis.hosting.room import Room
from visavis.hosting.sound_call import SoundCall
from visavis.hosting.text_call import TextCall
from visavis.transport import Call

_log = logging.getLogger(__name__)

ANALYSIS_S = 4.0
"""For all questions about what was seen."""


class Session:
    """A conversation and, while somebody is there, its call."""

    def __init__(self, plan: Plan, conversation: Conversation, tell: Tell, resources: AsyncExitStack) -> None:
        """`resources` are closed at the end."""
        self._plan = plan
        self._conversation = conversation
        self._tell = tell
        self._resources = resources
        self._runner: asyncio.Task[None] | None = None
        self._present = asyncio.Event()
        self._text_only = False
        self._room: Room | None = None
        """The call that others may join too, in a conversation for several people."""
        resources.enter_context(conversation.events.heard_by(self._report))

    async def connect(self, answer: Answer, sdp_offer: str) -> str:
        """Connect a person; returns the SDP answer. Raises `ConversationTakenError` and what `answer` raises."""
        if self._text_only:
            await self._hang_up()
        if self._plan.people > 1:
            return await self._join_others(answer, sdp_offer)
        if self._runner:
            raise ConversationTakenError
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._start(self._take_call(answer, sdp_offer, answered))
        return await asyncio.shield(answered)

    async def interact(self, message: Mapping[str, Any]) -> None:
        """Do what `message` asks for; a chat needs nobody on the line for that. Raises as `Conversation.interact`."""
        if self._plan.chat and not self._runner:
            self._text_only = True
            self._start(self._talk(TextCall()))
            await self._present.wait()
        await self._conversation.interact(message)

    async def farewell(self, text: str) -> None:
        """Say goodbye; returns when it was heard or nobody is there."""
        await self._conversation.farewell(text)

    async def end(self, reason: str) -> None:
        """Tell the page why, and hang up."""
        if analysis := await self._analysis():
            self._conversation.events.emit(events.PerceptionAnalysis(analysis=analysis))
        self._conversation.events.emit(events.Ended(reason=reason))
        await self._hang_up()
        await self._resources.aclose()

    async def _analysis(self) -> str:
        try:
            async with asyncio.timeout(ANALYSIS_S):
                return await self._conversation.perception_analysis()
        except TimeoutError:
            return self._conversation.observations.summary()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._runner = asyncio.create_task(self._watched(work), name=f"call {self._plan.conversation_id}")

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        """Whatever goes wrong in `work` stays in this call."""
        failed_step = None
        try:
            await work
        except _NeverBegunError:
            return  # whoever wanted to connect has been told
        except Exception:
            _log.exception("conversation %s broke off", self._plan.conversation_id)
            failed_step = "conversation"
        finally:
            self._runner = None
            self._text_only = False
            self._present.clear()
        self._tell(CallOver(self._plan.conversation_id, self._conversation.left, failed_step))

    async def _take_call(self, answer: Answer, sdp_offer: str, answered: asyncio.Future[str]) -> None:
        try:
            call, sdp_answer = await answer(sdp_offer)
        except asyncio.CancelledError:
            answered.set_exception(ConversationEndedError())
            raise
        except Exception as error:
            answered.set_exception(error)
            raise _NeverBegunError from error
        answered.set_result(sdp_answer)
        await self._talk(call if self._plan.pictures else SoundCall(call))

    async def _join_others(self, answer: Answer, sdp_offer: str) -> str:
        if self._room and self._room.over and self._runner:
            await asyncio.wait([self._runner])
        if self._room is None or self._room.over:
            self._room = Room(self._plan.people, self._conversation.events.emit)
            self._start(self._fill(self._room))
        return await self._room.join(answer, sdp_offer)

    async def _fill(self, room: Room) -> None:
        await self._talk(room if self._plan.pictures else SoundCall(room))
        if not room.begun:
            raise _NeverBegunError

    async def _talk(self, call: Call) -> None:
        try:
            await self._conversation.run(call)
        finally:
            self._present.set()  # whoever waits for it finds out that it is over

    async def _hang_up(self) -> None:
        if self._runner:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)

    def _report(self, event: Mapping[str, Any]) -> None:
        if event["event_type"] == events.ReplicaPresent.event_type:
            self._present.set()
        self._tell(Happened(self._plan.conversation_id, event))


class _NeverBegunError(Exception):
    """There was no call after all."""
