"""A video as training sees it: upright square pixels at 25 pictures a second, and sound on the same clock.

Pictures and sound are decoded as they are asked for and never kept, so a video of two hours costs no more memory than
one of two minutes. Time counts from the first picture.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import av.container
import cv2
import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.replica import FPS, Frame
from visavis.replica.train import TrainingError

LARGEST_SIDE = 1080
"""Pictures whose shorter side is longer than this are made smaller as they are decoded: frames have 512 pixels."""

LARGEST_PIXELS = 8192 * 4352
"""Larger ones are refused, as one picture would fill the memory."""

MOST_DAMAGES = 200

# A playlist among the formats would let a stranger's file make FFmpeg open other files and addresses.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,h264,hevc,ogg,flv,asf,mxf,ivf,dv"
_FORMAT_WANTED = "an MP4, MOV, MKV, WebM, AVI or MPEG video with sound"


@dataclass(frozen=True, slots=True)
class Film:
    """What is known of a video before it is looked at."""

    path: Path
    duration_s: float
    size: tuple[int, int]
    """Width and height of the pictures as they are given out."""
    fps: float
    """Pictures a second on average, as filmed."""
    sound: bool


def open_film(path: Path) -> Film:
    """Read the head of a video. Raises `TrainingError`."""
    with _opened(path) as container:
        stream = _video(container)
        duration_s = _duration_s(container, path)
        first = next(_decoded(container, stream), None)
        if first is None:
            text = f"No picture of the video can be decoded ({stream.codec_context.name})"
            raise TrainingError("video_codec", f"{text}; expected {_FORMAT_WANTED}.")
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        return Film(
            path,
            duration_s,
            _shown_size(first, float(stream.sample_aspect_ratio or 1)),
            fps,
            bool(container.streams.audio),
        )


def pictures(film: Film, start_s: float = 0.0, end_s: float | None = None) -> Iterator[Frame]:
    """The pictures shown at the middle of every 40 ms from `start_s` on, BGR."""
    with _opened(film.path) as container:
        stream = _video(container)
        began = _began(container, stream)
        if start_s > 0:
            container.seek(int((start_s + began) * 1_000_000))
        shown: av.VideoFrame | None = None
        number = 0
        for frame in _decoded(container, stream):
            now = (frame.time or 0.0) - began
            # What was shown until now is asked for at all middles that have passed.
            while shown is not None and start_s + (number + 0.5) / FPS < now:
                if end_s is not None and start_s + number / FPS >= end_s - 1e-6:
                    return
                yield _upright(shown, film.size)
                number += 1
            shown = frame
        last = film.duration_s if end_s is None else min(end_s, film.duration_s)
        if shown is not None and start_s + (number + 0.5) / FPS <= last:
            yield _upright(shown, film.size)


def glimpses(film: Film, times_s: Sequence[float]) -> Iterator[Frame]:
    """One picture from about each of the times, for a quick look at a long video."""
    with _opened(film.path) as container:
        stream = _video(container)
        began = _began(container, stream)
        for time_s in times_s:
            container.seek(int((time_s + began) * 1_000_000))
            frame = next(_decoded(container, stream), None)
            if frame is not None:
                yield _upright(frame, film.size)


def sound(film: Film, start_s: float = 0.0, end_s: float | None = None) -> Pcm:
    """The sound from `start_s` to `end_s`, int16[N] at 48 kHz mono; silence where there is none."""
    end_s = film.duration_s if end_s is None else end_s
    whole = np.zeros(max(round((end_s - start_s) * PLAYOUT_RATE_HZ), 0), np.int16)
    if not film.sound:
        return whole
    with _opened(film.path) as container:
        began = _began(container, _video(container))
        stream = container.streams.audio[0]
        if start_s > 1:
            container.seek(int((start_s + began - 1) * 1_000_000))
        resampler = av.AudioResampler(format="s16", layout="mono", rate=PLAYOUT_RATE_HZ)
        at: int | None = None
        for frame in _frames(container, stream):
            if not isinstance(frame, av.AudioFrame):
                continue
            if at is None:
                at = round(((frame.time or 0.0) - began - start_s) * PLAYOUT_RATE_HZ)
            for piece in resampler.resample(frame):
                samples = piece.to_ndarray()[0]
                first, last = max(at, 0), min(at + len(samples), len(whole))
                if last > first:
                    whole[first:last] = samples[first - at : last - at]
                at += len(samples)
            if at >= len(whole):
                break
    return whole


@contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    try:
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
        with av.open(str(path), container_options=options) as container:
            yield container
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TrainingError(
            "video_format", f"The video cannot be read ({reason}); expected {_FORMAT_WANTED}."
        ) from None


def _video(container: av.container.InputContainer) -> av.VideoStream:
    if not container.streams.video:
        raise TrainingError("video_format", f"The file has sound but no pictures; expected {_FORMAT_WANTED}.")
    stream = container.streams.video[0]
    # Two decoding threads would halve the time, at the cost of whoever is in a call.
    stream.thread_type = "SLICE"
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > LARGEST_PIXELS:
        text = f"The pictures are {width} x {height} pixels large; expected at most 8192 x 4352."
        raise TrainingError("video_format", text)
    return stream


def _decoded(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    return (frame for frame in _frames(container, stream) if isinstance(frame, av.VideoFrame))


def _frames(container: av.container.InputContainer, stream: av.VideoStream | av.AudioStream) -> Iterator[object]:
    """Frames of a stream; damaged packets are left out, as long as they are few."""
    damages = 0
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            damages += 1
            if damages > MOST_DAMAGES:
                raise


def _began(container: av.container.InputContainer, stream: av.VideoStream) -> float:
    """Time stamp of the first picture, seconds."""
    if stream.start_time is not None and stream.time_base is not None:
        return float(stream.start_time * stream.time_base)
    return (container.start_time or 0) / 1_000_000


def _duration_s(container: av.container.InputContainer, path: Path) -> float:
    stream = container.streams.video[0]
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None:
        return container.duration / 1_000_000
    # Files that were recorded by a browser do not say how long they are.
    with _opened(path) as again:
        last = began = _began(again, again.streams.video[0])
        for packet in again.demux(again.streams.video[0]):
            if packet.pts is not None and packet.time_base is not None:
                last = max(last, float(packet.pts * packet.time_base))
        return last - began


def _shown_size(frame: av.VideoFrame, aspect: float) -> tuple[int, int]:
    """Width and height with square pixels, upright, not larger than needed."""
    width, height = frame.width * aspect, float(frame.height)
    if frame.rotation % 180:
        width, height = height, width
    shrink = min(1.0, LARGEST_SIDE / min(width, height))
    return max(round(width * shrink), 2), max(round(height * shrink), 2)


def _upright(frame: av.VideoFrame, size: tuple[int, int]) -> Frame:
    turned = frame.rotation % 360
    lying = (size[1], size[0]) if turned % 180 else size
    picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    if (picture.shape[1], picture.shape[0]) != lying:
        shrinking = picture.shape[0] > lying[1]
        picture = cv2.resize(picture, lying, interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)
    if turned:
        picture = np.ascontiguousarray(np.rot90(picture, turned // 90))
    return np.asarray(picture, np.uint8)
