"""A turn detector behind an HTTP or WebSocket address: what is known at a pause goes there, a probability comes back.

The words of the protocol are in docs/turn_taking.md.
"""

import asyncio
import base64
import itertools
import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from visavis.audio import LISTEN_RATE_HZ
from visavis.errors import EngineError
from visavis.guarded_transport import GuardedTransport
from visavis.layers.settings import TurnHookSettings
from visavis.layers.turn import Pause
from visavis.outbound import Outbound, OutboundError
from visavis.resampling import as_pcm

LAYER = "turn detector"

SOUND_S = 8.0
"""At most so much of the turn's last sound is sent."""

_CONNECT_S = 5.0
_LARGEST_ANSWER = 65_536


class _Verdict(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="ignore", strict=True)

    probability: float = Field(ge=0, le=1)
    id: int | None = None


class HttpTurnDetector:
    """A `visavis.layers.turn.TurnDetector` that posts each pause. Owns its connections, which `aclose` ends."""

    def __init__(self, settings: TurnHookSettings, outbound: Outbound) -> None:
        """`outbound` knows which addresses may be called."""
        self._settings = settings
        self._name = urlsplit(settings.base_url).netloc
        self._client = httpx2.AsyncClient(
            transport=GuardedTransport(outbound), trust_env=False, timeout=_CONNECT_S, headers=_headers(settings)
        )

    async def probability(self, pause: Pause) -> float:
        """See `visavis.layers.turn.TurnDetector`."""
        try:
            answer = await self._client.post(self._settings.base_url, json=_message(pause, self._settings))
        except httpx2.HTTPError as error:
            raise EngineError(LAYER, f"{self._name} cannot be reached ({error or type(error).__name__})") from None
        if answer.status_code != 200:
            raise EngineError(LAYER, f"{self._name} refused (HTTP {answer.status_code})")
        return _verdict(answer.content, self._name).probability

    async def aclose(self) -> None:
        """End all connections."""
        await self._client.aclose()


class WebSocketTurnDetector:
    """A `visavis.layers.turn.TurnDetector` over one connection. Owns it, and knows who waits for which answer."""

    def __init__(self, settings: TurnHookSettings, outbound: Outbound) -> None:
        """`outbound` knows which addresses may be called. Connects at once, so that the first pause need not wait."""
        self._settings = settings
        self._outbound = outbound
        self._name = urlsplit(settings.base_url).netloc
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[float]] = {}
        self._connection = asyncio.create_task(self._connect(), name="to the turn detector")
        self._reading: asyncio.Task[None] | None = None

    async def probability(self, pause: Pause) -> float:
        """See `visavis.layers.turn.TurnDetector`."""
        number = next(self._numbers)
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            socket = await self._connected()
            await socket.send(json.dumps({"type": "pause", "id": number} | _message(pause, self._settings)))
            return await answer
        except (OSError, WebSocketException) as error:
            raise EngineError(LAYER, f"{self._name} has hung up ({type(error).__name__})") from None
        finally:
            del self._waiting[number]
            answer.cancel()

    async def aclose(self) -> None:
        """End the connection."""
        self._connection.cancel()
        if self._reading:
            self._reading.cancel()
        done = await asyncio.gather(self._connection, *filter(None, [self._reading]), return_exceptions=True)
        if isinstance(done[0], ClientConnection):
            await done[0].close()

    async def _connected(self) -> ClientConnection:
        if self._connection.done() and (self._connection.exception() or (self._reading and self._reading.done())):
            self._connection = asyncio.create_task(self._connect(), name="to the turn detector")
        return await asyncio.shield(self._connection)

    async def _connect(self) -> ClientConnection:
        settings = self._settings
        try:
            socket = await connect(
                settings.base_url,
                sock=await self._outbound.connect(settings.http_url, timeout_s=_CONNECT_S),
                proxy=None,
                additional_headers=_headers(settings),
                open_timeout=_CONNECT_S,
                close_timeout=1.0,
                max_size=_LARGEST_ANSWER,
                compression=None,
            )
        except OutboundError as error:
            raise EngineError(LAYER, str(error)) from None
        except (OSError, ValueError, TimeoutError, WebSocketException) as error:
            raise EngineError(LAYER, f"{self._name} takes no WebSocket ({type(error).__name__})") from None
        self._reading = asyncio.create_task(self._read(socket), name="from the turn detector")
        return socket

    async def _read(self, socket: ClientConnection) -> None:
        problem: EngineError | None = None
        with suppress(OSError, WebSocketException):
            async for message in socket:
                try:
                    verdict = _verdict(message, self._name)
                except EngineError as error:
                    problem = error
                    break
                waiting = self._waiting.get(verdict.id or 0)
                if waiting and not waiting.done():  # else it comes too late
                    waiting.set_result(verdict.probability)
        await socket.close()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(problem or EngineError(LAYER, f"{self._name} has hung up"))


def turn_hook(settings: TurnHookSettings, outbound: Outbound) -> HttpTurnDetector | WebSocketTurnDetector:
    """The detector at an address."""
    kind = WebSocketTurnDetector if settings.base_url.lower().startswith("ws") else HttpTurnDetector
    return kind(settings, outbound)


def _headers(settings: TurnHookSettings) -> dict[str, str]:
    found = {name: value.get_secret_value() for name, value in settings.headers.items()}
    if settings.api_key is not None:
        found["Authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
    return found


def _message(pause: Pause, settings: TurnHookSettings) -> dict[str, Any]:
    found: dict[str, Any] = {"text": pause.text, "asked": pause.asked, "silence_s": round(pause.silence_s, 3)}
    if settings.with_sound:
        sound = as_pcm(pause.sound[-round(SOUND_S * LISTEN_RATE_HZ) :]).astype("<i2")
        found["sound"] = base64.b64encode(sound.tobytes()).decode("ascii")
        found["sample_rate_hz"] = LISTEN_RATE_HZ
    return found


def _verdict(answer: str | bytes, name: str) -> _Verdict:
    try:
        return _Verdict.model_validate_json(answer)
    except ValidationError:
        shown = '{"probability": a number from 0 to 1}'
        raise EngineError(LAYER, f"{name} sent something else than {shown}") from None
