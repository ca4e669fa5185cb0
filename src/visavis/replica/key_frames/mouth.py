"""The picture of a mouth between its keys.

Each key's skin is brought to the resting shape once, at the start; a mixture of keys is then a mixture of pictures
whose lips lie exactly upon each other, moved to the mixed shape in one step. Nothing is cross-faded at different
places, so there are no double lips (the idea of active appearance models: Cootes, Edwards and Taylor, 1998). The skin
above and below the lip line moves as two layers; the inside of the mouth shows between them.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from visavis.replica.bundle import Picture
from visavis.replica.canvas import pixel_grid
from visavis.replica.key_frames.arrays import Floats, KeyFrames

UPPER_INVERSION_STEPS, LOWER_INVERSION_STEPS = 3, 6
"""Fixed-point steps from forward to backward displacement; the chin's fold over the neck needs more."""

CORNER = 4
"""Canvas pixels beyond the corners of the mouth in which the two layers are still blended."""

OVERLAP = 24
"""Canvas pixels of skin that each layer keeps beyond the lip line."""

INSIDE_DEPTH = 40
"""Canvas pixels of mouth interior that are kept below the upper and above the lower lip."""

LOWER_TEETH = 19
"""Canvas pixels of lower teeth that the lip covers as the mouth closes."""

SMALLEST_WEIGHT = 0.025
"""The pictures of keys with less weight than this are left out of the mixture; their shapes are not."""


@dataclass(frozen=True, slots=True)
class Side:
    """The skin on one side of the lip line."""

    first_row: int
    """Row of the region that the textures begin with."""
    textures: tuple[Picture, ...]
    """Every key at rest, uint8[rows, W, 3]; fewer than the weights, as shapes have no picture of their own."""
    inversion_steps: int


