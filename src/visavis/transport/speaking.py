"""What the person hears and sees of the replica: two tracks on one sample counter."""

import asyncio
import fractions
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import av
import cv2
from aiortc import MediaStreamTrack
from aiortc.codecs.h264 import H264Encoder

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.replica import Frame
from visavis.transport.aiortc_tuning import Encoded, ReceiverReport
from visavis.transport.bitrate import BitrateRule
from visavis.transport.opus import OpusEncoder
from visavis.transport.queues import DropOldest
from visavis.transport.vp8 import CLOCK_RATE_HZ, Vp8Encoder, i420

AUDIO_QUEUE = 3
VIDEO_QUEUE = 2

KEY_FRAME_GAP_S = 0.3
"""Least time between two key frames on demand, as in libwebrtc; a lossy path asks for many."""

MAX_DRIFT = PLAYOUT_RATE_HZ // 2
"""Samples that a position may be off before the clock is set anew, as after a suspended machine."""

log = logging.getLogger(__name__)


class PositionClock:
    """Which sample is being played now, judged from when the first one was given to be sent."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._started: tuple[float, int] | None = None

    def sending(self, position: int) -> None:
        """Sound of sample `position` is being sent now."""
        if self._started is None or abs(position - self.position) > MAX_DRIFT:
            self._started = self._now(), position

    @property
    def position(self) -> int:
        if self._started is None:
            return 0
        at, position = self._started
        return position + round((self._now() - at) * PLAYOUT_RATE_HZ)


class Track(MediaStreamTrack):
    """Stands for one of our tracks in aiortc's bookkeeping; the media itself takes the way of `aiortc_tuning`."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    async def recv(self) -> av.AudioFrame:
        raise NotImplementedError("encoded media is sent through aiortc_tuning.send_from")


class _Reports:
    """The part of a source that listens to the receiver."""

    def __init__(self) -> None:
        self.report: ReceiverReport | None = None

    def reported(self, report: ReceiverReport) -> None:
        self.report = report

    def want_key_frame(self) -> None:
        """Sound has no key frames."""

    def estimated(self, bitrate: int) -> None:
        """The sound keeps its bitrate: it is a twentieth of the picture's."""


class AudioSource(_Reports):
    """Sound on its way out. Encodes on the event loop: half a millisecond, less than the way to a thread and back."""

    def __init__(self, clock: PositionClock) -> None:
        super().__init__()
        self.queue: DropOldest[tuple[Pcm, int]] = DropOldest(AUDIO_QUEUE)
        self.sent = 0
        self._clock = clock
        self._encoder = OpusEncoder()

    def timestamp_now(self) -> int:
        return self._clock.position

    async def next(self, codec: str) -> Encoded:
        pcm, position = await self.queue.get()
        self.sent += 1
        return Encoded(self._encoder.encode(pcm, position), position)


class _H264:
    """aiortc's H.264 encoder, for the rare browser without VP8."""

    def __init__(self) -> None:
        self._encoder = H264Encoder()

    def encode(self, frame: av.VideoFrame, *, key: bool) -> tuple[list[bytes], bool]:
        payloads, _ = self._encoder.encode(frame, key)
        return payloads, key


class VideoSource(_Reports):
    """Pictures on their way out. Converts and encodes on a thread of its own, so that neither the event loop nor
    inference in the common thread pool makes a frame late.
    """

    def __init__(self, clock: PositionClock, now: Callable[[], float]) -> None:
        super().__init__()
        self.queue: DropOldest[tuple[Frame, int]] = DropOldest(VIDEO_QUEUE)
        self.sent = 0
        self.key_frames = 0
        self._clock = clock
        self._now = now
        self._rule = BitrateRule(now())
        self._encoder: Vp8Encoder | _H264 | None = None
        self._thread = ThreadPoolExecutor(1, "video-encoder")
        self._key_wanted = False
        self._key_at = -KEY_FRAME_GAP_S
        self._bytes: deque[tuple[float, int]] = deque()
        self._closed = False

    @property
    def bitrate(self) -> int:
        return self._rule.target

    def want_key_frame(self) -> None:
        self._key_wanted = True

    def estimated(self, bitrate: int) -> None:
        if self._rule.estimate(bitrate, self._sent_bitrate(), self._now()) and isinstance(self._encoder, Vp8Encoder):
            self._encoder.bitrate = self._rule.target

    def timestamp_now(self) -> int:
        return _video_timestamp(self._clock.position)

    async def next(self, codec: str) -> Encoded:
        while True:
            frame, position = await self.queue.get()
            if self._closed:
                raise ConnectionError("the call is over")  # which aiortc takes for what it is
            key = self._key_wanted and self._now() - self._key_at >= KEY_FRAME_GAP_S
            if self._encoder is None:
                self._encoder = Vp8Encoder(self._rule.target) if codec.lower() == "video/vp8" else _H264()
            encode = asyncio.get_running_loop().run_in_executor(
                self._thread, _encode, self._encoder, frame, _video_timestamp(position), key
            )
            try:
                payloads, is_key = await encode
            except (av.FFmpegError, cv2.error, ValueError) as error:
                log.error("picture of shape %s cannot be encoded: %s", frame.shape, error)
                continue
            self._count(payloads, is_key)
            return Encoded(payloads, _video_timestamp(position))

    def close(self) -> None:
        """Let the encoder's thread end; a frame in work is finished but not sent."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _count(self, payloads: list[bytes], is_key: bool) -> None:
        now = self._now()
        self.sent += 1
        self._bytes.append((now, sum(map(len, payloads))))
        while self._bytes[0][0] < now - 1:
            self._bytes.popleft()
        if is_key:
            self.key_frames += 1
            self._key_at = now
            self._key_wanted = False

    def _sent_bitrate(self) -> int:
        return 8 * sum(size for at, size in self._bytes if at >= self._now() - 1)


def _video_timestamp(position: int) -> int:
    return position * CLOCK_RATE_HZ // PLAYOUT_RATE_HZ


def _encode(encoder: Vp8Encoder | _H264, frame: Frame, timestamp: int, key: bool) -> tuple[list[bytes], bool]:
    picture = i420(frame)
    picture.pts = timestamp
    picture.time_base = fractions.Fraction(1, CLOCK_RATE_HZ)
    return encoder.encode(picture, key=key)
