"""What one person's lips do for a sound: learnt from their own video, on top of what is common to all voices.

The common network (`sound_mouth`) has learnt from many voices what articulators do; its hidden layers, now and in the
four frames before, are what a small network of this person's own looks at. On GRID's talkers they were as good as
the spectra for the person's own voice, and better for voices that the person's network never heard.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavis.audio import Pcm
from visavis.replica.sound_mouth import AHEAD, HOP, PAST, Network, SoundEvidence, _network
from visavis.replica.visemes import PARAMETERS

REMEMBERED = 4
"""Frames of the past whose hidden layers are still looked at."""

_STEPS = AHEAD - 8
_RANGE_DB, _LOUDNESS_DB = 20.0, 36.0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layer:
    """A fully connected layer."""

    weights: Floats
    bias: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What is known of the sound of one frame."""

    features: Floats
    """float32[F], what `LipNetwork` wants."""
    parameters: Floats
    """float32[6], articulation as in `visemes`, by the common network."""
    loudness: float
    """0 to 1."""


class Ear:
    """Turns a stream of sound into features, frame by frame. Owner of the sound's recent past."""

    def __init__(self) -> None:
        self._evidence = SoundEvidence()
        self._common: Network = _network()
        self._hidden: deque[Floats] = deque(maxlen=REMEMBERED + 1)

    def next(self, sound: Pcm) -> Heard:
        """Features of the first 40 ms of `sound`, which goes on for up to `LOOK_AHEAD_S` more."""
        evidence = self._evidence.next(sound)
        values, hidden = evidence.ravel(), []
        for weights, bias in self._common.layers[:-1]:
            values = np.maximum(values @ weights + bias, 0)
            hidden.append(values)
        weights, bias = self._common.layers[-1]
        parameters = 1 / (1 + np.exp(-(values @ weights + bias)))
        while len(self._hidden) < REMEMBERED:
            self._hidden.appendleft(np.concatenate(hidden))
        self._hidden.appendleft(np.concatenate(hidden))
        loudness = 1 + _RANGE_DB / _LOUDNESS_DB * float(evidence[PAST : PAST + _STEPS].max())
        return Heard(
            np.concatenate(self._hidden),
            np.asarray(parameters, np.float32),
            min(max(loudness, 0.0), 1.0),
        )


class LipNetwork:
    """From features to lips: fully connected layers with ReLU between."""

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        self.layers = layers

    def __call__(self, features: Floats) -> Floats:
        """float32[..., K] lip components for float32[..., F]."""
        values = features
        for layer in self.layers[:-1]:
            values = values @ layer.weights + layer.bias
            values = np.maximum(values, 0)
        return np.asarray(values @ self.layers[-1].weights + self.layers[-1].bias, np.float32)


def feature_count() -> int:
    """How many features `Ear` gives."""
    return (REMEMBERED + 1) * sum(len(bias) for _, bias in _network().layers[:-1])


def listen(sound: Pcm, count: int) -> list[Heard]:
    """Features of `count` frames of a whole recording, heard as a stream would be."""
    ear, size = Ear(), 4 * HOP
    padded = np.concatenate([sound, np.zeros(max(count * size - len(sound), 0), np.int16)])
    return [ear.next(padded[start : start + AHEAD * HOP]) for start in range(0, count * size, size)]


def articulated(network: LipNetwork, parameters: NDArray[np.floating]) -> Floats:
    """Lips float32[T, K] for articulation float[T, 6], by that of the frame before, its own and the one after."""
    return network(with_neighbours(parameters))


def with_neighbours(parameters: NDArray[np.floating]) -> Floats:
    """float32[T, 18]: articulation float[T, 6] of the frame before, the frame, and the one after."""
    around = np.concatenate([parameters[:1], parameters, parameters[-1:]])
    return np.concatenate([around[:-2], around[1:-1], around[2:]], 1).astype(np.float32)


ARTICULATION_FEATURES = 3 * PARAMETERS