@dataclass(frozen=True, slots=True)
class Mouth:
    """Prepared textures of one replica's mouth; shared by all calls, never written after `prepare`."""

    size: tuple[int, int]
    """Height and width of the region, canvas pixels."""
    upper: Side
    lower: Side
    fields: Floats
    """float32[K, 2, h, w, 2], canvas pixels."""
    edges: Floats
    """float32[K, 2, N, 2]: the upper and lower lip's edge in every key, pixels of the region."""
    inside: tuple[tuple[Picture, Picture], ...]
    """Interior of every key, as seen going down from the upper and up from the lower lip; uint8[depth, N, 3]."""
    step: int

    def picture(self, weights: Floats) -> Picture:
        """The mouth region uint8[H, W, 3] for weights float32[K] of keys and shapes, at least 0, sum 1."""
        pictured = weights[: len(self.inside)].copy()
        pictured[0] += weights[len(self.inside) :].sum()
        active = [index for index, weight in enumerate(pictured) if weight > SMALLEST_WEIGHT]
        share = pictured[active] / pictured[active].sum()
        edges = np.tensordot(weights, self.edges, 1)
        fields = np.tensordot(weights, self.fields, 1)
        height, width = self.size
        across = edges[..., 0].mean(0)
        left, right = max(int(across[0]) - CORNER, 0), min(int(across[-1]) + CORNER, width)
        columns = np.arange(left, right, dtype=np.float32)
        top, bottom = (np.interp(columns, across, edge[:, 1]).astype(np.float32) for edge in edges)
        middle = (top + bottom) / 2
        top, bottom = np.minimum(top, middle), np.maximum(bottom, middle)
        first, last = max(int(top.min()) - 2, 0), min(int(bottom.max()) + 3, height)
        seam = min(max(round(float(middle[0] + middle[-1]) / 2), first), last)
        upper = self._layer(self.upper, slice(0, last), fields[0], active, share)
        lower = self._layer(self.lower, slice(first, height), fields[1], active, share)
        result: Picture = np.empty((height, width, 3), np.uint8)
        result[:seam] = upper[:seam]
        result[seam:] = lower[seam - first :]
        rows = np.arange(first, last, dtype=np.float32)[:, None]
        over = np.clip(top - rows + 0.5, 0, 1)
        under = np.clip(rows - bottom + 0.5, 0, 1)
        band = np.ascontiguousarray(lower[: last - first, left:right])
        if (bottom - top).max() > 1:
            inside = self._interior(rows, columns, across, top, bottom, active, share)
            band = cv2.blendLinear(inside, band, 1 - under, under)
        upper_band = np.ascontiguousarray(upper[first:, left:right])
        result[first:last, left:right] = cv2.blendLinear(band, upper_band, 1 - over, over)
        return result

    def _layer(self, side: Side, rows: slice, field: Floats, active: list[int], share: Floats) -> Picture:
        """One side's skin, mixed and moved; only the given rows."""
        height, width = self.size
        back = _inverted(field * np.float32(1 / self.step), side.inversion_steps) * np.float32(self.step)
        moved = cv2.resize(back, (width, height), interpolation=cv2.INTER_LINEAR)[rows]
        moved += pixel_grid(height, width)[rows]
        moved[..., 1] -= side.first_row
        texture = _mixed([side.textures[index] for index in active], share)
        return np.asarray(cv2.remap(texture, moved, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))

    def _interior(
        self,
        rows: Floats,
        columns: Floats,
        across: Floats,
        top: Floats,
        bottom: Floats,
        active: list[int],
        share: Floats,
    ) -> Picture:
        """What shows between the lips: upper teeth stay with their lip, the lower lip slides over the lower teeth."""
        openings = np.maximum(self.edges[active, 1, :, 1] - self.edges[active, 0, :, 1], 0).mean(1)
        visible = share * openings
        hidden = LOWER_TEETH * (1 - min(1.0, float(visible.sum() ** 2 / max(float(share @ openings**2), 1e-6))))
        visible /= max(float(visible.sum()), 1e-6)
        along = np.interp(columns, across, np.arange(len(across))).astype(np.float32)
        along_map = np.broadcast_to(along, (len(rows), len(columns))).copy()
        views = []
        for side, distance in enumerate((rows - top, bottom - rows + hidden)):
            texture = _mixed([self.inside[index][side] for index in active], visible)
            depth = np.clip(distance, 0, INSIDE_DEPTH - 1).astype(np.float32)
            views.append(cv2.remap(texture, along_map, depth, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        gap = np.maximum(bottom - top, 1)
        lower_share = np.clip(((rows - top) / gap - 0.5) * 3 + 0.5, 0, 1).astype(np.float32)
        return np.asarray(cv2.blendLinear(views[0], views[1], 1 - lower_share, lower_share))


def prepare(keys: KeyFrames) -> Mouth:
    """Bring the keys to the resting shape."""
    box, step = keys.geometry.mouth.box, keys.geometry.mouth.step
    grid = pixel_grid(box.height, box.width)
    window = (keys.mouth_window.astype(np.float32) / 255)[..., None]
    still = keys.person[box.slices][..., :3].astype(np.float32)
    skin, inside = [], []
    edges = np.stack(
        [[keys.lip_line + _at(field, keys.lip_line, step) for field in fields] for fields in keys.mouth_fields]
    ).astype(np.float32)
    for key, fields, edge in zip(keys.mouth_keys, keys.mouth_fields, edges, strict=False):
        sides = []
        for field in fields:
            moved = cv2.resize(field, (box.width, box.height), interpolation=cv2.INTER_LINEAR) + grid
            at_rest = cv2.remap(key, moved, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            sides.append(np.asarray(still + window * (at_rest - still) + 0.5, np.uint8))
        skin.append(sides)
        inside.append(_inside(key, edge))
    above = min(int(keys.lip_line[:, 1].max()) + OVERLAP, box.height)
    below = max(int(keys.lip_line[:, 1].min()) - OVERLAP, 0)
    return Mouth(
        size=(box.height, box.width),
        upper=Side(0, tuple(np.ascontiguousarray(upper[:above]) for upper, _ in skin), UPPER_INVERSION_STEPS),
        lower=Side(below, tuple(np.ascontiguousarray(lower[below:]) for _, lower in skin), LOWER_INVERSION_STEPS),
        fields=keys.mouth_fields,
        edges=edges,
        inside=tuple(inside),
        step=step,
    )


def _inside(key: Picture, edge: Floats) -> tuple[Picture, Picture]:
    """Columns of the key's picture from the upper edge downwards and from the lower edge upwards."""
    gap = np.maximum(edge[1, :, 1] - edge[0, :, 1], 0)
    depth = np.minimum(np.arange(INSIDE_DEPTH, dtype=np.float32)[:, None], np.maximum(gap - 2, 0))
    across = np.broadcast_to(edge[..., 0].mean(0), depth.shape).astype(np.float32)
    down, up = (edge[0, :, 1] + depth).astype(np.float32), (edge[1, :, 1] - depth).astype(np.float32)
    views = [cv2.remap(key, across, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for row in (down, up)]
    return np.asarray(views[0]), np.asarray(views[1])


def _inverted(field: Floats, steps: int) -> Floats:
    """Backward displacement b of a forward displacement f, both in cells: b(y) = -f(y + b(y))."""
    grid = pixel_grid(*field.shape[:2])
    back = -field
    for _ in range(steps):
        back = -cv2.remap(field, grid + back, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return back


def _mixed(pictures: list[Picture], share: Floats) -> Picture:
    """Weighted mean of pictures; the weights sum to 1."""
    mixture, total = pictures[0], float(share[0])
    for picture, weight in zip(pictures[1:], share[1:], strict=True):
        total += float(weight)
        part = float(weight) / total if total > 0 else 0.0
        mixture = np.asarray(cv2.addWeighted(mixture, 1 - part, picture, part, 0))
    return mixture


def _at(field: Floats, points: Floats, step: int) -> Floats:
    cells = ((points - (step - 1) / 2) / step).astype(np.float32)
    found = cv2.remap(field, cells[None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found[0], np.float32)
