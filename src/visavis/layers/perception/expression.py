"""What a face shows, of the few expressions that can be told reliably: by blendshapes and distances between points,
against the same face at rest.

A face at rest frowns in some people and smiles in others, so everything is measured against the first seconds. The
expressions are those of FACS (Ekman and Friesen 1978) whose parts the landmarker sees: the mouth's corners (action
unit 12), raised brows with wide eyes and an open mouth (1, 2, 5, 26), lowered brows (4), and a raised upper lip under
lowered brows (9, 10). They are shapes of a face, not feelings.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from visavis.faces import Landmarks
from visavis.faces.network import Floats
from visavis.faces.points import LEFT_EYE_OUTER, LOWER_LIP, RIGHT_EYE_OUTER, UPPER_LIP

SMILE, SURPRISE, FROWN, SNEER = "a smile", "raised brows and an open mouth", "a frown", "a wrinkled nose"
EXPRESSIONS = (SMILE, SURPRISE, FROWN, SNEER)
"""Nothing of these is a face at rest."""

REST_LOOKS = 16
"""Measurements that say what rest is: 4 s at the usual rate."""
LEAST_LOOKS = 3
SMOOTHED_OVER = 3
"""Measurements whose median counts."""

_SMILES = 0.25
_BROWS_DOWN = 0.08
_LIP_UP = 0.008
_BROWS_UP, _MOUTH_OPEN, _EYES_WIDE = 0.009, 0.03, 0.005
"""Changes from rest; lengths in distances between the outer corners of the eyes (chosen on the faces of
`benchmarks/rendered_faces.py`)."""

_SMILE_, _DOWN_, _INNER_BROW_, _NOSE_TO_LIP_, _OPEN_, _EYE_ = range(6)


@dataclass(frozen=True, slots=True)
class Shown:
    """An expression and how certain it is."""

    expression: str
    """One of `EXPRESSIONS`; empty for a face at rest and for one that is not known yet."""
    certainty: float


class Expressions:
    """Of one face. Owner of what it looks like at rest."""

    def __init__(self) -> None:
        self._rest: deque[Floats] = deque(maxlen=REST_LOOKS)
        self._usual: Floats | None = None
        self._last: deque[Floats] = deque(maxlen=SMOOTHED_OVER)

    def see(self, face: Landmarks, *, speaking: bool | None) -> Shown:
        """Take a face that was measured with blendshapes. While it speaks its mouth tells nothing but a smile."""
        figures = _figures(face)
        self._last.append(figures)
        if len(self._rest) < REST_LOOKS and not speaking:
            self._rest.append(figures)
            self._usual = np.asarray(np.median(np.array(self._rest), 0), np.float32)
        if self._usual is None or len(self._rest) < LEAST_LOOKS:
            return Shown("", 0.0)
        change = np.median(np.array(self._last), 0) - self._usual
        return _shown(change, mouth_counts=not speaking)


def _figures(face: Landmarks) -> Floats:
    points = face.xy
    eyes = max(float(np.linalg.norm(points[LEFT_EYE_OUTER] - points[RIGHT_EYE_OUTER])), 1.0)

    def apart(*pairs: tuple[int, int]) -> float:
        return float(np.mean([np.linalg.norm(points[one] - points[other]) for one, other in pairs])) / eyes

    def both(name: str) -> float:
        return (face.blendshape(f"{name}Left") + face.blendshape(f"{name}Right")) / 2

    figures = [both("mouthSmile"), both("browDown"), apart((55, 133), (285, 362)), apart((2, 0))]
    figures += [apart((UPPER_LIP, LOWER_LIP)), apart((159, 145), (386, 374))]
    return np.asarray(figures, np.float32)


def _shown(change: Floats, *, mouth_counts: bool) -> Shown:
    lowered = (float(change[_DOWN_]) - 6 * float(change[_INNER_BROW_])) / 2
    raised_lip = -float(change[_NOSE_TO_LIP_])
    wide = min(
        float(change[_INNER_BROW_]) / _BROWS_UP,
        float(change[_OPEN_]) / _MOUTH_OPEN,
        float(change[_EYE_]) / _EYES_WIDE,
    )
    if change[_SMILE_] >= _SMILES:
        return Shown(SMILE, _certainty(float(change[_SMILE_]) / _SMILES))
    if mouth_counts and wide >= 1:
        return Shown(SURPRISE, _certainty(wide))
    if mouth_counts and lowered >= 0.75 * _BROWS_DOWN and raised_lip >= _LIP_UP:
        return Shown(SNEER, _certainty(min(lowered / (0.75 * _BROWS_DOWN), raised_lip / _LIP_UP)))
    if lowered >= _BROWS_DOWN:
        return Shown(FROWN, _certainty(lowered / _BROWS_DOWN))
    return Shown("", 0.0)


def _certainty(times: float) -> float:
    """From how many times the threshold was reached: .5 at it, 1 at twice as much."""
    return min(0.5 * times, 1.0)
