"""The mouth of speech of which only the sound is known.

A small convolutional network looks at the log-mel spectrum around each frame. It has learnt two things at once, from
many voices (`training/sound_mouth`): what the recogniser's encoder makes of that moment, which is nearly the same
whoever speaks, and what the articulators do, as `motion.articulate` knows it from the phonemes' times, which it never
sees here.
"""

from collections import deque
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.replica import FRAME_S, LOOK_AHEAD_S
from visavis.replica.motion import SAMPLES, Articulation
from visavis.replica.visemes import CLOSED, LABIODENTAL, PARAMETERS

WEIGHTS = Path(__file__).with_suffix(".npz")

HOP = PLAYOUT_RATE_HZ // 100
WINDOW = 3 * HOP
_TRANSFORM = 2048
BANDS = 40
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 7_600.0

STEPS = round(FRAME_S * 100)
"""Spectra, 10 ms apart, of a frame."""
AHEAD = STEPS + round(LOOK_AHEAD_S * 100)
"""Spectra from the frame's beginning on."""

FIRST_TAPS, TAPS, STRIDE = 5, 4, 2
"""The network's first layer looks at five spectra; two more at four of the last's, every second time."""
AROUND = ((-1, 0, 1), (-3, -1, 1), (-8, -4, 0))
"""Three layers add what the codes of these frames say, counted from the frame itself."""
CODE_ROWS = FIRST_TAPS + (TAPS - 1) + (TAPS - 1) * STRIDE
"""Spectra that a code is made of; one begins with every frame."""
CODES = 1 + sum(frames[-1] - frames[0] for frames in AROUND)
"""Codes that a frame is judged by."""


def _needed() -> list[NDArray[np.intp]]:
    """Which frames each of these layers, and the codes below them, are needed of, counted from the frame itself."""
    needed = [np.array([0])]
    for frames in reversed(AROUND):
        needed.insert(0, np.unique(needed[0][:, None] + np.array([0, *frames])))
    return needed


_ROWS = [
    np.searchsorted(below, above + np.array([[0], *([frame] for frame in frames)]))
    for (below, above), frames in zip(pairwise(_needed()), AROUND, strict=True)
]
"""Where, among the values of the layer below, each layer finds a frame's own and those `AROUND` it."""
_NEW = 1 + round(LOOK_AHEAD_S / FRAME_S)
"""Codes that need the newest spectra; the others are as they were."""
PAST = CODE_ROWS + (_NEW - 1) * STEPS - AHEAD
"""Spectra before the frame's own that are still needed."""

_SILENT_DB = -100.0
_QUIETEST_DB, _FALL_DB = -50.0, 0.1
"""A voice's level is taken for at least this, and for this much less with every frame in which it is not reached."""
USUAL_DB = -28.0
"""Loudest band of a voice that has not been heard yet."""

_RANGE_DB, _LOUDNESS_DB = 20.0, 36.0
FAINTEST = -3.0
"""What is fainter is taken for silence."""

Floats = NDArray[np.float32]


def log_mel(sound: Pcm) -> Floats:
    """float32[T, BANDS] in dB of full scale, one for each `HOP` that a whole window of 30 ms fits on."""
    pieces = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    filters, window = _filters()
    spectra = np.fft.rfft(pieces * window, _TRANSFORM, axis=1)[:, : len(filters)].astype(np.complex64)
    power = spectra.real**2 + spectra.imag**2
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
    window = np.hanning(WINDOW)
    triangles = np.maximum(np.minimum(rising, falling), 0)
    return triangles.astype(np.float32), (window / (32768 * window.sum() / 2)).astype(np.float32)


