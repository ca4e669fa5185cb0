"""Person and room of a picture apart: an opacity with soft hair, the person's own colours, the room without them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.replica.photo.contents import Floats
from visavis.replica.train.photo_checks import Picture

_GUIDE_RADIUS = 12
"""Pixels of a canvas of 1024 over which the edge of the mask follows the edges of the picture."""

_GUIDE_NOISE = 3e-4
_RIM_PX = 12
"""Canvas pixels outside the mask in which parts of the person may have been overlooked."""

_ROOM_GAP = 0.03
"""Opacity below which a pixel belongs to the room alone."""


def parted(canvas: Picture, mask: Floats, in_photo: NDArray[np.bool_]) -> tuple[Picture, Picture]:
    """The person uint8[N, N, 4] (BGR times opacity, opacity) and the room uint8[N / 2, N / 2, 3].

    `mask` float32[N / 2, N / 2] says roughly what belongs to the person, 0 to 1; `in_photo` bool[N, N] where the canvas
    shows the photo at all.
    """
    size = canvas.shape[1::-1]
    rough = cv2.resize(mask, size, interpolation=cv2.INTER_CUBIC)
    opacity = _guided(canvas, np.asarray(_only_largest(rough), np.float32))
    opacity = np.clip((opacity - 0.12) / 0.76, 0, 1).astype(np.float32)
    opacity = np.maximum(opacity, cv2.erode(rough, np.ones((25, 25), np.uint8)) > 0.9).astype(np.float32)
    picture = canvas.astype(np.float32)
    opacity = np.maximum(opacity, _overlooked(picture, opacity))
    room = filled(picture, (opacity < _ROOM_GAP) & in_photo, sure_margin=10)
    inside = filled(picture, opacity > 0.97, sure_margin=3)
    share = opacity[..., None]
    # What the person's own colour must be for the mixture to look like the photo; guessed where little of it is seen.
    unmixed = np.clip(room + (picture - room) / np.maximum(share, 0.3), 0, 255)
    trust = np.clip((share - 0.25) / 0.5, 0, 1)
    colour = inside + trust * (unmixed - inside)
    person = np.dstack([colour * share, share * 255])
    small = cv2.resize(room, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(person + 0.5, 0, 255), np.uint8), np.asarray(np.clip(small + 0.5, 0, 255), np.uint8)


def _overlooked(picture: Floats, opacity: Floats) -> Floats:
    """Opacity of what lies just outside the mask but has the person's colours rather than the room's: ears, hair."""
    room = filled(picture, opacity < _ROOM_GAP, sure_margin=2 * _RIM_PX)
    inside = filled(picture, opacity > 0.97, sure_margin=3)
    from_room, from_person = (np.linalg.norm(picture - colours, axis=2) for colours in (room, inside))
    # What stands out from a patterned room may well be its pattern.
    uneven = np.abs(picture - cv2.GaussianBlur(room, (0, 0), _RIM_PX))
    pattern = np.linalg.norm(filled(uneven, opacity < _ROOM_GAP, sure_margin=2 * _RIM_PX), axis=2)
    pattern = cv2.GaussianBlur(pattern, (0, 0), _RIM_PX)
    alike = np.clip((from_room - from_person) / 24, 0, 1) * np.clip((from_room - 30 - 1.5 * pattern) / 30, 0, 1)
    near = cv2.dilate((opacity > 0.5).astype(np.uint8), np.ones((2 * _RIM_PX + 1, 2 * _RIM_PX + 1), np.uint8))
    found = cv2.GaussianBlur((alike * near).astype(np.float32), (0, 0), 1.5)
    touching = _only_largest(np.asarray(np.maximum(found, opacity), np.float32))
    return np.asarray(np.where(touching > 0, found, 0), np.float32)


def filled(picture: Floats, known: NDArray[np.bool_], sure_margin: int) -> Floats:
    """The picture with everything that is not known continued smoothly from what is (push and pull over a pyramid)."""
    sure = cv2.erode(known.astype(np.uint8), np.ones((sure_margin, sure_margin), np.uint8)).astype(np.float32)
    if not sure.any():
        return np.full_like(picture, picture.mean((0, 1)))
    levels = [(picture * sure[..., None], sure)]
    while min(levels[-1][1].shape) > 2:
        colour, weight = levels[-1]
        half = (max(weight.shape[1] // 2, 1), max(weight.shape[0] // 2, 1))
        levels.append(
            (
                cv2.resize(colour, half, interpolation=cv2.INTER_AREA),
                cv2.resize(weight, half, interpolation=cv2.INTER_AREA),
            )
        )
    colour, weight = levels[-1]
    whole = colour / np.maximum(weight[..., None], 1e-4)
    for colour, weight in reversed(levels[:-1]):
        coarse = cv2.resize(whole, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
        there = np.clip(weight, 0, 1)[..., None]
        whole = colour / np.maximum(weight[..., None], 1e-4) * there + coarse * (1 - there)
    return np.asarray(whole, np.float32)


def _only_largest(mask: Floats) -> Floats:
    """The mask without other people and specks beside the largest part."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0.3).astype(np.uint8))
    if count <= 2:
        return mask
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    near = cv2.dilate((labels == largest).astype(np.uint8), np.ones((9, 9), np.uint8))
    return np.asarray(mask * near, np.float32)


def _guided(canvas: Picture, mask: Floats) -> Floats:
    """The mask with its edges drawn to those of the picture (He, Sun and Tang, "Guided image filtering", 2013)."""
    guide = canvas.astype(np.float32) / 255

    def mean(values: NDArray[np.floating]) -> Floats:
        side = 2 * _GUIDE_RADIUS + 1
        return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    mean_guide, mean_mask = mean(guide), mean(mask)
    with_mask = mean(guide * mask[..., None]) - mean_guide * mean_mask[..., None]
    covariance = np.empty((*mask.shape, 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            both = mean(np.ascontiguousarray(guide[..., i] * guide[..., j])) - mean_guide[..., i] * mean_guide[..., j]
            covariance[..., i, j] = covariance[..., j, i] = both
        covariance[..., i, i] += _GUIDE_NOISE
    slope = np.linalg.solve(covariance, with_mask[..., None])[..., 0]
    offset = mean_mask - (slope * mean_guide).sum(-1)
    return np.asarray(np.clip((mean(slope) * guide).sum(-1) + mean(offset), 0, 1), np.float32)
