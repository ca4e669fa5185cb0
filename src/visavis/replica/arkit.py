"""The motion of a face as the 52 blendshape weights of ARKit, the field's standard; left is the person's own left.

Head pose is no blendshape: it stays in `Pose`. The figures are set by eye, so that the standard's own mouths
(`jawOpen` at 1 is a yawn) come out as wide as people speak.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from visavis.faces.points import ARKIT_NAMES
from visavis.replica import Emotion
from visavis.replica.life import Pose
from visavis.replica.motion import Array
from visavis.replica.visemes import CLOSED, JAW, LABIODENTAL, ROUND, SPREAD

Weights: TypeAlias = NDArray[np.float32]
"""float32[52], 0 to 1, in the order of `ARKIT_NAMES`."""

GAZE_PER_PX = 0.14
"""Weight of a look aside by one frame pixel: an eyeball of 14 pixels, and 30 degrees for the whole weight."""

_WIDEST = 0.62
"""`jawOpen` of the widest vowel."""

_SAD = {"mouthFrown": 0.55, "mouthShrugLower": 0.3, "browInnerUp": 0.3}
_ANGRY = {"mouthPress": 0.35, "noseSneer": 0.25, "eyeSquint": 0.35, "mouthFrown": 0.15}
_AFRAID = {"eyeWide": 0.55, "mouthStretch": 0.35, "browInnerUp": 0.3}
_SURPRISED = {"eyeWide": 0.5, "jawOpen": 0.08}
_DISGUSTED = {"noseSneer": 0.6, "mouthUpperUp": 0.25, "mouthFrown": 0.2, "eyeSquint": 0.3}

EMOTIONS: Final[Mapping[Emotion, Mapping[str, float]]] = MappingProxyType(
    {
        Emotion.NEUTRAL: {},
        Emotion.HAPPINESS: {"eyeSquint": 0.2},
        Emotion.SADNESS: _SAD,
        Emotion.ANGER: _ANGRY,
        Emotion.FEAR: _AFRAID,
        Emotion.SURPRISE: _SURPRISED,
        Emotion.DISGUST: _DISGUSTED,
        Emotion.CONTEMPT: {"mouthDimpleLeft": 0.55, "mouthSmileLeft": 0.2},
    }
)
"""What each emotion adds to what `Life` shows of it already (brows, lids, smile, posture)."""

_INDEX: Final = {name: index for index, name in enumerate(ARKIT_NAMES)}


def mouth_weights(parameters: Array) -> Weights:
    """What shows articulatory parameters float64[6], each 0 to 1 (see `visemes`); the tongue stays inside."""
    jaw, spread, rounded, closed, to_teeth = (
        float(parameters[part]) for part in (JAW, SPREAD, ROUND, CLOSED, LABIODENTAL)
    )
    free = (1 - closed) * (1 - to_teeth)
    opening = min(max((jaw - 0.15) / 0.40, 0.0), 1.0)
    jaw_open = _WIDEST * jaw * (1 - 0.6 * rounded) * (1 - 0.6 * to_teeth)
    return _weights(
        {
            "jawOpen": jaw_open,
            # The lips meet although the jaw is open.
            "mouthClose": jaw_open * closed,
            "mouthPress": 0.4 * closed,
            "mouthRollUpper": 0.2 * closed,
            "mouthRollLower": 0.2 * closed + 0.55 * to_teeth,
            "mouthUpperUp": (0.12 * jaw + 0.2 * spread) * free + 0.3 * to_teeth,
            "mouthLowerDown": (0.2 * jaw + 0.3 * spread) * free,
            "mouthStretch": 0.35 * spread * (1 - rounded) * (1 - closed),
            "mouthSmile": 0.3 * spread * (1 - rounded) * (1 - closed),
            "mouthFunnel": 0.7 * rounded * opening * (1 - closed),
            "mouthPucker": 0.8 * rounded * (1 - 0.6 * opening),
        }
    )


def pose_weights(pose: Pose) -> Weights:
    """Brows, lids, smile and gaze of a pose."""
    lids, smile, raised = min(pose.lids, 1.0), max(pose.smile, 0.0), pose.brows
    to_left, down = GAZE_PER_PX * pose.gaze_x, GAZE_PER_PX * pose.gaze_y
    return _weights(
        {
            "eyeBlink": lids,
            "mouthSmile": 0.75 * smile,
            "cheekSquint": 0.35 * smile,
            "browInnerUp": 0.45 * max(raised, 0.0),
            "browOuterUp": 0.45 * max(raised, 0.0),
            "browDown": 0.45 * max(-raised, 0.0),
            # The right of the picture is the person's left.
            "eyeLookOutLeft": max(to_left, 0.0),
            "eyeLookInRight": max(to_left, 0.0),
            "eyeLookInLeft": max(-to_left, 0.0),
            "eyeLookOutRight": max(-to_left, 0.0),
            "eyeLookDown": max(down, 0.0),
            "eyeLookUp": max(-down, 0.0),
        }
    )


def emotion_weights(emotion: Emotion) -> Weights:
    """What an emotion adds; see `EMOTIONS`."""
    return _weights(EMOTIONS[emotion])


def added(*parts: Weights) -> Weights:
    """All of these at once; no weight exceeds 1."""
    return np.asarray(np.minimum(np.sum(parts, axis=0), 1), np.float32)


def _weights(named: Mapping[str, float]) -> Weights:
    """A name without a side stands for both sides."""
    weights = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, weight in named.items():
        for whole in (name,) if name in _INDEX else (f"{name}Left", f"{name}Right"):
            weights[_INDEX[whole]] = min(weight, 1.0)
    return weights
