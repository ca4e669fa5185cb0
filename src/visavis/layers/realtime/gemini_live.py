"""Voice-to-voice models behind Google's Gemini Live protocol, in the types of Google's library (extra `gemini`)."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from visavis.errors import EngineError
from visavis.layers.realtime import Part, RefusedError
from visavis.layers.settings import GeminiLiveSettings
from visavis.outbound import Outbound, OutboundError

if TYPE_CHECKING:
    from visavis.layers.realtime.gemini_session import GeminiSession

LAYER = "voice-to-voice model"

_PATH = "/ws/google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContent"
_LARGEST = 16 * 2**20
"""Bytes of one message."""
_PING_S = 5.0
"""So often, and with so long a wait for the answer, a connection is looked after."""

_REFUSALS = {
    400: "refused the call; check api_key and model",
    401: "refused the API key; check api_key",
    403: "does not allow this API key to use it; check api_key and model",
    404: "does not exist; check base_url and model",
}


def is_installed() -> bool:
    """Whether Google's library is there."""
    try:
        return importlib.util.find_spec("google.genai") is not None
    except ModuleNotFoundError:
        return False


class GeminiLive:
    """A `visavis.layers.realtime.VoiceToVoice`."""

    def __init__(self, settings: GeminiLiveSettings, outbound: Outbound) -> None:
        """`outbound` knows which addresses may be called."""
        self._settings = settings
        self.name = f"{settings.model} at {urlsplit(settings.base_url).netloc}"
        self.answer_timeout_s = settings.answer_timeout_s
        self._outbound = outbound

    @asynccontextmanager
    async def connect(self, part: Part) -> AsyncIterator["GeminiSession"]:
        """See `visavis.layers.realtime.VoiceToVoice`."""
        if not is_installed():
            raise RefusedError(LAYER, "Google's library is not installed on this server (pip install visavis[gemini])")
        from visavis.layers.realtime.gemini_session import GeminiSession

        socket = await self._open()
        session = GeminiSession(socket, self._settings, self.name, part)
        sending = asyncio.create_task(session.send_all(), name="to the voice-to-voice model")
        try:
            yield session
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await socket.close()

    async def _open(self) -> ClientConnection:
        settings = self._settings
        limit_s = settings.connect_timeout_s
        url = settings.base_url.rstrip("/") + _PATH.format(version=settings.api_version)
        headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
        if settings.api_key is not None:
            headers["x-goog-api-key"] = settings.api_key.get_secret_value()
        try:
            return await connect(
                "ws" + url.removeprefix("http"),
                sock=await self._outbound.connect(settings.base_url, timeout_s=limit_s),
                proxy=None,
                additional_headers=headers,
                open_timeout=limit_s,
                ping_interval=_PING_S,
                ping_timeout=_PING_S,
                close_timeout=1.0,
                max_size=_LARGEST,
                compression=None,
            )
        except OutboundError as error:
            raise EngineError(LAYER, str(error)) from None
        except InvalidStatus as error:
            status = error.response.status_code
            kind = RefusedError if status in _REFUSALS else EngineError
            reason = _REFUSALS.get(status, "takes no calls for now")
            raise kind(LAYER, f"{self.name} {reason} (HTTP {status})") from None
        except TimeoutError:
            raise EngineError(LAYER, f"{self.name} did not answer within {limit_s:g} s") from None
        except (OSError, ValueError, WebSocketException) as error:
            raise EngineError(LAYER, f"{self.name} speaks no WebSocket ({type(error).__name__})") from None
