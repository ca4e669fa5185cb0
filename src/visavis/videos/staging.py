"""Where a replica stands in a video: before a film, before nothing, and with a picture laid over it.

How much of each pixel is the replica and how much is what is behind it is known exactly, because the replica is drawn
twice, before black and before white (triangulation; Smith and Blinn, "Blue screen matting", 1996).
"""

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.errors import BadInputError
from visavis.layers.tts import Speech
from visavis.replica import FPS, Attitude, Background, Emotion, Frame, Rapport, Renderer, Replica, SoundFollower
from visavis.replica.bundle import pictures
from visavis.videos.sound import FORMATS

Opacity = NDArray[np.float32]
"""float32[H, W, 1], 0 to 1."""

LARGEST_SIDE = 4_096
"""Of a background or watermark, pixels."""

Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right"]

_WATERMARK_SHARE, _MARGIN_SHARE = 0.22, 0.03
"""Of the frame's width."""


class _Seeded(Protocol):
    """A replica that can be drawn twice in the same way."""

    def renderer(self, background: Background | None = None, *, seed: int | None = None) -> Renderer[object]: ...


class Cutout:
    """A `visavis.replica.Renderer` of the replica alone: its frames are dark where it is not, see `opacity`."""

    def __init__(self, replica: Replica) -> None:
        """Raises `BadInputError` for a replica that cannot be parted from its background."""
        seeded, seed = cast(_Seeded, replica), secrets.randbits(32)
        self._on_black = seeded.renderer(Background((0, 0, 0)), seed=seed)
        self._on_white = seeded.renderer(Background((255, 255, 255)), seed=seed)
        self.size = self._on_black.size
        width, height = self.size
        self.opacity: Opacity = np.zeros((height, width, 1), np.float32)
        """Of the last frame."""

    def plan(self, speech: Speech) -> Sequence[object]:
        """See `visavis.replica.Renderer`, as for all that follow."""
        return self._on_black.plan(speech)

    def follow_sound(self) -> SoundFollower[object]:
        return self._on_black.follow_sound()

    def express(self, emotion: Emotion) -> None:
        for renderer in (self._on_black, self._on_white):
            renderer.express(emotion)

    def mirror(self, rapport: Rapport) -> None:
        for renderer in (self._on_black, self._on_white):
            renderer.mirror(rapport)

    def render(self, motion: object | None, attitude: Attitude) -> Frame:
        dark, light = (one.render(motion, attitude) for one in (self._on_black, self._on_white))
        behind = cv2.subtract(light, dark).mean(axis=2, keepdims=True, dtype=np.float32) / 255
        self.opacity = 1 - behind
        return dark


class BeforeFilm(Cutout):
    """A replica before a film, which begins again when it is over."""

    def __init__(self, replica: Replica, path: Path) -> None:
        """Raises `BadInputError` when `path` is no film."""
        super().__init__(replica)
        self._film = _looped(path, self.size)

    def render(self, motion: object | None, attitude: Attitude) -> Frame:
        """See `visavis.replica.Renderer`."""
        person = super().render(motion, attitude)
        frame: Frame = np.clip(person + (1 - self.opacity) * next(self._film), 0, 255).astype(np.uint8)
        return frame


def _looped(path: Path, size: tuple[int, int]) -> Iterator[Frame]:
    """The pictures of a film at our own rate, filling `size`, over and over."""
    shown = 0
    while True:
        began = shown
        for at_s, picture in _pictures(path):
            filling = Background(picture=picture).filling(size)
            # Each picture stays until the next one's time has come.
            while shown - began <= at_s * FPS:
                shown += 1
                yield filling
        if shown == began:
            raise not_a_background(path)


def _pictures(path: Path) -> Iterator[tuple[float, Frame]]:
    try:
        with av.open(path, container_options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            if not 0 < max(stream.width, stream.height) <= LARGEST_SIDE:
                raise not_a_background(path)
            first: float | None = None
            for picture in container.decode(stream):
                at_s = float(picture.time or 0.0)
                first = at_s if first is None else first
                yield at_s - first, picture.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
    except (av.FFmpegError, IndexError) as error:
        raise not_a_background(path) from error


def not_a_background(path: Path) -> BadInputError:
    """What is said of a file that is neither a picture nor a film."""
    expected = f"a video or a JPEG, PNG or WebP picture, at most {LARGEST_SIDE} pixels a side"
    return BadInputError("background_source_url", f"{path.stat().st_size} bytes", expected)


def picture_in(path: Path) -> Frame | None:
    """The JPEG, PNG or WebP picture in a file, BGR or BGRA; None when it is none, or too large."""
    data = path.read_bytes()
    try:
        height, width = pictures.size(data)
        if not 0 < max(height, width) <= LARGEST_SIDE:
            return None
        opened = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except (ValueError, cv2.error):
        return None
    if opened is None or opened.dtype != np.uint8:
        return None
    if opened.ndim == 2:
        opened = cv2.cvtColor(opened, cv2.COLOR_GRAY2BGR)
    return np.asarray(opened, np.uint8)


class Watermark:
    """A picture in a corner of every frame: at most a fifth of its width, never enlarged."""

    def __init__(self, picture: Frame, size: tuple[int, int], corner: Corner = "bottom_right") -> None:
        """`picture`: uint8[h, w, 3 or 4]; `size`: width and height of the frames."""
        width, height = size
        scale = min(1.0, _WATERMARK_SHARE * width / picture.shape[1], _WATERMARK_SHARE * height / picture.shape[0])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
        margin = round(_MARGIN_SHARE * width)
        rows, columns = small.shape[:2]
        top = margin if corner.startswith("top") else height - margin - rows
        left = margin if corner.endswith("left") else width - margin - columns
        self._place = slice(top, top + rows), slice(left, left + columns)
        self._opacity = small[..., 3:] / 255 if small.shape[2] == 4 else np.ones((rows, columns, 1), np.float32)
        self._colour = small[..., :3] * self._opacity

    def on(self, frame: Frame) -> Frame:
        """`frame` with the watermark, in another array."""
        marked = frame.copy()
        marked[self._place] = self._colour + (1 - self._opacity) * frame[self._place] + 0.5
        return marked

    def opacity(self, below: Opacity) -> Opacity:
        """How opaque a frame with the watermark is, whose replica is as opaque as `below`."""
        marked = below.copy()
        marked[self._place] = self._opacity + (1 - self._opacity) * below[self._place]
        return marked
