"""The picture of a mouth between its keys.

Each key's skin is brought to the resting shape once, at the start; a mixture of keys is then a mixture of pictures whose
lips lie exactly upon each other, moved to the mixed shape in one step. Nothing is cross-faded at different places, so
there are no double lips (the idea of active appearance models: Cootes, Edwards and Taylor, 1998). The skin above and
below the lip line moves as two layers; the inside of the mouth shows between them.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from visavis.replica.bundle import Bundle, Floats, Picture

INVERSION_STEPS = 7
"""Fixed-point steps from forward to backward displacement; 7 leave under 0.3 canvas pixels at the chin's fold."""

INSIDE_DEPTH = 40
"""Canvas pixels of mouth interior that are kept below the upper and above the lower lip."""

LOWER_TEETH = 19
"""Canvas pixels of lower teeth that the lip covers as the mouth closes."""

SMALLEST_WEIGHT = 0.004
"""Key weights under this are not visible and are skipped."""


@dataclass(frozen=True, slots=True)
class Mouth:
    """Prepared textures of one replica's mouth; shared by all calls, never written after `prepare`."""

    skin: tuple[tuple[Picture, Picture], ...]
    fields: Floats
    """float32[K, 2, h, w, 2], canvas pixels."""
    edges: Floats
    """float32[K, 2, N, 2]: the upper and lower lip's edge in every key, pixels of the region."""
    inside: tuple[tuple[Picture, Picture], ...]
    """Interior of every key, as seen going down from the upper and up from the lower lip; uint8[depth, N, 3]."""
    step: int

    def picture(self, weights: Floats) -> Picture:
        """The mouth region uint8[H, W, 3] for key weights float32[K] that are at least 0 and sum to 1."""
        active = [index for index in range(len(self.skin)) if weights[index] > SMALLEST_WEIGHT]
        share = weights[active] / weights[active].sum()
        edges = np.tensordot(share, self.edges[active], 1)
        field = np.tensordot(share, self.fields[active], 1)
        height, width = self.skin[0][0].shape[:2]
        columns = np.arange(width, dtype=np.float32)
        across = edges[..., 0].mean(0)
        top = np.interp(columns, across, edges[0, :, 1]).astype(np.float32)
        bottom = np.interp(columns, across, edges[1, :, 1]).astype(np.float32)
        middle = (top + bottom) / 2
        top, bottom = np.minimum(top, middle), np.maximum(bottom, middle)
        first, last = max(int(top.min()) - 2, 0), min(int(bottom.max()) + 3, height)
        result: Picture = np.empty((height, width, 3), np.uint8)
        upper = self._layer(0, slice(0, last), field[0], active, share)
        lower = self._layer(1, slice(first, height), field[1], active, share)
        result[:first] = upper[:first]
        result[last:] = lower[last - first :]
        rows = np.arange(first, last, dtype=np.float32)[:, None]
        over = np.clip(top - rows + 0.5, 0, 1)[..., None]
        under = np.clip(rows - bottom + 0.5, 0, 1)[..., None]
        band = upper[first:] * over + lower[: last - first] * under
        rest = 1 - over - under
        if (bottom - top).max() > 1:
            left, right = int(across[0]), int(np.ceil(across[-1])) + 1
            inside = self._interior(
                rows, columns[left:right], across, top[left:right], bottom[left:right], active, share
            )
            band[:, left:right] += inside * rest[:, left:right]
            rest[:, left:right] = 0
        band += rest * upper[first:]
        result[first:last] = band + 0.5
        return result

    def _layer(self, side: int, rows: slice, field: Floats, active: list[int], share: Floats) -> Picture:
        """One side's skin, mixed and moved; only the given rows."""
        height, width = self.skin[0][0].shape[:2]
        back = _inverted(field / self.step)
        moved = cv2.resize(back * self.step, (width, height), interpolation=cv2.INTER_LINEAR)[rows]
        moved += _grid(height, width)[rows]
        texture = _mixed([self.skin[index][side] for index in active], share)
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
    ) -> Floats:
        """What shows between the lips: the upper teeth hang from the upper lip, the lower lip slides over the lower teeth."""
        openings = np.maximum(self.edges[active, 1, :, 1] - self.edges[active, 0, :, 1], 0).mean(1)
        visible = share * openings
        hidden = LOWER_TEETH * (1 - min(1.0, float(visible.sum() ** 2 / (share @ openings**2))))
        visible /= visible.sum()
        along = np.interp(columns, across, np.arange(len(across))).astype(np.float32)
        along_map = np.broadcast_to(along, (len(rows), len(columns))).copy()
        views = []
        for side, distance in enumerate((rows - top, bottom - rows + hidden)):
            texture = _mixed([self.inside[index][side] for index in active], visible)
            depth = np.clip(distance, 0, INSIDE_DEPTH - 1).astype(np.float32)
            views.append(cv2.remap(texture, along_map, depth, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        gap = np.maximum(bottom - top, 1)
        lower_share = np.clip(((rows - top) / gap - 0.5) * 3 + 0.5, 0, 1)[..., None]
        return np.asarray(views[0] + (views[1].astype(np.float32) - views[0]) * lower_share, np.float32)


def prepare(bundle: Bundle) -> Mouth:
    """Bring the keys of a bundle to the resting shape."""
    box, step = bundle.manifest.mouth.box, bundle.manifest.mouth.step
    grid = _grid(box.height, box.width)
    window = (bundle.mouth_window.astype(np.float32) / 255)[..., None]
    still = bundle.person[box.slices][..., :3].astype(np.float32)
    skin, inside, edges = [], [], []
    for index, fields in enumerate(bundle.mouth_fields):
        own_picture = index < len(bundle.mouth_keys)
        key = bundle.mouth_keys[index] if own_picture else bundle.mouth_keys[0]
        sides = []
        for field in fields:
            moved = cv2.resize(field * own_picture, (box.width, box.height), interpolation=cv2.INTER_LINEAR) + grid
            at_rest = cv2.remap(key, moved, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            sides.append(np.asarray(still + window * (at_rest - still) + 0.5, np.uint8))
        skin.append((sides[0], sides[1]))
        edge = np.stack([bundle.lip_line + _at(field, bundle.lip_line, step) for field in fields])
        edges.append(edge)
        inside.append(_inside(key, edge))
    return Mouth(tuple(skin), bundle.mouth_fields, np.stack(edges).astype(np.float32), tuple(inside), step)


def _inside(key: Picture, edge: Floats) -> tuple[Picture, Picture]:
    """Columns of the key's picture from the upper edge downwards and from the lower edge upwards."""
    gap = np.maximum(edge[1, :, 1] - edge[0, :, 1], 0)
    depth = np.minimum(np.arange(INSIDE_DEPTH, dtype=np.float32)[:, None], np.maximum(gap - 2, 0))
    across = np.broadcast_to(edge[..., 0].mean(0), depth.shape).astype(np.float32)
    down, up = (edge[0, :, 1] + depth).astype(np.float32), (edge[1, :, 1] - depth).astype(np.float32)
    views = [cv2.remap(key, across, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for row in (down, up)]
    return np.asarray(views[0]), np.asarray(views[1])


def _inverted(field: Floats) -> Floats:
    """Backward displacement b of a forward displacement f, both in cells: b(y) = -f(y + b(y))."""
    grid = _grid(*field.shape[:2])
    back = -field
    for _ in range(INVERSION_STEPS):
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


@cache
def _grid(height: int, width: int) -> Floats:
    """float32[height, width, 2]: every pixel's own position."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.dstack([x, y])
