"""Eyes of a photo that blink and look around: the lid's own skin comes down over the eyeball."""

import cv2
import numpy as np

from visavis.replica.bundle import Picture
from visavis.replica.photo.contents import SUPERSAMPLING, Eye, Floats

LOWER_SHARE = 0.12
"""Of a closing eye, the share that the lower lid comes up."""

LASHES, LASH_SHADOW = 0.012, 0.7
"""Half the width of the line of lashes between closed lids, in distances of the eyes, and how dark it is."""

LID_SHARE = 0.85
"""How much of a lid over the eye is smooth skin rather than the stretched little that is seen of it in the photo."""

_MOST_GAZE = 0.75
"""How far the iris may move aside, in radii."""


class EyePainter:
    """One eye on the canvas; shared by all calls, never written after it is made."""

    def __init__(self, eye: Eye, person: Picture, eyes_px: float) -> None:
        self._eyes_px = eyes_px * SUPERSAMPLING
        upper, lower = ((np.array(curve, np.float32) + 0.5) * SUPERSAMPLING - 0.5 for curve in (eye.upper, eye.lower))
        height = float((lower[:, 1] - upper[:, 1]).max())
        brow = (eye.brow + 0.5) * SUPERSAMPLING - 0.5
        # The skin between brow and lid stretches; the brow itself should not come down with it.
        room = max(0.92 * (float(upper[:, 1].min()) - brow), 0.45 * height)
        left, right = int(upper[0, 0]) - 2, int(np.ceil(upper[-1, 0])) + 3
        first, last = int(upper[:, 1].min() - room) - 2, int(np.ceil(lower[:, 1].max() + height)) + 2
        first, left = max(first, 0), max(left, 0)
        last, right = min(last, person.shape[0]), min(right, person.shape[1])
        self.box = slice(first, last), slice(left, right)
        self._still = person[self.box][..., :3].copy()
        columns = np.arange(left, right, dtype=np.float32)
        self._upper, self._lower = (_smooth_curve(curve, columns) - first for curve in (upper, lower))
        self._lower = np.maximum(self._lower, self._upper)
        self._room = room
        self._grid = np.dstack(
            np.meshgrid(np.arange(right - left, dtype=np.float32), np.arange(last - first, dtype=np.float32))
        )
        rows = self._grid[..., 1]
        gap = np.maximum(self._lower - self._upper, 1e-3)
        self._open_height = gap
        centre = (np.array(eye.iris) + 0.5) * SUPERSAMPLING - 0.5 - (left, first)
        self._radius = eye.iris_radius * SUPERSAMPLING
        away = np.linalg.norm(self._grid - centre.astype(np.float32), axis=2) / self._radius
        lids = np.minimum(rows - self._upper, self._lower - rows) / (0.018 * self._eyes_px)
        corners = np.minimum(columns - upper[0, 0], upper[-1, 0] - columns) / (0.05 * self._eyes_px)
        self._between = np.clip(corners, 0, 1)
        self._lid = _lid_skin(self._still, rows, self._upper, brow - first, self._eyes_px)
        over_eye = np.clip((rows - self._upper) / (0.03 * self._eyes_px) + 1, 0, 1)
        self._is_lid = np.asarray(LID_SHARE * over_eye * np.clip(corners * 1.5, 0, 1), np.float32)
        self._dark: Picture = np.broadcast_to(
            np.quantile(self._still.reshape(-1, 3), 0.02, axis=0).astype(np.uint8), self._still.shape
        ).copy()
        follows = np.clip(1 - (away - 1.15) / 1.1, 0, 1) * np.clip(lids, 0, 1) * np.clip(corners, 0, 1)
        self._follows = np.asarray(cv2.GaussianBlur(follows.astype(np.float32), (0, 0), 0.008 * self._eyes_px))

    def paint(self, canvas: Picture, closed: float, gaze: tuple[float, float]) -> None:
        """Draw the eye `closed` 0 to 1 and its iris moved by `gaze` (right, down; frame pixels) onto the canvas."""
        picture = self._eyeball(gaze)
        if closed > 0.004:
            picture = self._lidded(picture, min(closed, 1.0))
        cv2.mixChannels([picture], [canvas[self.box]], [0, 0, 1, 1, 2, 2])

    def _eyeball(self, gaze: tuple[float, float]) -> Picture:
        most = _MOST_GAZE * self._radius
        shift = np.clip(np.array(gaze, np.float32) * SUPERSAMPLING, -most, most)
        if not shift.any():
            return self._still
        return np.asarray(
            cv2.remap(self._still, self._grid - self._follows[..., None] * shift, None, cv2.INTER_LINEAR), np.uint8
        )

    def _lidded(self, eyeball: Picture, closed: float) -> Picture:
        rows = self._grid[..., 1]
        meet = self._lower - LOWER_SHARE * self._open_height
        edge = self._upper + closed * (meet - self._upper)
        low_edge = self._lower + closed * (meet - self._lower)
        lid = cv2.remap(self._still, self._towards(rows, edge), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        lid = _mixed(np.asarray(lid), self._lid, self._is_lid * min(1.0, closed * 2))
        below = np.clip(1 - (rows - low_edge) / (1.2 * self._eyes_px * 0.1), 0, 1)
        source = rows + (self._lower - low_edge) * below * below
        under = cv2.remap(
            self._still,
            np.dstack([self._grid[..., 0], source.astype(np.float32)]),
            None,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        shown = _mixed(eyeball, np.asarray(under), np.clip(rows - low_edge + 0.5, 0, 1))
        shown = _mixed(shown, np.asarray(lid), np.clip(edge - rows + 0.5, 0, 1))
        # Lashes of both lids come together in one dark line.
        from_edge = np.abs(edge - rows) / (LASHES * self._eyes_px)
        shadow = LASH_SHADOW * closed * np.exp(-from_edge * from_edge) * self._between
        return _mixed(shown, self._dark, np.asarray(shadow, np.float32))

    def _towards(self, rows: Floats, edge: Floats) -> Floats:
        """Where in the photo the skin above the lid's edge comes from: lashes keep their size, the rest stretches."""
        longer = edge - self._upper + self._room
        share = np.clip((edge - rows) / longer, 0, None)
        bend = np.minimum(longer / self._room - 1, 0.95)
        inner = np.minimum(share, 1)
        taken = self._room * ((1 + bend) * inner - bend * inner * inner) + np.maximum(share - 1, 0) * longer
        return np.dstack([self._grid[..., 0], (self._upper - taken).astype(np.float32)])


def _smooth_curve(curve: Floats, columns: Floats) -> Floats:
    """Rows of a lid's edge at the given columns, as a smooth curve through its points."""
    order = np.argsort(curve[:, 0])
    x, y = curve[order, 0], curve[order, 1]
    rows = np.interp(columns, x, y)
    width = max(int((x[-1] - x[0]) / 10) | 1, 3)
    kernel = np.hanning(width + 2)[1:-1]
    return np.asarray(np.convolve(np.pad(rows, width // 2, mode="edge"), kernel / kernel.sum(), "valid"), np.float32)


def _lid_skin(still: Picture, rows: Floats, upper: Floats, brow: float, eyes_px: float) -> Picture:
    """A lid over the whole eye in the colours of the skin between lashes and brow, with the grain of that skin."""
    skin = ((rows < upper - 0.028 * eyes_px) & (rows > brow)).astype(np.float32)
    if skin.sum() < 20:
        skin = ((rows < upper - 0.01 * eyes_px) & (rows > upper - 0.08 * eyes_px)).astype(np.float32)
    picture = still.astype(np.float32)
    reach = 0.055 * eyes_px
    wide = cv2.GaussianBlur(skin, (0, 0), reach, borderType=cv2.BORDER_REPLICATE)
    summed = cv2.GaussianBlur(picture * skin[..., None], (0, 0), reach, borderType=cv2.BORDER_REPLICATE)
    mean = (picture * skin[..., None]).sum((0, 1)) / max(float(skin.sum()), 1.0)
    colour = (summed + 0.02 * mean) / (wide[..., None] + 0.02)
    # A closed lid is a ball: a little darker at its fold and where it meets the cheek.
    down = np.clip((rows - upper) / (0.12 * eyes_px), 0, 1)
    colour *= (0.95 + 0.05 * np.sin(np.pi * down))[..., None]
    grain = (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))[skin > 0]
    noise = np.random.default_rng(0).normal(0, 1, still.shape[:2]).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.8)
    size = min(float(np.median(np.abs(grain))) * 1.5, 4.0) / max(float(noise.std()), 1e-6)
    return np.asarray(np.clip(colour + (noise * size)[..., None], 0, 255), np.uint8)


def _mixed(back: Picture, front: Picture, opacity: Floats) -> Picture:
    share = np.asarray(opacity, np.float32)
    return np.asarray(cv2.blendLinear(back, front, 1 - share, share), np.uint8)
