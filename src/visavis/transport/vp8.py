"""VP8 as it leaves: a face at 25 fps for a few milliseconds of one core."""

import fractions
import random

import av
import cv2
import numpy as np
from aiortc.codecs.vpx import VpxPayloadDescriptor
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from visavis.replica import FPS, Frame

CLOCK_RATE_HZ = 90_000
"""RTP clock of every video format (RFC 7741 section 4.1)."""

PAYLOAD_BYTES = 1_200
"""Largest RTP payload, small enough for tunnels; libwebrtc uses the same."""


def i420(frame: Frame) -> av.VideoFrame:
    """BGR uint8[H, W, 3] to a YUV 4:2:0 frame that shares the converted memory; an odd last row or column is cut."""
    height, width = frame.shape[0] & ~1, frame.shape[1] & ~1
    planes = cv2.cvtColor(np.ascontiguousarray(frame[:height, :width]), cv2.COLOR_BGR2YUV_I420)
    return av.VideoFrame.from_numpy_buffer(planes, "yuv420p")


class Vp8Encoder:
    """One libvpx encoder with one thread.

    cpu-used -8 without noise filter costs 40 % less than aiortc's setting at higher PSNR (architecture.md); the
    pictures are synthetic, so there is no camera noise to filter. libvpx is started anew when size or bitrate
    change, because FFmpeg cannot change the bitrate of a running one.
    """

    def __init__(self, bitrate: int) -> None:
        self.bitrate = bitrate
        self._codec: VideoCodecContext | None = None
        self._picture_id = random.randrange(1 << 15)

    def encode(self, frame: av.VideoFrame, *, key: bool) -> tuple[list[bytes], bool]:
        """Encode `frame`, whose pts counts 1/90000 s; returns RTP payloads and whether they are a key frame."""
        codec = self._codec
        if codec is None or (codec.width, codec.height, codec.bit_rate) != (frame.width, frame.height, self.bitrate):
            codec = self._codec = self._start(frame.width, frame.height)
        if key:
            frame.pict_type = PictureType.I
        packets = codec.encode(frame)
        self._picture_id = (self._picture_id + 1) % (1 << 15)
        is_key = any(packet.is_keyframe for packet in packets)
        return self._payloads(b"".join(bytes(packet) for packet in packets)), is_key

    def _start(self, width: int, height: int) -> VideoCodecContext:
        codec = av.CodecContext.create("libvpx", "w")
        assert isinstance(codec, VideoCodecContext)
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        codec.time_base = fractions.Fraction(1, CLOCK_RATE_HZ)
        codec.framerate = fractions.Fraction(FPS, 1)
        codec.bit_rate = self.bitrate
        codec.gop_size = 3_000
        codec.qmin, codec.qmax = 2, 56
        codec.thread_count = 1
        codec.options = {
            "deadline": "realtime",
            "cpu-used": "-8",
            "noise-sensitivity": "0",
            "lag-in-frames": "0",
            "static-thresh": "1",
            "partitions": "0",
            # Equal bounds make libvpx keep a constant rate; the buffer is one second.
            "minrate": str(self.bitrate),
            "maxrate": str(self.bitrate),
            "bufsize": str(self.bitrate),
            "undershoot-pct": "100",
            "overshoot-pct": "15",
            # A key frame may take as much as six frames, so that it does not flood a thin network.
            "max-intra-rate": "600",
        }
        return codec

    def _payloads(self, data: bytes) -> list[bytes]:
        first = bytes(VpxPayloadDescriptor(partition_start=1, partition_id=0, picture_id=self._picture_id))
        other = bytes(VpxPayloadDescriptor(partition_start=0, partition_id=0, picture_id=self._picture_id))
        size = PAYLOAD_BYTES - len(first)
        return [(other if at else first) + data[at : at + size] for at in range(0, len(data), size)]
