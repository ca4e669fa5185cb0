"""Sound as visavis carries it: mono, 16 kHz float towards the ears, 48 kHz int16 towards the person."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
"""float32[N] in [-1, 1], mono."""

Pcm: TypeAlias = NDArray[np.int16]
"""int16[N], mono."""

LISTEN_RATE_HZ = 16_000
"""Rate of everything that listens (voice activity, recognition, end of turn)."""

PLAYOUT_RATE_HZ = 48_000
"""Rate of everything that is played; Opus' own, so nothing is resampled on the way out."""
