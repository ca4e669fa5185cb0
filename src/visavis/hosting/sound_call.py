"""A call without pictures, for voice-only conversations."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from visavis.audio import Pcm, Samples
from visavis.errors import BadInputError
from visavis.replica import Frame
from visavis.transport import Call


class SoundCall:
    """Another `visavis.transport.Call` of which no picture is sent."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def connected(self) -> bool:
        """See `visavis.transport.Call`, as for all that follow."""
        return await self._call.connected()

    def hear(self) -> AsyncIterator[Samples]:
        return self._call.hear()

    def messages(self) -> AsyncIterator[Mapping[str, Any] | BadInputError]:
        return self._call.messages()

    def send_audio(self, pcm: Pcm, position: int) -> None:
        self._call.send_audio(pcm, position)

    def send_frame(self, frame: Frame, position: int) -> None:
        pass

    def send_event(self, event: Mapping[str, Any]) -> None:
        self._call.send_event(event)

    async def close(self) -> None:
        await self._call.close()
