"""Expressions from faces whose points and blendshapes are made up."""

import numpy as np
import pytest

from visavis.faces import Landmarks
from visavis.faces.points import ARKIT_NAMES
from visavis.layers.perception import Behaviour, Face
from visavis.layers.perception.behaviour import FaceBehaviour
from visavis.layers.perception.expression import FROWN, SMILE, SNEER, SURPRISE, Expressions

PLACES = {
    33: (40, 60), 263: (160, 60), 55: (85, 45), 285: (115, 45), 133: (85, 60), 362: (115, 60),
    2: (100, 100), 0: (100, 115), 13: (100, 120), 14: (100, 120),
    159: (60, 55), 145: (60, 65), 386: (140, 55), 374: (140, 65),
}  # fmt: skip
"""Eyes 120 pixels apart, outer corner to outer corner."""


def face(moved: dict[int, float] | None = None, **shapes: float) -> Landmarks:
    """A face whose points are `moved` down by so many pixels; blendshapes are those of both sides."""
    points = np.zeros((478, 3), np.float32)
    for point, (x, y) in PLACES.items():
        points[point, :2] = x, y + (moved or {}).get(point, 0.0)
    blendshapes = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, value in shapes.items():
        for side in ("Left", "Right"):
            blendshapes[ARKIT_NAMES.index(name + side)] = value
    return Landmarks(points, blendshapes, 1.0)


RAISED = {55: -3, 285: -3, 14: 8, 159: -2, 386: -2}
LOWERED = {55: 4, 285: 4}
LIP_UP = {**LOWERED, 0: -3}


def seen(then: Landmarks, rest: Landmarks | None = None, *, speaking: bool = False) -> str:
    expressions = Expressions()
    for _ in range(10):
        expressions.see(rest or face(), speaking=False)
    return [expressions.see(then, speaking=speaking).expression for _ in range(3)][-1]


@pytest.mark.parametrize(
    ("then", "expression"),
    [
        (face(), ""),
        (face(mouthSmile=0.7), SMILE),
        (face(RAISED), SURPRISE),
        (face(LOWERED, browDown=0.3), FROWN),
        (face(LIP_UP, browDown=0.3), SNEER),
        (face({14: 8}), ""),
    ],
)
def test_what_is_shown_is_told_against_the_face_at_rest(then: Landmarks, expression: str) -> None:
    assert seen(then) == expression


def test_a_face_that_always_frowns_is_at_rest() -> None:
    stern = face(LOWERED, browDown=0.4)
    assert seen(stern, rest=stern) == ""


def test_a_mouth_that_speaks_shows_a_smile_at_most() -> None:
    assert seen(face(RAISED), speaking=True) == ""
    assert seen(face(mouthSmile=0.7), speaking=True) == SMILE


def test_nothing_is_told_of_a_face_that_was_only_just_seen_nor_of_one_odd_picture() -> None:
    expressions = Expressions()
    assert expressions.see(face(mouthSmile=0.9), speaking=False).expression == ""
    for _ in range(10):
        expressions.see(face(), speaking=False)
    assert expressions.see(face(RAISED), speaking=False).expression == ""


def test_an_expression_that_lasts_is_a_behaviour() -> None:
    behaviour = FaceBehaviour()
    calm = Face(
        0.3, 0, 0, 0, looking=True, eyes_closed=False, smile=0, brows_up=0, frown=0, mouth_open=0, speaking=None
    )
    astonished = Face(
        0.3, 0, 0, 0, looking=True, eyes_closed=False, smile=0, brows_up=0, frown=0, mouth_open=0.1, speaking=False,
        expression=SURPRISE, expression_certainty=0.9,
    )  # fmt: skip
    found = [one.behaviour for n in range(20) for one in behaviour.see(astonished if 8 <= n < 14 else calm, n / 8)]
    assert found == [Behaviour.SURPRISED]
