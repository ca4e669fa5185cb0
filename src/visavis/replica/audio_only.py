"""A replica without a face, for calls that carry only sound."""

from collections.abc import Sequence

import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.layers.tts import Speech
from visavis.replica import FRAME_S, Attitude, Background, Emotion, Frame, Rapport


class AudioOnly:
    """A `visavis.replica.Replica` and its own renderer: every frame is the same black dot."""

    name = "audio only"
    size = (2, 2)
    _frame: Frame = np.zeros((2, 2, 3), np.uint8)

    def renderer(self, background: Background | None = None) -> "AudioOnly":
        """Itself: it has no state."""
        return self

    def plan(self, speech: Speech) -> Sequence[None]:
        """One item for each 40 ms started, as every renderer gives."""
        return [None] * -(-len(speech.pcm) // int(PLAYOUT_RATE_HZ * FRAME_S))

    def follow_sound(self) -> "AudioOnly":
        """Itself: there is no mouth."""
        return self

    def next(self, sound: Pcm) -> None:
        """No motion."""

    def express(self, emotion: Emotion) -> None:
        """A dot feels nothing."""

    def mirror(self, rapport: Rapport) -> None:
        """Nothing to see."""

    def render(self, motion: object, attitude: Attitude) -> Frame:
        """The dot."""
        return self._frame
