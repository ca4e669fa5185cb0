"""Where speech begins and ends in a piece of sound."""

import numpy as np

from visavis.audio import Samples

_QUIET_DB = -40.0
"""10 ms this far below the loudest are silence. hibari's own silence lies 80 dB below, its last consonants 35 dB."""


def audible_part(samples: Samples, sample_rate_hz: int, before_s: float, after_s: float) -> slice:
    """The part of `samples` that is heard, with up to `before_s` and `after_s` of the silence around it.

    Empty when nothing is heard at all.
    """
    frame = sample_rate_hz // 100
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    power = np.square(frames).mean(axis=1)
    if not len(power) or not power.max():
        return slice(0, 0)
    loud = np.flatnonzero(power > power.max() * 10 ** (_QUIET_DB / 10))
    start = int(loud[0]) * frame - round(before_s * sample_rate_hz)
    end = (int(loud[-1]) + 1) * frame + round(after_s * sample_rate_hz)
    return slice(max(start, 0), min(end, len(samples)))
