"""What one person's lips do for a sound: learnt from their own video, on top of what is common to all voices.

The common network (`sound_mouth`) has learnt from many voices what is spoken, whoever speaks. What it says of a frame
and of the four before is what a small network of this person's own looks at, so it follows voices that it never heard.
"""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visavis.audio import Pcm
from visavis.replica.motion import SAMPLES
from visavis.replica.sound_mouth import AHEAD, HOP, Heard, network
from visavis.replica.sound_mouth import Ear as CommonEar
from visavis.replica.visemes import PARAMETERS

REMEMBERED = 4
"""Frames of the past that are still looked at."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layer:
    """A fully connected layer."""

    weights: Floats
    bias: Floats


class Ear:
    """Turns a stream of sound into what a `LipNetwork` wants, frame by frame. Owner of the sound's recent past."""

    def __init__(self) -> None:
        self._common = CommonEar()
        self._features: deque[Floats] = deque(maxlen=REMEMBERED + 1)

    def next(self, sound: Pcm) -> Heard:
        """What the first 40 ms of `sound`, which goes on for up to `LOOK_AHEAD_S` more, and what was before, mean.

        Its features are those of this frame and of the `REMEMBERED` before, the newest first, and this frame's detail.
        """
        heard = self._common.next(sound)
        while len(self._features) < REMEMBERED:
            self._features.appendleft(heard.features)
        self._features.appendleft(heard.features)
        return replace(heard, features=np.concatenate([*self._features, heard.detail]))


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
    return (REMEMBERED + 1) * network().feature_count + network().detail_count


def listen(sound: Pcm, count: int) -> list[Heard]:
    """Features of `count` frames of a whole recording, heard as a stream would be."""
    ear = Ear()
    padded = np.concatenate([sound, np.zeros(max(count * SAMPLES - len(sound), 0), np.int16)])
    return [ear.next(padded[start : start + AHEAD * HOP]) for start in range(0, count * SAMPLES, SAMPLES)]


def articulated(network: LipNetwork, parameters: NDArray[np.floating]) -> Floats:
    """Lips float32[T, K] for articulation float[T, 6], by that of the frame before, its own and the one after."""
    return network(with_neighbours(parameters))


def with_neighbours(parameters: NDArray[np.floating]) -> Floats:
    """float32[T, 18]: articulation float[T, 6] of the frame before, the frame, and the one after."""
    around = np.concatenate([parameters[:1], parameters, parameters[-1:]])
    return np.concatenate([around[:-2], around[1:-1], around[2:]], 1).astype(np.float32)


ARTICULATION_FEATURES = 3 * PARAMETERS
