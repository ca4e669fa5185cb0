"""The replica: a face that speaks. This file is the interface that the conversation sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.audio import Pcm
from visavis.layers.tts import Speech

FPS = 25
FRAME_S = 1 / FPS

Frame: TypeAlias = NDArray[np.uint8]
"""uint8[H, W, 3], BGR."""

Motion = TypeVar("Motion")
"""What a renderer wants to know about 40 ms of speech; made by `plan`, read by `render`, opaque to everybody else."""


class Attitude(StrEnum):
    """What the replica is doing, as its face shows it."""

    IDLE = "idle"
    LISTENING = "listening"
    NODDING = "nodding"
    """Listening, with a nod at its beginning."""
    THINKING = "thinking"
    SPEAKING = "speaking"


class Emotion(StrEnum):
    """What a replica may be told to feel."""

    NEUTRAL = "neutral"
    HAPPINESS = "happiness"
    SADNESS = "sadness"
    ANGER = "anger"
    FEAR = "fear"
    SURPRISE = "surprise"
    DISGUST = "disgust"
    CONTEMPT = "contempt"


@dataclass(frozen=True, slots=True)
class Rapport:
    """What the person's face asks of the replica's, each 0 to 1: people in conversation mirror each other."""

    smile: float = 0.0
    brows: float = 0.0
    """Raised in interest."""
    concern: float = 0.0
    """Drawn together over somebody who frowns."""


LOOK_AHEAD_S = 0.08
"""How much sound after a frame's own 40 ms a mouth needs that follows sound alone: lips move before they are heard."""

HeardMotion_co = TypeVar("HeardMotion_co", covariant=True)


class SoundFollower(Protocol, Generic[HeardMotion_co]):
    """The mouth of one stream of speech of which only the sound is known."""

    def next(self, sound: Pcm) -> HeardMotion_co:
        """Motion of the next 40 ms, the first of `sound`: int16[N] at 48 kHz, N >= 1920.

        `sound` goes on as far as it is known, up to `LOOK_AHEAD_S` more. Takes less than a millisecond.
        """
        ...


class Renderer(Protocol, Generic[Motion]):
    """One face in one call.

    `plan` may run seconds ahead and is cheap; `render` is called once per frame, in order, on a worker thread,
    and carries the face's own time (blinks, breathing, head sway), so that nothing jumps when speech is cut off.
    """

    size: tuple[int, int]
    """Width and height of the frames, pixels."""

    def plan(self, speech: Speech) -> Sequence[Motion]:
        """Mouth motion of `speech`, one item per 40 ms started."""
        ...

    def follow_sound(self) -> SoundFollower[Motion]:
        """Begin to follow a stream of speech by its sound alone."""
        ...

    def express(self, emotion: Emotion) -> None:
        """Show this from now on, as far as this face can."""
        ...

    def mirror(self, rapport: Rapport) -> None:
        """Show this besides, from now on, as far as this face can."""
        ...

    def render(self, motion: Motion | None, attitude: Attitude) -> Frame:
        """The next frame; `motion` is None while the replica is silent."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What is seen behind the person instead of what was behind them: a colour, or a picture."""

    colour: tuple[int, int, int] = (0, 0, 0)
    """BGR, 0 to 255."""
    picture: Frame | None = None
    """Shown instead of the colour, scaled to cover the frame and cut at its edges."""

    def filling(self, size: tuple[int, int]) -> Frame:
        """uint8[H, W, 3] of this width and height."""
        width, height = size
        if self.picture is None:
            return np.full((height, width, 3), self.colour, np.uint8)
        rows, columns = self.picture.shape[:2]
        scale = max(width / columns, height / rows)
        wide, high = max(width, round(columns * scale)), max(height, round(rows * scale))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        covering = cv2.resize(self.picture, (wide, high), interpolation=how)
        top, left = (high - height) // 2, (wide - width) // 2
        return np.ascontiguousarray(covering[top : top + height, left : left + width], np.uint8)


GREEN_SCREEN = Background(colour=(155, 255, 0))
"""The green that is put behind a replica for others to replace."""


class Replica(Protocol):
    """A face that calls can use; one instance serves all calls of a process."""

    name: str

    def renderer(self, background: Background | None = None) -> Renderer[object]:
        """Start a face for one call, before its own background or another.

        Raises `BadInputError` when this face cannot be parted from its background.
        """
        ...
