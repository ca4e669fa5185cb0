"""From speech to a film, as fast as the machine can: the same mouth, face and clock as in a call, without the waiting.

One clock: every frame is written together with exactly its 40 ms of sound.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.layers.tts import Speech
from visavis.replica import FRAME_S, LOOK_AHEAD_S, Attitude, Frame, Renderer
from visavis.videos.files import FilmFile, MovingPreview, write_still
from visavis.videos.staging import Cutout, Watermark

SEGMENT = round(PLAYOUT_RATE_HZ * FRAME_S)
"""Samples of sound of one frame."""

LEAD_IN_S, TAIL_S = 0.24, 0.6
"""Silence around the speech, in which the face is at rest."""

Report: TypeAlias = Callable[[float], None]
"""Told which share of the work is done, 0 to 1."""

_Step = tuple[Pcm, object, Attitude]


@dataclass(frozen=True, slots=True)
class Film:
    """A film that was made. All files lie in one folder."""

    path: Path
    still: Path | None
    moving_preview: Path | None
    duration_s: float
    size: tuple[int, int]


def sound_of(speeches: Sequence[Speech]) -> Pcm:
    """What a film of these speeches sounds like, without its lead-in and tail: int16[N] at 48 kHz."""
    return np.concatenate([np.zeros(0, np.int16), *(speech.pcm for speech in speeches)])


async def render_film(
    speeches: Sequence[Speech],
    renderer: Renderer[object],
    path: Path,
    report: Report = lambda share: None,
    *,
    previews: bool = True,
    watermark: Watermark | None = None,
) -> Film:
    """Write a film of a replica that says `speeches` to `path` (.mp4 or .webm), and next to it a .jpg and a .gif.

    With a `Cutout` the film (.webm) is transparent around the replica, and the pictures beside it show it before white.
    Raises `BadInputError` for another kind of file.
    """
    steps = list(_steps(speeches, renderer))
    still = path.with_suffix(".jpg") if previews else None
    moving = path.with_suffix(".gif") if previews else None
    preview = MovingPreview()
    cutout = renderer if type(renderer) is Cutout else None
    with FilmFile(path, renderer.size, transparent=cutout is not None) as film:
        for number, (pcm, motion, attitude) in enumerate(steps):
            frame, opacity, shown = _pictured(renderer.render(motion, attitude), cutout, watermark)
            if number == 0 and still:
                write_still(still, shown)
            preview.add(shown)
            film.write(frame, pcm, opacity)
            report((number + 1) / len(steps))
            await asyncio.sleep(0)
    if moving:
        preview.write(moving)
    return Film(path, still, moving, len(steps) * FRAME_S, renderer.size)


def _pictured(
    frame: Frame, cutout: Cutout | None, watermark: Watermark | None
) -> tuple[Frame, NDArray[np.uint8] | None, Frame]:
    """What goes into the film, how opaque it is, and what stands for it where nothing can be transparent."""
    if watermark:
        frame = watermark.on(frame)
    if cutout is None:
        return frame, None, frame
    opacity = watermark.opacity(cutout.opacity) if watermark else cutout.opacity
    shown: Frame = np.clip(frame + 255 * (1 - opacity), 0, 255).astype(np.uint8)
    straight: Frame = np.clip(frame / np.maximum(opacity, 1 / 255), 0, 255).astype(np.uint8)
    return straight, np.asarray(255 * opacity[..., 0] + 0.5, np.uint8), shown


def _steps(speeches: Sequence[Speech], renderer: Renderer[object]) -> Iterator[_Step]:
    yield from _at_rest(LEAD_IN_S)
    # Pauses are part of what is said; only the end of a piece that is no whole number of frames is filled up.
    for speech in speeches:
        pcm = np.zeros(-(-len(speech.pcm) // SEGMENT) * SEGMENT, np.int16)
        pcm[: len(speech.pcm)] = speech.pcm
        motions = renderer.plan(speech) if speech.phonemes else _followed(renderer, pcm)
        for number, motion in enumerate(motions):
            yield pcm[number * SEGMENT : (number + 1) * SEGMENT], motion, Attitude.SPEAKING
    yield from _at_rest(TAIL_S)


def _followed(renderer: Renderer[object], pcm: Pcm) -> Iterator[object]:
    follower = renderer.follow_sound()
    known = SEGMENT + round(LOOK_AHEAD_S * PLAYOUT_RATE_HZ)
    return (follower.next(pcm[start : start + known]) for start in range(0, len(pcm), SEGMENT))


def _at_rest(seconds: float) -> Iterator[_Step]:
    silence = np.zeros(SEGMENT, np.int16)
    return ((silence, None, Attitude.IDLE) for _ in range(round(seconds / FRAME_S)))
