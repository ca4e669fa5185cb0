"""The conversations that run in this process. Owner of which there are."""

import dataclasses
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Protocol

from visavis.conversation.clock import LoopClock
from visavis.conversation.conversation import Conversation
from visavis.hosting.place import Answer, Tell
from visavis.hosting.plan import Plan
from visavis.hosting.session import Session
from visavis.hosting.text_call import TypingVoice
from visavis.layers import Layers
from visavis.replica import Replica
from visavis.replica.audio_only import AudioOnly


class Engines(Protocol):
    """What conversations are made of."""

    def layers(self, plan: Plan) -> AbstractAsyncContextManager[Layers]:
        """The engines of one conversation, for as long as it runs. Raises `visavis.errors.VisavisError`."""
        ...

    async def replica(self, plan: Plan) -> Replica:
        """Its face. Raises `visavis.errors.VisavisError`."""
        ...


class Calls:
    """A `visavis.hosting.place.Place`: this process."""

    def __init__(self, engines: Engines, answer: Answer, tell: Tell, executor: Executor | None = None) -> None:
        """`executor` renders: faces have their own threads, as queueing behind a transcription would cost frames."""
        self._engines = engines
        self._answer = answer
        self._tell = tell
        self._executor = executor
        self._sessions: dict[str, Session] = {}

    async def connect(self, plan: Plan, sdp_offer: str) -> str:
        """See `visavis.hosting.place.Place`, as for all that follow."""
        return await (await self._session(plan)).connect(self._answer, sdp_offer)

    async def interact(self, plan: Plan, message: Mapping[str, Any]) -> None:
        await (await self._session(plan)).interact(message)

    async def farewell(self, conversation_id: str, text: str) -> None:
        if session := self._sessions.get(conversation_id):
            await session.farewell(text)

    async def end(self, conversation_id: str, reason: str) -> None:
        if session := self._sessions.pop(conversation_id, None):
            await session.end(reason)

    async def _session(self, plan: Plan) -> Session:
        if found := self._sessions.get(plan.conversation_id):
            return found
        async with AsyncExitStack() as opening:
            layers = await opening.enter_async_context(self._engines.layers(plan))
            replica = await self._engines.replica(plan) if plan.pictures else AudioOnly()
            if found := self._sessions.get(plan.conversation_id):
                return found  # somebody was quicker
            if plan.chat:
                layers = dataclasses.replace(layers, voice=TypingVoice(), perception=None)
            conversation = Conversation(
                plan.conversation_id,
                plan.persona,
                replica,
                layers,
                LoopClock(),
                self._executor,
                replica_id=plan.replica_id,
            )
            session = Session(plan, conversation, self._tell, opening.pop_all())
            self._sessions[plan.conversation_id] = session
        return session
