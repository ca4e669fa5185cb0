"""The mouth of speech of which only the sound is known."""

import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.replica import LOOK_AHEAD_S
from visavis.replica.motion import SAMPLES, MouthMotion, from_sound, key_weights, loudness

_PAST = 2 * SAMPLES
_WINDOW = SAMPLES + round(LOOK_AHEAD_S * PLAYOUT_RATE_HZ)


class SoundMouth:
    """A `visavis.replica.SoundFollower`. Owner of the little sound before the present frame that it needs."""

    def __init__(self) -> None:
        self._past: Pcm = np.zeros(_PAST, np.int16)

    def next(self, sound: Pcm) -> MouthMotion:
        """Motion of the first 40 ms of `sound`; see `SoundFollower`."""
        heard = np.concatenate([self._past, sound[:_WINDOW]])
        self._past = heard[SAMPLES : SAMPLES + _PAST]
        frame = _PAST // SAMPLES
        loud = loudness(heard, -(-len(heard) // SAMPLES))
        parameters = from_sound(heard, len(loud), loud)[frame]
        return MouthMotion(key_weights(parameters), float(loud[frame]))
