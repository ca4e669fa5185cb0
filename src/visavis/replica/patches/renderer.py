"""A filmed person who speaks: calm moments play for ever, and in speech a mouth of their own is laid over each.

The mouth is a picture from the moment in which this person's lips were most like the wanted ones. It is warped so that
lips, chin and nose lie exactly where they belong in the picture below, takes on that picture's colours, and ends in a
soft rim. So what moves between two pictures of mouths is only what lies between the lips.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.audio import Pcm
from visavis.layers.tts import Speech
from visavis.replica import LOOK_AHEAD_S, Attitude, Emotion, Frame, Rapport
from visavis.replica.life import Life
from visavis.replica.motion import SAMPLES, loudness
from visavis.replica.motion import plan as articulations
from visavis.replica.patches.contents import Contents
from visavis.replica.patches.hearing import Ear, articulated
from visavis.replica.patches.overlay import Overlay
from visavis.replica.patches.retrieval import Chooser, Index, follow_whole
from visavis.replica.patches.turning import Turning
from visavis.replica.visemes import CLOSED

RELAX_PER_FRAME = 0.42
"""What is left, from one frame to the next, of lips that have no motion any more."""

RELAXED = 1.2
"""Largest component, in pixels, of lips that count as closed again."""

APPEAR_PER_FRAME = 0.34
"""How fast the mouth is laid over the picture below, and taken away; both have closed lips then."""

HAND_OVER = (0.4, 0.1)
"""Share of the mouth that was shown before, in the first frames after a jump to another moment."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LipMotion:
    """Motion of the face during 40 ms of speech."""

    lips: Floats
    """float32[K], components of this person's lips."""
    mouth: int
    """Number of the picture."""
    loudness: float
    """0 to 1."""


class Person:
    """A loaded bundle with all that its renderers share; never written after it is made."""

    def __init__(self, contents: Contents, size: tuple[int, int]) -> None:
        self.contents = contents
        self.size = size
        self.index = Index(contents.mouths, contents.lips)
        self.overlay = Overlay(contents)
        self.turning = Turning(contents.head, size)
        self.rest = contents.lips.rest
        # Half the memory of BGR, and a tenth of the time that JPEG takes.
        self._calm = [cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420) for frame in contents.loop.frames.all()]
        closed = np.abs(contents.mouths.lips - self.rest).sum(1)
        self.closed_lips = contents.mouths.lips[int(closed.argmin())]

    def calm(self, at: int) -> Frame:
        """A fresh copy of picture `at` of the loop."""
        return np.asarray(cv2.cvtColor(self._calm[at], cv2.COLOR_YUV2BGR_I420), np.uint8)


