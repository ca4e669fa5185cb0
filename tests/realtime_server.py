"""A server that speaks the OpenAI Realtime protocol, each message checked against the `openai` package's types."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import numpy as np
from openai.types.realtime import RealtimeServerEvent
from openai.types.realtime.realtime_client_event_param import RealtimeClientEventParam
from pydantic import TypeAdapter
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

_CLIENT: TypeAdapter[Any] = TypeAdapter(RealtimeClientEventParam)
_SERVER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


class RealtimeServer:
    """Keeps what clients send, and sends what the test says. `on` reacts to a client's message."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.received: list[dict[str, Any]] = []
        self.sockets: list[ServerConnection] = []
        self.status: HTTPStatus | None = None
        self.settles = True
        self.on: Callable[[dict[str, Any]], None] = lambda message: None
        self._number = 0
        self._arrived = asyncio.Event()

    async def _refuse(self, socket: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        return socket.respond(self.status, "no") if self.status else None

    async def _serve(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        async for text in socket:
            message = json.loads(text)
            _CLIENT.validate_python(message)
            self.received.append(message)
            if message["type"] == "session.update" and self.settles:
                self.send("session.updated", session=message["session"])
            self.on(message)
            self._arrived.set()

    def send(self, kind: str, **members: Any) -> None:
        """Send an event, which must be one of the protocol."""
        self._number += 1
        event = {"type": kind, "event_id": f"event_{self._number}", **members}
        _SERVER.validate_python(event)
        self.send_raw(json.dumps(event))

    def send_raw(self, text: str) -> None:
        """Send anything."""
        self._sending = asyncio.ensure_future(self.sockets[-1].send(text))

    def answer(self, text: str, pcm: np.ndarray, item_id: str = "item_1", response_id: str = "resp_1") -> None:
        """Speak `text`, with `pcm` (int16 at 24 kHz) as its sound, faster than it is heard."""
        at = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
        self.send("response.created", response={"id": response_id, "status": "in_progress", "output": []})
        for start in range(0, len(pcm), 4800):
            delta = base64.b64encode(pcm[start : start + 4800].astype("<i2").tobytes()).decode()
            self.send("response.output_audio.delta", delta=delta, **at)
        self.send("response.output_audio_transcript.delta", delta=text, **at)
        self.send("response.output_audio.done", **at)
        self.send("response.done", response={"id": response_id, "status": "completed", "output": []})

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """What clients sent of that type."""
        return [message for message in self.received if message["type"] == kind]

    async def until(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Wait for a client's message; returns the last."""
        async with asyncio.timeout(60):
            while len(self.of_type(kind)) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.of_type(kind)[-1]


@asynccontextmanager
async def realtime_server() -> AsyncIterator[RealtimeServer]:
    """A server on this machine."""
    found = RealtimeServer()
    server: Server
    async with serve(found._serve, "127.0.0.1", 0, process_request=found._refuse) as server:
        found.url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1"
        yield found
