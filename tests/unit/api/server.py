"""The application on a real SQLite store; only engines and the browser at the other end of a call are simulated."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from cryptography.fernet import Fernet
from fastapi import FastAPI

from tests.conversation.simulation import (
    CountingFace,
    LevelActivity,
    ScriptedEndOfTurn,
    ScriptedModel,
    ScriptedRecogniser,
    SimulatedCall,
    SteadyVoice,
)
from visavis.api.app import create_app
from visavis.api.auth import Gatekeeper
from visavis.config import Settings
from visavis.conversation.persona import Persona
from visavis.errors import BadInputError
from visavis.hosting.calls import Calls
from visavis.hosting.hosting import Hosting, open_hosting
from visavis.hosting.meeting_tokens import SECRET_NAME
from visavis.hosting.plan import Plan
from visavis.layers import Layers
from visavis.replica import Replica
from visavis.store import Store, open_store

ADA = Persona(persona_name="Ada", system_prompt="You are Ada.", greeting="Hello.")


class ScriptedEngines:
    """Every conversation hears nothing and answers "Fine."."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []

    @asynccontextmanager
    async def layers(self, plan: Plan) -> AsyncIterator[Layers]:
        self.plans.append(plan)
        model = ScriptedModel(["Fine."])
        yield Layers(LevelActivity, ScriptedRecogniser([]), ScriptedEndOfTurn(), model, SteadyVoice())

    async def replica(self, plan: Plan) -> Replica:
        return CountingFace()


class Server:
    """An application and a client of it."""

    def __init__(self, settings: Settings, store: Store, hosting: Hosting, calls: list[SimulatedCall]) -> None:
        self.settings, self.store, self.hosting, self.calls = settings, store, hosting, calls
        self.app: FastAPI = create_app(settings, ADA, store, Gatekeeper(store.keys, settings), hosting)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8770")

    async def create(self, resource: str = "conversations", **body: object) -> dict[str, Any]:
        response = await self.client.post(f"/v2/{resource}", json=body)
        assert response.status_code == 200, response.text
        created: dict[str, Any] = response.json()
        return created

    async def get(self, path: str) -> dict[str, Any]:
        response = await self.client.get(f"/v2/{path}")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found


@asynccontextmanager
async def server(folder: Path, **settings: Any) -> AsyncIterator[Server]:
    """A server that keeps everything in `folder` and asks for no key unless told so (`dev=False`)."""
    chosen = Settings(**{"dev": True, "data": folder, **settings})
    calls: list[SimulatedCall] = []

    async def answer(sdp: str) -> tuple[SimulatedCall, str]:
        if not sdp.startswith("v=0"):
            raise BadInputError("sdp", sdp, "an SDP offer")
        calls.append(SimulatedCall())
        return calls[-1], "v=0 answer"

    async with AsyncExitStack() as stack:
        key = Fernet.generate_key().decode()
        store = await stack.enter_async_context(open_store(f"sqlite:///{folder}/test.db", str(folder / "files"), [key]))
        hosting = Hosting(
            store,
            lambda tell: Calls(ScriptedEngines(), answer, tell),
            slots=8,
            meeting_secret=await store.signing_secret(SECRET_NAME),
        )
        await stack.enter_async_context(open_hosting(hosting))
        here = Server(chosen, store, hosting, calls)
        await stack.enter_async_context(here.client)
        yield here


@contextmanager
def served(folder: Path, **settings: Any) -> Iterator[str]:
    """The same server on a port of its own, in a thread; gives its address."""
    started = threading.Event()
    found: list[Any] = []

    async def serve() -> None:
        async with server(folder, **settings) as here:
            running = uvicorn.Server(uvicorn.Config(here.app, port=0, log_level="error", lifespan="off"))
            task = asyncio.create_task(running.serve())
            async with asyncio.timeout(30):
                while not running.started:  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.01)
            found.extend([running, running.servers[0].sockets[0].getsockname()[1]])
            started.set()
            await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(30)
    yield f"http://127.0.0.1:{found[1]}"
    found[0].should_exit = True
    thread.join(30)
