"""Where in a stretch of sound somebody speaks, by loudness alone.

Good enough to leave out silence and to find places to cut; whether somebody speaks at all is for
`visavis.layers.turn.silero` to say.
"""

import numpy as np
from numpy.typing import NDArray

from visavis.audio import Samples

FRAME = 320
"""Samples of one loudness frame: 20 ms at 16 kHz."""
SILENCE_DB = -50.0
"""A stretch whose loud frames stay below this (dB of full scale) is silence."""
STATIONARY_DB = 4.0
"""A stretch whose loud and soft frames differ by less is hum or hiss; even a quarter second of speech spans 10 dB."""
_CERTAIN_DB = 20.0
"""Whatever is within this of the loud frames is speech; a vowel and the consonants around it span about that."""
_FAR_DB = 20.0
"""Breath and lip noise after a sentence lie further than this below its loud frames."""
_LOUD_FRAMES = 6
"""120 ms, less than the shortest word; whatever is loud for less is a click."""

Levels = NDArray[np.float64]
"""float64[frames]: dB of full scale."""


def levels(samples: Samples) -> Levels:
    """Loudness of every complete frame of `samples`, dB of full scale."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    loudness: Levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    return loudness


def active(stretch: Levels, usual: float = -np.inf) -> NDArray[np.bool_]:
    """Which frames of a stretch hold speech; none where it is silence, hum or hiss.

    `usual` is how loud the speaker was before (see `loud`), if they were: what is far softer is not their speech.
    The threshold lies a quarter of the way from the soft frames (10th percentile) to the loud ones.
    """
    if not len(stretch):
        return np.zeros(0, np.bool_)
    soft, peak = float(np.percentile(stretch, 10)), loud(stretch)
    if peak < max(SILENCE_DB, usual - _FAR_DB) or peak - soft < STATIONARY_DB:
        return np.zeros(len(stretch), np.bool_)
    spoken: NDArray[np.bool_] = stretch > min(soft + (peak - soft) / 4, peak - _CERTAIN_DB)
    return spoken


def loud(stretch: Levels) -> float:
    """How loud a stretch gets, clicks left out: its sixth loudest frame, dB of full scale."""
    return float(np.sort(stretch)[-min(_LOUD_FRAMES, len(stretch))])
