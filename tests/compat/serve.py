"""A server as other makers' clients meet it, in a process of its own: `python -m tests.compat.serve FOLDER [jobs]`.

The application, the store and the keys are the real ones. Engines need model files and nobody joins a call here, so
those of conversations are simulated, and videos wait in their queue, unless `jobs` is said. Prints one line of JSON:
where it listens, and a key that may do everything.
"""

import asyncio
import json
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn

from tests.unit.api.server import ScriptedEngines
from visavis.api.app import create_app
from visavis.api.auth import Gatekeeper
from visavis.background import background_work
from visavis.config import Settings
from visavis.conversation.persona import DEMO
from visavis.errors import BadInputError
from visavis.hosting.calls import Calls
from visavis.hosting.hosting import Hosting, open_hosting
from visavis.hosting.meeting_tokens import SECRET_NAME
from visavis.store.configured import configured_store
from visavis.store.keys import SCOPES


async def no_call(sdp: str) -> NoReturn:
    """Nobody can join."""
    raise BadInputError("sdp", sdp, "nothing: this server takes no calls")


async def main(folder: Path, jobs: str = "") -> None:
    """Serve until stopped by a signal."""
    listener = socket.create_server(("127.0.0.1", 0))
    settings = Settings(data=folder, port=listener.getsockname()[1])
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(configured_store(settings))
        gatekeeper = Gatekeeper(store.keys, settings)
        await stack.enter_async_context(gatekeeper.watching())
        made = await store.keys.create("clients", scopes=SCOPES)
        assert made
        hosting = Hosting(
            store,
            lambda tell: Calls(ScriptedEngines(), no_call, tell),
            slots=8,
            meeting_secret=await store.signing_secret(SECRET_NAME),
        )
        await stack.enter_async_context(open_hosting(hosting))
        background = await stack.enter_async_context(background_work(settings, store)) if jobs else None
        app = create_app(settings, DEMO, store, gatekeeper, hosting, background)
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=3)
        print(json.dumps({"url": settings.base_url, "key": made[0]}), flush=True)  # noqa: T201
        await _Server(config).serve(sockets=[listener])


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, without raising the signal again when all is put away."""
        self.should_exit = True


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
