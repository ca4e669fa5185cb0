"""JSON objects over the data channel "events"."""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from aiortc import InvalidStateError, RTCDataChannel

from visavis.errors import BadInputError
from visavis.transport.queues import DropOldest

LABEL = "events"
MAX_BYTES = 64 * 1024
HEARTBEAT_S = 1.0

MAX_WAITING = 64
"""Events kept until the channel opens."""

MAX_UNREAD = 512
"""Messages kept until the conversation takes them. After a lost packet all that waited behind it comes at once: the
128 KiB of the SCTP window, which are several hundred small chunks of sound."""

MAX_BUFFERED_BYTES = 1 << 20
"""What a page that stopped reading may leave unsent before events to it are dropped."""

log = logging.getLogger(__name__)


def parse(data: str | bytes) -> dict[str, Any]:
    """The object that a page sent. Raises `BadInputError` for anything else than a JSON object of at most 64 KiB."""
    expected = f"a JSON object as text of at most {MAX_BYTES} bytes"
    if isinstance(data, bytes):
        raise BadInputError("message", f"{len(data)} bytes of binary data", expected)
    # Characters are counted first, so that an enormous text is not encoded just to be measured.
    if len(data) > MAX_BYTES or len(data.encode("utf-8", "replace")) > MAX_BYTES:
        raise BadInputError("message", f"{data[:20]}... of {len(data)} characters", expected)
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        raise BadInputError("message", data, expected) from None
    if not isinstance(message, dict):
        raise BadInputError("message", data, expected)
    return message


class Messages:
    """Both directions of the channel. Of garbage, the conversation gets to know what is wrong with it."""

    def __init__(self) -> None:
        self.inbox: DropOldest[Mapping[str, Any] | BadInputError] = DropOldest(MAX_UNREAD)
        self._channel: RTCDataChannel | None = None
        self._waiting: deque[str] = deque(maxlen=MAX_WAITING)

    def open(self, channel: RTCDataChannel) -> None:
        """Use `channel`, which the page made."""
        self._channel = channel
        channel.on("message", self._receive)
        while self._waiting:
            self._send_text(self._waiting.popleft())

    def send(self, event: Mapping[str, Any]) -> None:
        """Send one event; keeps the newest few until the page opens its channel."""
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        if self._channel is None:
            self._waiting.append(text)
        else:
            self._send_text(text)

    async def heartbeat(self) -> None:
        """Tell the page every second that the server is alive."""
        while True:
            if self._channel is not None:
                self.send({"message_type": "system", "event_type": "system.heartbeat", "timestamp": time.time()})
            await asyncio.sleep(HEARTBEAT_S)

    def _receive(self, data: str | bytes) -> None:
        try:
            message = parse(data)
        except BadInputError as error:
            self.inbox.put(error)
            return
        if message.get("event_type") != "system.pong" and not self.inbox.put(message):
            log.warning("a page sends faster than it can be read; the oldest of %d messages was dropped", MAX_UNREAD)

    def _send_text(self, text: str) -> None:
        assert self._channel is not None
        if self._channel.bufferedAmount > MAX_BUFFERED_BYTES:
            log.debug("event dropped: the page does not read")
            return
        try:
            self._channel.send(text)
        except (InvalidStateError, ValueError) as error:
            log.debug("event dropped: %r", error)
