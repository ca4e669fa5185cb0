"""From video packets to pictures, of which only those are made that somebody looks at.

Frames are put together on the event loop and kept encoded; a worker thread that looks decodes what has come since it
looked last. Owner of the decoder and of the frames that wait for it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import av
import cv2
import numpy as np

from visavis.replica import Frame
from visavis.transport import Picture

MAX_WAITING = 90
"""Encoded frames that wait for somebody to look: 3 s at 30 a second. When nobody does, they are all given up, and a
key frame is asked for as soon as somebody looks again."""

MAX_WAITING_BYTES = 4 << 20

PATIENCE = 128
"""Packets after which a missing one is given up; until then it may be sent again."""

_WRAP = 1 << 16
_DECODERS = {"video/vp8": "vp8", "video/h264": "h264"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Packet:
    timestamp: int
    last: bool
    codec: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Encoded:
    """One whole frame as it came."""

    codec: str
    data: bytes
    at: float
    """When it was complete, seconds of the event loop's clock."""

    @property
    def key(self) -> bool:
        """It can be decoded by itself."""
        if self.codec == "video/vp8":
            return not self.data[0] & 1  # RFC 6386 section 9.1
        return any(nal & 31 in (5, 7) for nal in _nal_types(self.data))


def _nal_types(data: bytes) -> list[int]:
    """First bytes of the units of an Annex B stream, without looking into large ones."""
    found: list[int] = []
    at = data.find(b"\x00\x00\x01")
    while at >= 0 and len(found) < 8:
        found.append(data[at + 3] if at + 3 < len(data) else 0)
        at = data.find(b"\x00\x00\x01", at + 3)
    return found


class FrameAssembly:
    """Packets to frames, in order. A frame ends with a packet that is marked so (RFC 7741, RFC 6184)."""

    def __init__(self) -> None:
        self.lost = 0
        """Packets given up."""
        self._packets: dict[int, _Packet] = {}
        self._next: int | None = None
        self._newest = 0

    def add(self, sequence: int, packet: _Packet) -> tuple[list[_Packet], bool]:
        """Take a packet; returns the packets of all frames that are complete now, and whether any were given up."""
        if self._next is None:
            self._next = self._newest = sequence
        sequence = self._unwrapped(sequence)
        if sequence < self._next:
            return [], False
        self._newest = max(self._newest, sequence)
        self._packets[sequence] = packet
        complete = self._complete()
        gave_up = False
        if not complete and self._newest - self._next > PATIENCE:
            gave_up = True
            self.lost += self._newest - self._next + 1 - len(self._packets)
            self._packets.clear()
            self._next = self._newest + 1
        return complete, gave_up

    def _unwrapped(self, sequence: int) -> int:
        step = (sequence - self._newest) % _WRAP
        return self._newest + (step if step < _WRAP // 2 else step - _WRAP)

    def _complete(self) -> list[_Packet]:
        assert self._next is not None
        end = self._next
        whole = end
        while (packet := self._packets.get(end)) is not None:
            end += 1
            if packet.last:
                whole = end
        taken = [self._packets.pop(number) for number in range(self._next, whole)]
        self._next = whole
        return taken


class Pictures:
    """One incoming video: a `visavis.transport.Sight`."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.frames = 0
        """Whole frames that came."""
        self.decoded = 0
        self._now = now
        self._assembly = FrameAssembly()
        self._waiting: deque[Encoded] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._decoding = threading.Lock()
        self._needs_key = True
        self._asked_at = float("-inf")
        self._watched = False
        self._decoder: av.VideoCodecContext | None = None
        self._decoder_codec = ""

    def packet(self, sequence: int, timestamp: int, *, last: bool, codec: str, data: bytes) -> bool:
        """Take an RTP packet without its payload descriptor; returns whether the sender should make a key frame."""
        packets, gave_up = self._assembly.add(sequence, _Packet(timestamp, last, codec.lower(), data))
        with self._lock:
            if gave_up:
                self._forget()
            part: list[_Packet] = []
            for packet in packets:
                part.append(packet)
                if packet.last:
                    self._frame(part)
                    part = []
            return self._wants_key()

    def look(self, longest_side: int) -> Picture | None:
        """See `visavis.transport.Sight`."""
        with self._decoding:
            return self._look(longest_side)

    def _look(self, longest_side: int) -> Picture | None:
        with self._lock:
            self._watched = True
            frames = list(self._waiting)
            self._waiting.clear()
            self._bytes = 0
        newest_key = max((index for index, frame in enumerate(frames) if frame.key), default=0)
        picture, at = None, 0.0
        for frame in frames[newest_key:]:
            decoded = self._decode(frame)
            if decoded is not None:
                picture, at = decoded, frame.at
        return _picture(picture, at, longest_side) if picture is not None else None

    def _frame(self, packets: list[_Packet]) -> None:
        frame = Encoded(packets[0].codec, b"".join(packet.data for packet in packets), self._now())
        if not frame.data or frame.codec not in _DECODERS:
            return
        self.frames += 1
        if self._needs_key and not frame.key:
            return
        self._needs_key = False
        if frame.key:
            self._waiting.clear()
            self._bytes = 0
        self._waiting.append(frame)
        self._bytes += len(frame.data)
        if len(self._waiting) > MAX_WAITING or self._bytes > MAX_WAITING_BYTES:
            self._forget()
            self._watched = False

    def _forget(self) -> None:
        self._waiting.clear()
        self._bytes = 0
        self._needs_key = True

    def _wants_key(self) -> bool:
        """A key frame is needed, somebody would see it, and it was not asked for just now."""
        if not self._needs_key or not self._watched or self._now() - self._asked_at < 0.5:
            return False
        self._asked_at = self._now()
        return True

    def _decode(self, frame: Encoded) -> av.VideoFrame | None:
        if self._decoder is None or self._decoder_codec != frame.codec:
            self._decoder = _decoder(frame.codec)
            self._decoder_codec = frame.codec
        try:
            decoded = self._decoder.decode(av.Packet(frame.data))
        except av.FFmpegError as error:
            log.debug("a picture cannot be decoded: %s", error)
            with self._lock:
                self._forget()
            return None
        self.decoded += len(decoded)
        return decoded[-1] if decoded else None


def _decoder(codec: str) -> av.VideoCodecContext:
    decoder = av.CodecContext.create(_DECODERS[codec], "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    decoder.options = {"flags": "low_delay"}
    return decoder


def _picture(frame: av.VideoFrame, at: float, longest_side: int) -> Picture:
    """Shrunk before it is converted: most of a large picture's pixels are never touched twice."""
    if frame.format.name not in ("yuv420p", "yuvj420p"):
        frame = frame.reformat(format="yuv420p")
    width, height = frame.width, frame.height
    scale = min(1.0, longest_side / max(width, height))
    small = tuple(max(2, round(side * scale / 2) * 2) for side in (width, height))
    planes = []
    for plane, size in zip(frame.planes, (small, *[(small[0] // 2, small[1] // 2)] * 2), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        planes.append(rows if rows.shape[::-1] == size else cv2.resize(rows, size, interpolation=cv2.INTER_AREA))
    packed = np.concatenate([np.ravel(plane) for plane in planes]).reshape(small[1] * 3 // 2, small[0])
    pixels: Frame = np.asarray(cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_I420), np.uint8)
    return Picture(pixels, (width, height), at)
