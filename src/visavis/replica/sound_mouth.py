"""The mouth of speech of which only the sound is known.

A small network looks at the log-mel spectrum around each frame and says what the articulators do. It was trained to
do what `motion.articulate` does with the phonemes' times (`training/sound_mouth`), which it never sees here.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.replica import FRAME_S, LOOK_AHEAD_S
from visavis.replica.motion import SAMPLES, Articulation
from visavis.replica.visemes import CLOSED, LABIODENTAL

WEIGHTS = Path(__file__).with_suffix(".npz")

HOP = PLAYOUT_RATE_HZ // 100
_WINDOW = 3 * HOP
_TRANSFORM = 2048
BANDS = 32
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 7_600.0

_STEPS = round(FRAME_S * 100)
PAST = 12
"""Spectra, 10 ms apart, before the frame's own 40 ms."""
AHEAD = _STEPS + round(LOOK_AHEAD_S * 100)
"""Spectra from the frame's beginning on."""

_SILENT_DB = -100.0
_QUIETEST_DB, _FALL_DB = -50.0, 0.1
"""A voice's level is taken for at least this, and for this much less with every frame in which it is not reached."""
_USUAL_DB = -28.0
"""Loudest band of a voice that has not been heard yet."""

_RANGE_DB = 20.0

Floats = NDArray[np.float32]


class SoundEvidence:
    """What is known of the sound around each frame. Owner of the last spectra, and of how loud this voice is."""

    def __init__(self) -> None:
        self.level_db = _USUAL_DB
        """Of the loudest band, lately."""
        self._before: Pcm = np.zeros(_WINDOW - HOP, np.int16)
        self._past: Floats = np.full((PAST, BANDS), _SILENT_DB, np.float32)

    def next(self, sound: Pcm) -> Floats:
        """float32[PAST + AHEAD, BANDS]: spectra around the first 40 ms of `sound`, 0 for this voice's loudest, -1 for
        20 dB less; where `sound` ends early the last one stands in for those that are not known.
        """
        known = np.concatenate([self._before, sound[: AHEAD * HOP]])
        spectra = _log_mel(known)
        self._before = known[SAMPLES : SAMPLES + len(self._before)]
        self.level_db = max(self.level_db - _FALL_DB, float(spectra[:_STEPS].max()), _QUIETEST_DB)
        ahead = np.concatenate([spectra, np.repeat(spectra[-1:], AHEAD - len(spectra), 0)])
        evidence = np.concatenate([self._past, ahead])
        self._past = evidence[_STEPS : _STEPS + PAST]
        return np.asarray(np.clip((evidence - self.level_db) / _RANGE_DB, -3, 0.5), np.float32)


def _log_mel(sound: Pcm) -> Floats:
    """float32[T, BANDS] in dB of full scale, one for each `HOP` that a whole window fits on."""
    pieces = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::HOP]
    filters, window = _filters()
    power = np.abs(np.fft.rfft(pieces * window, _TRANSFORM, axis=1)[:, : len(filters)]) ** 2
    return np.asarray(10 * np.log10(power @ filters + 10 ** (_SILENT_DB / 10)), np.float32)


@cache
def _filters() -> tuple[Floats, Floats]:
    """Triangles on the mel scale, float32[bins, BANDS], and the window of the transform."""
    lowest, highest = (2595 * np.log10(1 + hertz / 700) for hertz in (_LOWEST_HZ, _HIGHEST_HZ))
    mel = np.linspace(lowest, highest, BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins = np.arange(round(_HIGHEST_HZ * _TRANSFORM / PLAYOUT_RATE_HZ) + 1) * PLAYOUT_RATE_HZ / _TRANSFORM
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    window = np.hanning(_WINDOW)
    triangles = np.maximum(np.minimum(rising, falling), 0)
    return triangles.astype(np.float32), (window / (32768 * window.sum() / 2)).astype(np.float32)


class Network:
    """Fully connected layers with ReLU between; the last gives articulatory parameters, 0 to 1."""

    def __init__(self, layers: list[tuple[Floats, Floats]]) -> None:
        self.layers = layers

    def __call__(self, evidence: Floats) -> Floats:
        """float32[6] (see `visemes`) for float32[PAST + AHEAD, BANDS]."""
        values = evidence.ravel()
        for weights, bias in self.layers[:-1]:
            values = np.maximum(values @ weights + bias, 0)
        weights, bias = self.layers[-1]
        return np.asarray(1 / (1 + np.exp(-(values @ weights + bias))), np.float32)


@cache
def _network() -> Network:
    with np.load(WEIGHTS) as stored:
        count = len(stored.files) // 2
        return Network([(stored[f"w{i}"].astype(np.float32), stored[f"b{i}"].astype(np.float32)) for i in range(count)])


class SoundMouth:
    """A `visavis.replica.SoundFollower`."""

    def __init__(self) -> None:
        self._evidence = SoundEvidence()
        self._network = _network()

    def next(self, sound: Pcm) -> Articulation:
        """Articulation of the first 40 ms of `sound`; see `SoundFollower`."""
        evidence = self._evidence.next(sound)
        parameters = self._network(evidence).astype(np.float64)
        for contact in (CLOSED, LABIODENTAL):
            parameters[contact] = _decided(parameters[contact])
        loudness = 1 + _RANGE_DB / 36 * float(evidence[PAST : PAST + _STEPS].max())
        return Articulation(parameters, min(max(loudness, 0.0), 1.0))


def _decided(amount: float) -> float:
    """A contact is there or not; in doubt the network says something between, which no mouth does."""
    share = min(max((amount - 0.2) / 0.4, 0.0), 1.0)
    return share * share * (3 - 2 * share)
