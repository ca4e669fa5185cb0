"""Which of the face's points the renderer moves, and which it holds on to."""

from typing import Final

import numpy as np

from visavis.faces.points import LIPS_INNER, LIPS_OUTER

JAW: Final = (172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397)
"""Lower edge of the face, left to right in the picture."""

ANCHORS: Final = (98, 97, 2, 326, 327, 205, 425, 187, 411)
"""Wings and base of the nose, and cheeks: they belong to the picture that the mouth is laid upon."""

CONTROL: Final = (*LIPS_OUTER, *LIPS_INNER, *JAW, *ANCHORS)
"""Points that tie a picture of a mouth to its place, in the order of all arrays of control points."""

CONTROLS: Final = len(CONTROL)
MOVING: Final = len(LIPS_OUTER) + len(LIPS_INNER) + len(JAW)
"""The first so many control points move in speech."""

OUTER, INNER = slice(0, 20), slice(20, 40)
UPPER_MIDDLE: Final = 20 + LIPS_INNER.index(13)
LOWER_MIDDLE: Final = 20 + LIPS_INNER.index(14)
CORNERS: Final = (20 + LIPS_INNER.index(78), 20 + LIPS_INNER.index(308))

JAW_SHARE: Final = np.concatenate(
    [np.ones(40), np.interp(np.abs(np.arange(13) - 6), (0, 2.5, 6), (1, 0.9, 0)), np.zeros(len(ANCHORS))]
).astype(np.float32)
"""How much of its own motion each control point makes: all at the chin, none where the jaw meets the ears, because
there the picture of the mouth ends."""

HELD: Final = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 8, 9, 151, 122, 351, 48, 278, 98, 327)
"""Points that speech hardly moves; by them a head is found in its place."""

POSED: Final = (1, 4, 5, 2, 98, 327, 195, 197, 127, 356, 234, 454, 10, 109, 338, 50, 280)
"""Points that show how the head is turned, once its place in the picture is taken out."""

RIM: Final = (
    165, 391, 92, 322, 206, 426, 216, 436, 207, 427, 212, 432, 202, 422, 204, 424, 194, 418,
    200, 199, 175, 170, 395, 169, 394, 210, 430,
)  # fmt: skip
"""Skin around the mouth and on the chin, where colours are compared."""