def relative(spectra: Floats, level_db: float) -> tuple[Floats, Floats]:
    """`spectra` float32[4T, BANDS] beside the voice's own level: 0 for its loudest band, -1 for 20 dB less.

    `level_db` is that level before them; it is returned as it was in each of the T frames.
    """
    levels = np.empty(len(spectra) // STEPS, np.float32)
    for frame, loudest in enumerate(spectra.reshape(len(levels), -1).max(axis=1)):
        level_db = max(level_db - _FALL_DB, float(loudest), _QUIETEST_DB)
        levels[frame] = level_db
    beside = (spectra - np.repeat(levels, STEPS)[:, None]) / _RANGE_DB
    return np.asarray(np.clip(beside, FAINTEST, 0.5), np.float32), levels


class SoundEvidence:
    """What is known of the sound around each frame. Owner of the last spectra, and of how loud this voice is."""

    def __init__(self) -> None:
        self._level_db = USUAL_DB
        self._before: Pcm = np.zeros(WINDOW - HOP, np.int16)
        self._past: Floats = np.full((PAST, BANDS), FAINTEST, np.float32)

    def next(self, sound: Pcm) -> Floats:
        """float32[PAST + AHEAD, BANDS]: spectra around the first 40 ms of `sound`, `relative` to the voice's level;
        where `sound` ends early the last one stands in for those that are not known.
        """
        known = np.concatenate([self._before, sound[: AHEAD * HOP]])
        spectra = log_mel(known)
        self._before = known[SAMPLES : SAMPLES + len(self._before)]
        ahead, levels = relative(
            np.concatenate([spectra, np.repeat(spectra[-1:], AHEAD - len(spectra), 0)]), self._level_db
        )
        self._level_db = float(levels[0])
        evidence = np.concatenate([self._past, ahead])
        self._past = evidence[STEPS : STEPS + PAST]
        return evidence


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Weights of each layer, [taps * inputs, outputs], and what is added.

    Three make a code, three add what is around it, and the last gives articulatory parameters (before a sigmoid) and
    what the recogniser would make of it.
    """

    coding: tuple[tuple[Floats, Floats], ...]
    gathering: tuple[tuple[Floats, Floats], ...]
    saying: tuple[Floats, Floats]

    def codes(self, evidence: Floats) -> Floats:
        """float32[N, C]: a code for every fourth row of `evidence` float32[T, BANDS] on which `CODE_ROWS` begin."""
        values = evidence
        for taps, stride, (weights, bias) in zip(
            (FIRST_TAPS, TAPS, TAPS), (1, STRIDE, STRIDE), self.coding, strict=True
        ):
            values = np.maximum(_windows(values, taps)[::stride] @ weights + bias, 0)
        return values

    def meaning(self, codes: Floats) -> tuple[Floats, Floats]:
        """Features float32[F] and parameters float32[6] of a frame, by the codes around it, float32[CODES, C]."""
        values = codes
        for (own, *around), (weights, bias) in zip(_ROWS, self.gathering, strict=True):
            values = values[own] + np.maximum(np.concatenate([values[row] for row in around], 1) @ weights + bias, 0)
        weights, bias = self.saying
        said = values[0] @ weights + bias
        features = np.concatenate([values[0], said[PARAMETERS:]])
        return features, np.asarray(1 / (1 + np.exp(-said[:PARAMETERS])), np.float32)

    @property
    def feature_count(self) -> int:
        """How many features a frame has."""
        return sum(self.saying[0].shape) - PARAMETERS

    @property
    def detail_count(self) -> int:
        """How many numbers tell a frame's detail."""
        return _NEW * len(self.saying[0])


def _windows(values: Floats, taps: int) -> Floats:
    size = len(values) - taps + 1
    return np.concatenate([values[tap : tap + size] for tap in range(taps)], axis=1)


@cache
def network() -> Network:
    """The one that is part of visavis."""
    with np.load(WEIGHTS) as stored:
        layers = [(stored[f"w{i}"].astype(np.float32), stored[f"b{i}"]) for i in range(len(stored.files) // 2)]
    return Network(tuple(layers[:3]), tuple(layers[3:-1]), layers[-1])


@cache
def version() -> str:
    """Of the network: what is learnt on top of one is worth nothing with another."""
    return sha256(WEIGHTS.read_bytes()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What is known of the sound of one frame."""

    features: Floats
    """float32[F], nearly the same whoever speaks."""
    detail: Floats
    """float32[D], of the sound right here: finer in time, and more of the voice."""
    parameters: Floats
    """float32[6], articulation as in `visemes`."""
    loudness: float
    """0 to 1."""


class Ear:
    """Turns a stream of sound into what it means, frame by frame. Owner of the sound's recent past."""

    def __init__(self) -> None:
        self._network = network()
        self._evidence = SoundEvidence()
        silence = self._network.codes(np.full((CODE_ROWS, BANDS), FAINTEST, np.float32))[0]
        self._codes = deque([silence] * (CODES - _NEW), maxlen=CODES - _NEW)

    def next(self, sound: Pcm) -> Heard:
        """What the first 40 ms of `sound` mean; what follows, up to `LOOK_AHEAD_S` more, helps if it is known."""
        evidence = self._evidence.next(sound)
        newest = self._network.codes(evidence)
        features, parameters = self._network.meaning(np.concatenate([np.stack(self._codes), newest]))
        self._codes.append(newest[0])
        loudness = 1 + _RANGE_DB / _LOUDNESS_DB * float(evidence[PAST : PAST + STEPS].max())
        return Heard(features, newest.ravel(), parameters, min(max(loudness, 0.0), 1.0))


class SoundMouth:
    """A `visavis.replica.SoundFollower`."""

    def __init__(self) -> None:
        self._ear = Ear()

    def next(self, sound: Pcm) -> Articulation:
        """Articulation of the first 40 ms of `sound`; see `SoundFollower`."""
        heard = self._ear.next(sound)
        parameters = heard.parameters.astype(np.float64)
        for contact in (CLOSED, LABIODENTAL):
            parameters[contact] = _decided(parameters[contact])
        return Articulation(parameters, heard.loudness)


def _decided(amount: float) -> float:
    """A contact is there or not; in doubt the network says something between, which no mouth does."""
    share = min(max((amount - 0.2) / 0.4, 0.0), 1.0)
    return share * share * (3 - 2 * share)
