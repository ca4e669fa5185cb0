"""What renderers have in common whose mouths are shaped from articulation: the plan, and the seams of speech."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visavis.layers.tts import Speech
from visavis.replica import Emotion, Rapport
from visavis.replica.life import Life
from visavis.replica.motion import Articulation, plan
from visavis.replica.sound_mouth import SoundMouth

RELAX_PER_FRAME = 0.36
"""What is left, from one frame to the next, of a mouth shape that has no motion any more: under 5 % after three."""

_NOTHING = 0.01

Shape = NDArray[np.floating[Any]]
"""A mouth, in whatever weights its face is drawn with: float[K]."""


class ArticulatedRenderer:
    """The part of a `visavis.replica.Renderer` that needs to know nothing of how the face is drawn."""

    def __init__(self, seed: int | None) -> None:
        """`seed` fixes when it blinks and how it sways; None differs from call to call."""
        self._life = Life(np.random.default_rng(seed))

    def plan(self, speech: Speech) -> Sequence[Articulation]:
        """Articulation of `speech`, one item per 40 ms started."""
        return plan(speech)

    def follow_sound(self) -> SoundMouth:
        """A mouth for speech of which only the sound is known."""
        return SoundMouth()

    def express(self, emotion: Emotion) -> None:
        """Show this from the next frame on."""
        self._life.emotion = emotion

    def mirror(self, rapport: Rapport) -> None:
        """Show this besides from the next frame on."""
        self._life.rapport = rapport


class Relaxing:
    """Carries a mouth over the seams between speech and silence, where its motion is cut off.

    What is left of the shape before is zero while speech runs, so closures are shown exactly.
    """

    def __init__(self, rest: Shape, fitted: Callable[[Shape], Shape]) -> None:
        """`rest` is the mouth in silence; `fitted` brings a sum of shapes back to one that can be shown."""
        self._rest = rest
        self._fitted = fitted
        self._left_over = np.zeros_like(rest)
        self._shown = rest
        self._speaking = False

    def next(self, wanted: Shape | None) -> Shape:
        """The mouth of the next frame; `wanted` is None in silence."""
        speaks = wanted is not None
        target = self._rest if wanted is None else wanted
        if speaks != self._speaking:
            self._left_over = self._shown - target
            self._speaking = speaks
        self._left_over = self._left_over * RELAX_PER_FRAME
        if np.abs(self._left_over).max() < _NOTHING:
            self._left_over = np.zeros_like(self._rest)
        self._shown = self._fitted(target + self._left_over)
        return self._shown
