"""A server that speaks Gemini Live, each message checked against the types of Google's library."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import numpy as np
from google.genai import types
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

_OUTSIDE_OF_THE_TYPES = ("realtimeInputConfig",)
"""Members of the setup that the library writes although its type has no field for them."""


class GeminiServer:
    """Keeps what clients send, and sends what the test says."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Request] = []
        self.received: list[dict[str, Any]] = []
        self.sockets: list[ServerConnection] = []
        self.status: HTTPStatus | None = None
        self.settles = True
        self._arrived = asyncio.Event()

    async def _refuse(self, socket: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        return socket.respond(self.status, "no") if self.status else None

    async def _serve(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        async for text in socket:
            message = json.loads(text)
            checked = json.loads(text)
            for name in _OUTSIDE_OF_THE_TYPES:
                checked.get("setup", {}).pop(name, None)
            types.LiveClientMessage.model_validate(checked)
            self.received.append(message)
            if "setup" in message and self.settles:
                self.send(setupComplete={})
            self._arrived.set()

    def send(self, **members: Any) -> None:
        """Send a message, which must be one of the protocol."""
        types.LiveServerMessage.model_validate_json(json.dumps(members))
        self.send_raw(json.dumps(members))

    def send_raw(self, text: str) -> None:
        """Send anything."""
        self._sending = asyncio.ensure_future(self.sockets[-1].send(text))

    def content(self, **members: Any) -> None:
        """Send something that the model says or does."""
        self.send(serverContent=members)

    def sound(self, pcm: "np.ndarray[Any, Any]", kind: str = "audio/pcm;rate=24000") -> None:
        """Send sound of the model."""
        data = base64.b64encode(pcm.astype("<i2").tobytes()).decode()
        self.content(modelTurn={"role": "model", "parts": [{"inlineData": {"mimeType": kind, "data": data}}]})

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """What came of a kind."""
        return [one[kind] for one in self.received if kind in one]

    async def until(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until `count` messages of a kind have come."""
        async with asyncio.timeout(20):
            while len(found := self.of_type(kind)) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return found


@asynccontextmanager
async def gemini_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[GeminiServer]:
    """One that listens on this machine."""
    found = GeminiServer()
    serving = serve(found._serve, "127.0.0.1", 0, process_request=found._refuse, ssl=tls, max_size=None)
    async with serving as server:
        found.port = next(iter(server.sockets)).getsockname()[1]
        yield found
