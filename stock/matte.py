"""Cut the person out of the portrait, so that she can move while the room behind her stands still."""

from collections.abc import Sequence

import cv2
import numpy as np
from brows import fill
from look import Image
from numpy.typing import NDArray

HAIR_REACH = 22
"""Canvas pixels around the solid outline in which loose hair may lie."""


def silhouette(
    picture: Image, inside: NDArray[np.float64], outside: Sequence[NDArray[np.float64]]
) -> NDArray[np.bool_]:
    """Solid outline of the person; polygons say what surely lies within and without."""
    small = cv2.resize((picture * 255).astype(np.uint8), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    core = np.zeros(small.shape[:2], np.uint8)
    cv2.fillPoly(core, [np.round(inside / 2).astype(np.int32)], 1)
    reach = cv2.dilate(core, np.ones((3, 3), np.uint8), iterations=34)
    labels = np.where(core > 0, cv2.GC_FGD, np.where(reach > 0, cv2.GC_PR_FGD, cv2.GC_BGD)).astype(np.uint8)
    for polygon in outside:
        cv2.fillPoly(labels, [np.round(polygon / 2).astype(np.int32)], cv2.GC_BGD)
    cv2.grabCut(small, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 6, cv2.GC_INIT_WITH_MASK)
    found = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, regions, stats, _ = cv2.connectedComponentsWithStats(found)
    largest = 1 + int(np.argmax(stats[1:count, cv2.CC_STAT_AREA]))
    solid = cv2.resize((regions == largest).astype(np.float32), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(solid, (0, 0), 2) > 0.5


def split(picture: Image, solid: NDArray[np.bool_], strands: Sequence[NDArray[np.float64]]) -> tuple[Image, Image]:
    """The person as float32[H, W, 4] (BGR times opacity, opacity), and the empty room float32[H, W, 3].

    Laid over each other they give the picture back. `strands` are polygons around hair that hangs far out.
    """
    mask = solid.astype(np.uint8)
    reach = cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=HAIR_REACH)
    for polygon in strands:
        cv2.fillPoly(reach, [np.round(polygon).astype(np.int32)], 1)
    core = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=4) > 0
    room = picture.copy()
    half = cv2.resize(reach, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_NEAREST) > 0
    filled = fill(cv2.resize(picture, half.shape[::-1], interpolation=cv2.INTER_AREA), half)
    filled = cv2.resize(cv2.GaussianBlur(filled, (0, 0), 2), picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    border = cv2.GaussianBlur(reach.astype(np.float32), (0, 0), 3)
    inner = np.clip((border - 0.5) * 2, 0, 1)[..., None]
    room = room * (1 - inner) + filled * inner
    contrast = np.linalg.norm(cv2.GaussianBlur(picture - room, (0, 0), 0.8), axis=2)
    opacity = np.clip((contrast - 0.02) / 0.16, 0, 1)
    opacity = np.where(core, 1, opacity * (reach > 0))
    near = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), 1.5)
    opacity = np.maximum(opacity, near * (near > 0.5)).astype(np.float32)
    person = picture - (1 - opacity[..., None]) * room
    return np.dstack([np.clip(person, 0, 1), opacity]), room.astype(np.float32)
