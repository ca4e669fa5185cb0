"""The server that `benchmarks.api` measures: the real application on the store of the settings, without engines."""

import asyncio
import socket
import sys
from contextlib import AbstractAsyncContextManager

import uvicorn

from visavis.api.app import create_app
from visavis.api.auth import Gatekeeper
from visavis.config import settings
from visavis.conversation.persona import DEMO
from visavis.errors import EngineError
from visavis.hosting.calls import Calls
from visavis.hosting.hosting import Hosting, open_hosting
from visavis.hosting.plan import Plan
from visavis.layers import Layers
from visavis.replica import Replica
from visavis.store.configured import configured_store
from visavis.transport import Call

READY = "Listening on "


class NoEngines:
    """Nobody can be answered here."""

    def layers(self, plan: Plan) -> AbstractAsyncContextManager[Layers]:
        """Raise `EngineError`."""
        raise EngineError("all layers", "this server has none")

    async def replica(self, plan: Plan) -> Replica:
        """Raise `EngineError`."""
        raise EngineError("replica", "this server has none")


async def _no_answer(sdp_offer: str) -> tuple[Call, str]:
    raise EngineError("transport", "this server has none")


async def main() -> None:
    """Serve on a free port until terminated."""
    listener = socket.create_server(("127.0.0.1", 0))
    async with configured_store(settings()) as store:
        gatekeeper = Gatekeeper(store.keys, settings())
        hosting = Hosting(store, lambda tell: Calls(NoEngines(), _no_answer, tell), slots=1)
        async with gatekeeper.watching(), open_hosting(hosting):
            app = create_app(settings(), DEMO, store, gatekeeper, hosting)
            config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
            print(f"{READY}http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
            await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    sys.setswitchinterval(0.001)  # as `visavis serve` does
    asyncio.run(main())