class PatchRenderer:
    """One face in one call; the `visavis.replica.Renderer` of filmed people.

    `seed` fixes where the loop begins and how the head sways; by default that differs from call to call.
    """

    def __init__(self, person: Person, seed: int | None = None) -> None:
        self._person = person
        self.size: tuple[int, int] = person.size
        rng = np.random.default_rng(seed)
        self._life = Life(rng)
        self._at = int(rng.integers(person.contents.layout.loop))
        self._shown: LipMotion | None = None
        self._before: int | None = None
        self._since_jump = len(HAND_OVER)
        self._opacity = 0.0

    def plan(self, speech: Speech) -> Sequence[LipMotion]:
        """Mouth motion of `speech`, one item per 40 ms started."""
        count = -(-len(speech.pcm) // SAMPLES)
        if count == 0:
            return ()
        if speech.phonemes:
            wanted, loud = self._spoken(speech)
        else:
            wanted, loud = self._heard(speech.pcm, count)
        mouths = follow_whole(self._person.index, wanted)
        return [
            LipMotion(lips, int(mouth), float(level)) for lips, mouth, level in zip(wanted, mouths, loud, strict=True)
        ]

    def follow_sound(self) -> "SoundLips":
        """A mouth for speech of which only the sound is known."""
        return SoundLips(self._person)

    def express(self, emotion: Emotion) -> None:
        """Show this from the next frame on, as far as brows, head and the corners of the mouth can."""
        self._life.emotion = emotion

    def mirror(self, rapport: Rapport) -> None:
        """Show this besides from the next frame on."""
        self._life.rapport = rapport

    def render(self, motion: LipMotion | None, attitude: Attitude) -> Frame:
        """The next frame, uint8[H, W, 3], BGR; `motion` is None while the replica is silent."""
        person, at = self._person, self._at
        self._at = (at + 1) % person.contents.layout.loop
        pose = self._life.step(attitude, motion.loudness if motion else 0.0)
        frame = person.calm(at)
        field = person.turning.field(pose)
        person.turning.draw(frame, field)
        shown = motion or self._relaxing(at)
        if shown is None:
            self._shown, self._before = None, None
            return frame
        self._opacity = min(self._opacity + APPEAR_PER_FRAME, 1.0)
        self._notice_jump(shown.mouth)
        target = person.overlay.target(at, shown.lips)
        target = target + person.turning.at(field, target)
        share = HAND_OVER[self._since_jump] if self._since_jump < len(HAND_OVER) else 0.0
        other = self._before if share > 0 else None
        person.overlay.draw(frame, at, target, shown.mouth, other, share, self._opacity)
        self._shown = shown
        return frame

    def _spoken(self, speech: Speech) -> tuple[Floats, Sequence[float]]:
        """Lips of speech whose phonemes are known; closures are exact."""
        planned = articulations(speech)
        parameters = np.stack([item.parameters for item in planned])
        wanted = articulated(self._person.contents.articulation, parameters)
        closed = parameters[:, CLOSED, None].astype(np.float32)
        wanted = wanted + closed * (self._person.closed_lips - wanted)
        return np.asarray(wanted, np.float32), [item.loudness for item in planned]

    def _heard(self, pcm: Pcm, count: int) -> tuple[Floats, Sequence[float]]:
        """Lips of a recording."""
        ear = Ear()
        size = SAMPLES + round(LOOK_AHEAD_S * SAMPLES * 25)
        whole = np.concatenate([pcm, np.zeros(count * SAMPLES - len(pcm), np.int16)])
        heard = [ear.next(whole[start : start + size]) for start in range(0, count * SAMPLES, SAMPLES)]
        lips = self._person.contents.sound(np.stack([frame.features for frame in heard]))
        return lips, loudness(pcm, count).tolist()

    def _relaxing(self, at: int) -> LipMotion | None:
        """What the mouth does when speech is over or cut off: it closes, and then the mouth below is seen again."""
        if self._shown is None:
            return None
        rest = self._person.contents.loop.lips[at]
        left = (self._shown.lips - rest) * RELAX_PER_FRAME
        if np.abs(left).max() < RELAXED:
            self._opacity -= 2 * APPEAR_PER_FRAME
            if self._opacity <= 0:
                self._opacity = 0.0
                return None
        lips = np.asarray(rest + left, np.float32)
        return LipMotion(lips, Chooser(self._person.index, self._shown.mouth).next(lips), 0.0)

    def _notice_jump(self, mouth: int) -> None:
        if self._shown is None:
            self._before, self._since_jump = None, len(HAND_OVER)
            return
        last = self._shown.mouth
        self._since_jump += 1
        if mouth not in (last, int(self._person.index.next[last])) and self._person.index.differ(last, mouth):
            self._since_jump = 0
            self._before = last
        if self._before is not None:
            following = int(self._person.index.next[self._before])
            self._before = following if following >= 0 else self._before


class SoundLips:
    """A `visavis.replica.SoundFollower` of this person's lips."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._ear = Ear()
        self._chooser = Chooser(person.index)

    def next(self, sound: Pcm) -> LipMotion:
        """Motion of the first 40 ms of `sound`; see `SoundFollower`."""
        heard = self._ear.next(sound)
        lips = self._person.contents.sound(heard.features)
        return LipMotion(lips, self._chooser.next(lips), heard.loudness)
