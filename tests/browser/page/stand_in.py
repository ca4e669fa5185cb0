"""A server that says exactly what a test wants said: the real call transport without a conversation behind it."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any, TypeVar

import numpy as np
import uvicorn
from fastapi import FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from visavis.replica import Frame
from visavis.transport.webrtc import WebRtcCall

CONVERSATION_ID = "c1"
SAMPLES = 960
FRAME_EVERY = 4
TONE_HZ = 220
POLICY = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'"

Result = TypeVar("Result")


class StandIn:
    """Owner of one conversation's status and of the calls that pages made to it; any thread may use it."""

    def __init__(self, picture: Callable[[int], Frame]) -> None:
        self.status = "active"
        self.refusal: tuple[int, dict[str, str]] | None = None
        """Status code and headers that offers get instead of an answer."""
        self.sees = True
        """The replica looks at what the person shows."""
        self.offers: list[str] = []
        self.received: list[dict[str, Any]] = []
        self.loudest = 0.0
        """The loudest sample heard, 0 to 1."""
        self.base_url = ""
        self._picture = picture
        self._call: WebRtcCall | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def link(self) -> str:
        """What a person opens."""
        return f"{self.base_url}/c/{CONVERSATION_ID}"

    def said(self, event_type: str) -> list[dict[str, Any]]:
        """Messages of a type that pages sent."""
        return [message for message in self.received if message["event_type"] == event_type]

    def tell(self, event_type: str, **properties: Any) -> None:
        """Send an event to the page."""
        event = {"message_type": event_type.partition(".")[0], "event_type": event_type, "properties": properties}
        if self._call:
            self._loop.call_soon_threadsafe(self._call.send_event, event)

    def hang_up(self) -> None:
        """Break the call off without a word."""
        if self._call:
            self._run(self._call.close())

    def freeze(self) -> None:
        """Stand still: connections stay open, nothing is answered any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @contextmanager
    def running(self) -> Iterator["StandIn"]:
        """Serve on a free port of loopback."""
        self._thread.start()
        server = uvicorn.Server(
            uvicorn.Config(self._app(), host="127.0.0.1", port=0, log_level="warning", lifespan="off")
        )
        serving = asyncio.run_coroutine_threadsafe(server.serve(), self._loop)
        while not server.started:
            serving.exception(0) if serving.done() else threading.Event().wait(0.02)
        self.base_url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            if not self._thread.is_alive():
                self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
                self._thread.start()
            self.hang_up()
            server.should_exit = server.force_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                serving.result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _run(self, work: Awaitable[Result]) -> Result:
        async def wait() -> Result:
            return await work

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result(10)

    def _app(self) -> FastAPI:
        web = resources.files("visavis") / "web"
        app = FastAPI()
        # Pages of other sites may call it, as with VISAVIS_ALLOWED_ORIGINS.
        app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])

        @app.get("/c/{conversation_id}")
        async def page(conversation_id: str) -> FileResponse:
            return FileResponse(str(web / "index.html"), headers={"Content-Security-Policy": POLICY})

        @app.get("/v2/conversations/{conversation_id}")
        async def conversation(conversation_id: str) -> Response:
            if conversation_id != CONVERSATION_ID:
                return JSONResponse({"error": "unknown"}, 404)
            return JSONResponse(
                {
                    "conversation_id": conversation_id,
                    "conversation_name": "Test",
                    "status": self.status,
                    "persona": {"persona_name": "Mira"},
                    "replica": {"replica_name": "Mira"},
                    "sees": self.sees,
                    "ice_servers": [],
                }
            )

        @app.post("/v2/conversations/{conversation_id}/offer")
        async def offer(conversation_id: str, description: dict[str, str]) -> Response:
            self.offers.append(description["sdp"])
            if self.refusal:
                status, headers = self.refusal
                return JSONResponse({"error": f"refused with {status}"}, status, headers)
            call, answer = await WebRtcCall.answer(description["sdp"], ice_addresses=["127.0.0.1"])
            self._call = call
            for work in (self._listen(call), self._perform(call)):
                task = asyncio.create_task(work)
                self._work.add(task)
                task.add_done_callback(self._work.discard)
            return JSONResponse({"sdp": answer, "type": "answer"})

        app.mount("/static", StaticFiles(directory=str(web)))
        return app

    async def _listen(self, call: WebRtcCall) -> None:
        async for message in call.messages():
            self.received.append(dict(message))

    async def _perform(self, call: WebRtcCall) -> None:
        """Send a tone and the picture until the person is gone; the 20 ms pieces that are heard give the beat."""
        await call.connected()
        number = 0
        async for heard in call.hear():
            self.loudest = max(self.loudest, float(np.abs(heard).max()))
            position = number * SAMPLES
            phase = 2 * np.pi * TONE_HZ * (position + np.arange(SAMPLES)) / 48_000
            call.send_audio((3_000 * np.sin(phase)).astype(np.int16), position)
            if number % FRAME_EVERY == 0:
                call.send_frame(self._picture(number), position)
            number += 1


def on_green(number: int) -> Frame:
    """A grey square in the middle of the green that is taken out, uint8[256, 256, 3]."""
    picture = np.full((256, 256, 3), (155, 255, 0), np.uint8)
    picture[64:192, 64:192] = 90 + number % 32
    return picture


def stripes(number: int) -> Frame:
    """A picture that moves, uint8[256, 256, 3]."""
    rows = ((np.arange(256) + 2 * number) % 64 * 4).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(rows[:, None, None], (256, 256, 3)))


@contextmanager
def stand_in(picture: Callable[[int], Frame] = stripes) -> Iterator[StandIn]:
    """A server with one conversation, at `link`."""
    with StandIn(picture).running() as server:
        yield server
