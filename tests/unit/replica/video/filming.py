"""Makes video files for tests."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from visavis.audio import PLAYOUT_RATE_HZ, Pcm

TICKS = 1000


def write_film(
    path: Path,
    frames: Sequence[NDArray[np.uint8]],
    pcm: Pcm | None = None,
    times_s: Sequence[float] | None = None,
    codec: str = "libx264",
) -> Path:
    """Frames uint8[H, W, 3] BGR shown from `times_s` on (else 25 a second), and sound from the start."""
    times = times_s if times_s is not None else [number / 25 for number in range(len(frames))]
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options={"crf": "4"} if codec == "libx264" else {})
        video.width, video.height, video.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        video.time_base = video.codec_context.time_base = Fraction(1, TICKS)
        sounding = container.add_stream("aac", rate=PLAYOUT_RATE_HZ) if pcm is not None else None
        for frame, time_s in zip(frames, times, strict=True):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "bgr24")
            picture.pts, picture.time_base = round(time_s * TICKS), Fraction(1, TICKS)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if sounding is not None and pcm is not None:
            piece = av.AudioFrame.from_ndarray(pcm[None].astype(np.float32) / 32768, "fltp", "mono")
            piece.sample_rate, piece.pts, piece.time_base = PLAYOUT_RATE_HZ, 0, Fraction(1, PLAYOUT_RATE_HZ)
            container.mux(sounding.encode(piece))
            container.mux(sounding.encode(None))
    return path


def turned_right(path: Path) -> Path:
    """Mark an MP4 file as filmed with the camera on its side: to be shown turned by 90 degrees clockwise."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    values = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    data[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in values)
    path.write_bytes(bytes(data))
    return path


def greys(levels: Sequence[int], size: tuple[int, int] = (64, 48)) -> list[NDArray[np.uint8]]:
    """Even pictures of some brightness."""
    return [np.full((size[1], size[0], 3), level, np.uint8) for level in levels]
