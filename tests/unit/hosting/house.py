"""A hosting with a real store, in which only the browsers and the engines are simulated."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from tests.conversation.simulation import (
    CountingFace,
    LevelActivity,
    ScriptedEndOfTurn,
    ScriptedModel,
    ScriptedRecogniser,
    SimulatedCall,
    SteadyVoice,
)
from visavis.conversation.persona import Persona
from visavis.errors import BadInputError
from visavis.hosting.calls import Calls
from visavis.hosting.hosting import Hosting, open_hosting
from visavis.hosting.plan import Limits, Plan
from visavis.layers import Layers
from visavis.replica import Replica
from visavis.store import Store, open_store

OFFER = "v=0"
SECRET = b"m" * 32


class ScriptedEngines:
    """Engines that answer "Fine." to everything."""

    def __init__(self) -> None:
        self.model = ScriptedModel(["Fine."], first_token_s=0.02, token_s=0.001)
        self.broken: Exception | None = None

    @asynccontextmanager
    async def layers(self, plan: Plan) -> AsyncIterator[Layers]:
        if self.broken:
            raise self.broken
        yield Layers(LevelActivity, ScriptedRecogniser([]), ScriptedEndOfTurn(), self.model, SteadyVoice())

    async def replica(self, plan: Plan) -> Replica:
        return CountingFace()


class House:
    """A server without HTTP."""

    def __init__(self, store: Store, **options: Any) -> None:
        self.store = store
        self.engines = ScriptedEngines()
        self.calls: list[SimulatedCall] = []
        self.hosting = Hosting(
            store, lambda tell: Calls(self.engines, self.answer, tell), meeting_secret=SECRET, **options
        )

    async def answer(self, sdp: str) -> tuple[SimulatedCall, str]:
        if not sdp.startswith("v=0"):
            raise BadInputError("sdp", sdp, "an SDP offer")
        self.calls.append(SimulatedCall())
        return self.calls[-1], "v=0 answer"

    async def create(
        self, *, greeting: str = "", callback_url: str | None = None, limits: Limits | None = None, **plan: Any
    ) -> str:
        """A stored conversation; its id."""
        limits = limits or Limits()
        persona = Persona(persona_name="Ada", system_prompt="You are Ada.", greeting=greeting)
        snapshot = Plan(persona=persona, replica_id="rmira", limits=limits, **plan).as_json()
        stored = await self.store.conversations.create(
            snapshot=snapshot,
            persona_id="pdemo",
            replica_id="rmira",
            callback_url=callback_url,
            metadata={"plan": "gold"},
            expires_at=datetime.now(UTC) + timedelta(seconds=limits.participant_absent_timeout),
        )
        return stored.conversation_id

    async def joined(self, **options: Any) -> tuple[str, SimulatedCall]:
        """A conversation that somebody is in."""
        conversation_id = await self.create(**options)
        await self.hosting.connect(conversation_id, OFFER)
        call = self.calls[-1]
        await until(lambda: call.said("system.pal_present"))
        return conversation_id, call

    async def reason(self, conversation_id: str) -> str | None:
        """Why a conversation ended, as it is stored; None if it has not."""
        row = await self.store.conversations.get(conversation_id)
        assert (row.status == "ended") == (row.shutdown_reason is not None)
        return row.shutdown_reason

    async def ended(self, conversation_id: str) -> str:
        """Wait until a conversation has ended; why."""
        async with asyncio.timeout(60):
            while (reason := await self.reason(conversation_id)) is None:  # noqa: ASYNC110 - it is in a database
                await asyncio.sleep(0.02)
        return reason

    async def webhooks(self) -> list[dict[str, Any]]:
        """The bodies that wait to be delivered, in the order in which they are; they count as delivered then."""
        bodies = []
        while taken := await self.store.webhooks.claim(1, 60):
            bodies.append(taken[0].body)
            await self.store.webhooks.delivered(taken[0].delivery_id)
        return bodies


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Store]:
    """A store in `folder`."""
    key = folder / "key"
    if not key.exists():
        key.write_bytes(Fernet.generate_key())
    async with open_store(f"sqlite:///{folder}/visavis.db", str(folder / "blobs"), [key.read_text()]) as store:
        yield store


@asynccontextmanager
async def house(folder: Path, **options: Any) -> AsyncIterator[House]:
    """A running hosting on the store in `folder`."""
    async with opened(folder) as store:
        here = House(store, **options)
        async with open_hosting(here.hosting):
            yield here


async def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - of whatever kind it is
            await asyncio.sleep(0.01)
