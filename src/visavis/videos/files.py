"""Files that leave: MP4 and WebM films, WAV and MP3 recordings, still and moving previews.

Pictures are VP9 (libvpx, BSD licence), sound is AAC in MP4 and Opus in WebM (FFmpeg's own encoder, LGPL; libopus, BSD).
H.264 is left out on purpose: the only encoder for it that comes with PyAV is libx264, which is under the GPL.
"""

import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.errors import BadInputError
from visavis.replica import FPS, Frame
from visavis.transport.vp8 import i420

_PICTURES = {
    # Of the realtime settings the slowest; measured at 6 ms of CPU per frame of 512 x 512, a quarter of "good".
    "deadline": "realtime",
    "cpu-used": "6",
    "crf": "24",
    "b": "0",
    "g": str(10 * FPS),
}
_TRANSPARENT = {"auto-alt-ref": "0"}
"""libvpx knows no reference frames of its own making in the plane of opacity."""

_BT601, _LIMITED_RANGE = 6, 1
_GIF_EVERY, _GIF_WIDTH, _GIF_S = 4, 192, 4


class FilmFile:
    """Writes pictures and their sound in step; a context manager that finishes the file."""

    def __init__(self, path: Path, size: tuple[int, int], *, transparent: bool = False) -> None:
        """`size` is width and height in pixels; a `transparent` film must be .webm.

        Raises `BadInputError` unless `path` ends in .mp4 or .webm.
        """
        if path.suffix not in (".mp4", ".webm"):
            raise BadInputError("file name", path.name, "a name that ends in .mp4 or .webm")
        mp4 = path.suffix == ".mp4"
        self._container = av.open(path, "w", options={"movflags": "faststart"} if mp4 else {})
        options = _PICTURES | _TRANSPARENT if transparent else _PICTURES
        video = self._container.add_stream("libvpx-vp9", rate=FPS, options=options)
        video.width, video.height = size
        video.pix_fmt = "yuva420p" if transparent else "yuv420p"
        video.codec_context.thread_count = 1
        video.codec_context.colorspace, video.codec_context.color_range = _BT601, _LIMITED_RANGE
        audio = self._container.add_stream("aac" if mp4 else "libopus", rate=PLAYOUT_RATE_HZ)
        audio.layout = "mono"
        audio.bit_rate = 96_000 if mp4 else 64_000
        self._video, self._audio = video, audio
        self._frames = self._samples = 0

    def write(self, frame: Frame, pcm: Pcm, opacity: NDArray[np.uint8] | None = None) -> None:
        """Add one frame and the 40 ms of sound that belong to it; of a transparent film also uint8[H, W]."""
        picture = i420(frame) if opacity is None else _with_opacity(i420(frame), opacity)
        picture.pts, picture.time_base = self._frames, Fraction(1, FPS)
        self._frames += 1
        self._container.mux(self._video.encode(picture))
        sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm[None]), "s16", "mono")
        sound.sample_rate, sound.pts, sound.time_base = PLAYOUT_RATE_HZ, self._samples, Fraction(1, PLAYOUT_RATE_HZ)
        self._samples += len(pcm)
        self._container.mux(self._audio.encode(sound))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._container.mux(self._video.encode(None))
            self._container.mux(self._audio.encode(None))
        self._container.close()


def _with_opacity(picture: av.VideoFrame, opacity: NDArray[np.uint8]) -> av.VideoFrame:
    """`picture` (yuv420p) with a fourth plane."""
    result = av.VideoFrame(picture.width, picture.height, "yuva420p")
    for plane, source in zip(result.planes, picture.planes, strict=False):
        rows = np.frombuffer(memoryview(source), np.uint8).reshape(source.height, source.line_size)
        _fill(plane, rows[:, : source.width])
    _fill(result.planes[3], opacity[: picture.height, : picture.width])
    return result


def _fill(plane: VideoPlane, values: NDArray[np.uint8]) -> None:
    rows = np.zeros((plane.height, plane.line_size), np.uint8)
    rows[:, : plane.width] = values
    plane.update(rows.tobytes())


def write_sound(path: Path, pcm: Pcm) -> None:
    """Write mono sound at 48 kHz as .wav or .mp3. Raises `BadInputError` for other names."""
    if path.suffix == ".wav":
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(PLAYOUT_RATE_HZ)
            file.writeframes(pcm.astype("<i2").tobytes())
    elif path.suffix == ".mp3":
        with av.open(path, "w") as container:
            stream = container.add_stream("libmp3lame", rate=PLAYOUT_RATE_HZ)
            stream.layout, stream.bit_rate = "mono", 96_000
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm[None]), "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = PLAYOUT_RATE_HZ, 0, Fraction(1, PLAYOUT_RATE_HZ)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    else:
        raise BadInputError("file name", path.name, "a name that ends in .wav or .mp3")


def write_still(path: Path, frame: Frame) -> None:
    """Write one picture as JPEG."""
    done, packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    path.write_bytes(packed.tobytes())


class MovingPreview:
    """Collects the first seconds of a film, small and slow, for a GIF."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._seen = 0

    def add(self, frame: Frame) -> None:
        """Tell of the next frame of the film."""
        if self._seen % _GIF_EVERY == 0 and self._seen < _GIF_S * FPS:
            height = round(frame.shape[0] * _GIF_WIDTH / frame.shape[1])
            small = cv2.resize(frame, (_GIF_WIDTH, height), interpolation=cv2.INTER_AREA)
            self._frames.append(np.asarray(small, np.uint8))
        self._seen += 1

    def write(self, path: Path) -> None:
        """Write the GIF, with a palette of its own."""
        with av.open(path, "w") as container:
            stream = container.add_stream("gif", rate=Fraction(FPS, _GIF_EVERY))
            stream.height, stream.width = self._frames[0].shape[:2]
            stream.pix_fmt = "pal8"
            for pts, frame in enumerate(_paletted(self._frames)):
                frame.pts, frame.time_base = pts, Fraction(_GIF_EVERY, FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))


def _paletted(frames: Sequence[Frame]) -> list[av.VideoFrame]:
    graph = av.filter.Graph()
    height, width = frames[0].shape[:2]
    bgr = av.VideoFormat("bgr24")
    source = graph.add_buffer(width=width, height=height, format=bgr, time_base=Fraction(_GIF_EVERY, FPS))
    split = graph.add("split")
    palette, use, sink = graph.add("palettegen"), graph.add("paletteuse"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(palette, 0, 0)
    split.link_to(use, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    for pts, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(frame, "bgr24")
        picture.pts, picture.time_base = pts, Fraction(_GIF_EVERY, FPS)
        source.push(picture)
    source.push(None)
    made = []
    while True:
        try:
            made.append(cast(av.VideoFrame, sink.pull()))
        except (av.EOFError, av.BlockingIOError):
            return made
