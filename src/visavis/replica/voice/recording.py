"""The sound of a recording or video, as long as is needed of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import BadInputError
from visavis.replica.train import TrainingError
from visavis.replica.voice.spectra import RATE_HZ, magnitudes
from visavis.videos.sound import beginning

LONGEST_S = 600.0
"""More of a recording is not listened to: a voice gets hardly better from it, and all of it is kept in memory."""

_FRAME = 2_400
_BANDS_HZ = 500.0
_PRESENT_DB = -58.0
"""A band this far below the loudest one holds nothing of the voice."""
_FULL_BAND_HZ = 11_500.0


@dataclass(frozen=True, slots=True)
class Recording:
    """The same sound at the rate that the voice is made with and at the rate that is listened at."""

    samples: Samples
    """24 kHz."""
    listened: Samples
    """16 kHz."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / RATE_HZ


def read(path: Path) -> Recording:
    """Decode the first `LONGEST_S` of a file. Raises `TrainingError`."""
    try:
        fine, coarse = (beginning(path, "audio", LONGEST_S, rate) for rate in (RATE_HZ, LISTEN_RATE_HZ))
    except BadInputError as error:
        raise TrainingError("audio", str(error)) from error
    return Recording(*(one.astype(np.float32) / np.float32(32768) for one in (fine, coarse)))


def spoken_part(path: Path) -> Samples:
    """The louder half of a short recording, such as a statement, at 24 kHz. Raises `TrainingError`."""
    samples = read(path).samples[: 60 * RATE_HZ]
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    power = np.square(frames).mean(axis=1)
    return np.asarray(frames[power > np.median(power)].ravel(), np.float32)


def band_of(samples: Samples) -> float:
    """Up to which frequency there is sound, Hz: 11500 when up to the top; less for recordings of 8 or 16 kHz."""
    step = max(1, len(samples) // (RATE_HZ * 60))
    power = np.mean([(magnitudes(part) ** 2).mean(axis=0) for part in np.array_split(samples, 60)[::step]], axis=0)
    width = round(_BANDS_HZ / (RATE_HZ / 2) * (len(power) - 1))
    levels = np.array([power[at : at + width].mean() for at in range(0, len(power) - width, width)])
    present = np.flatnonzero(levels > levels.max() * 10 ** (_PRESENT_DB / 10))
    highest = (int(present[-1]) + 1) * _BANDS_HZ
    # The slope of the filter that ended the band, and what leaks over it, belong to neither side.
    return _FULL_BAND_HZ if highest >= _FULL_BAND_HZ - _BANDS_HZ else highest - 2 * _BANDS_HZ
