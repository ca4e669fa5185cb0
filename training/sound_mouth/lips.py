"""How far the stock replica's lips are apart, in pixels of its canvas."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import visavis.replica.stock
from visavis.audio import Pcm
from visavis.replica.bundle import open_bundle
from visavis.replica.key_frames.arrays import read
from visavis.replica.key_frames.renderer import Face
from visavis.replica.motion import SAMPLES, Articulation
from visavis.replica.sound_mouth import AHEAD, HOP, SoundMouth

Floats = NDArray[np.float64]


@cache
def _face() -> Face:
    with open_bundle(Path(visavis.replica.stock.__file__).with_name("mira.replica")) as bundle:
        return Face(read(bundle))


def opening(motions: Iterable[Articulation]) -> Floats:
    """float64[T]: the mean distance of the lips in each motion."""
    edges = [np.tensordot(_face().weights(motion), _face().mouth.edges, 1) for motion in motions]
    return np.array([np.maximum(edge[1, :, 1] - edge[0, :, 1], 0).mean() for edge in edges])


def by_sound(sound: Pcm) -> list[Articulation]:
    """What `SoundMouth` does for every whole 40 ms of `sound`."""
    mouth = SoundMouth()
    starts = range(0, len(sound) - SAMPLES + 1, SAMPLES)
    return [mouth.next(sound[start : start + AHEAD * HOP]) for start in starts]
