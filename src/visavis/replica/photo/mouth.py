"""The mouth of a photo in one frame: two layers of skin that part, and what shows between them."""

from dataclasses import dataclass

import cv2
import numpy as np

from visavis.faces.points import ARKIT_NAMES
from visavis.replica.bundle import Picture
from visavis.replica.photo import teeth
from visavis.replica.photo.contents import SEAL, STEP, SUPERSAMPLING, Floats, Portrait

MARGIN_PX = 3
"""Frame pixels around the opening that are drawn anew."""

COLUMNS = 41
"""Points along each lip."""

JAW_DROP = 0.31
"""How far the lower teeth come down when `jawOpen` is 1, in distances of the eyes; the chin's skin slides over them."""

JAW_ASIDE = 0.06
ROUND_RECESS_MM = 4.0
"""How far rounded lips come forward: as much further back, and less to be seen, are the teeth."""

_JAW_OPEN, _JAW_LEFT, _JAW_RIGHT, _FUNNEL, _PUCKER = (
    ARKIT_NAMES.index(name) for name in ("jawOpen", "jawLeft", "jawRight", "mouthFunnel", "mouthPucker")
)


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """The edges of both lips in one frame, frame pixels, left to right."""

    x: Floats
    top: Floats
    bottom: Floats


class Mouth:
    """Prepared parts of one face's mouth; shared by all calls, never written after it is made."""

    def __init__(self, portrait: Portrait) -> None:
        geometry = portrait.geometry
        self._eyes_px = geometry.eyes_px
        upper, lower = (_evenly(np.array(curve, np.float32)) for curve in (geometry.lips.upper, geometry.lips.lower))
        self.edges: Floats = np.stack([upper, lower])
        """float32[2, N, 2]: both lips' edges in the photo."""
        box = geometry.face
        origin = np.array([box.x, box.y], np.float32)
        cells = ((self.edges - origin) / STEP - 0.5).astype(np.float32)
        moves = [
            [cv2.remap(field, cells[side][None], None, cv2.INTER_LINEAR)[0] for side, field in enumerate(fields)]
            for fields in portrait.fields
        ]
        self.moves: Floats = np.asarray(moves, np.float32)
        """float32[53, 2, N, 2]: how each unit moves the edges."""
        middle = (upper[0] + upper[-1] + lower[0] + lower[-1]) / 4
        sealed = self.edges + self.moves[SEAL]
        line = sealed[:, COLUMNS // 2].mean(0)
        roll = np.deg2rad(geometry.roll_deg)
        self._axes = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]], np.float32)
        self.mm = geometry.eyes_px / teeth.EYES_MM
        """Frame pixels per millimetre."""
        self._teeth = teeth.draw(self.mm * SUPERSAMPLING, geometry.light.white, geometry.light.blur_px)
        # The teeth hang where the lips meet, in the middle of the mouth.
        self._origin = np.array([middle[0], line[1]], np.float32) + teeth.EDGE_MM * self.mm * self._axes[1]
        self._cavity = (teeth.CAVITY * np.array(geometry.light.white)).astype(np.float32)
        self._own = _photo_inside(portrait.person, self.edges, geometry.eyes_px) if geometry.lips.open else None

    def fill(
        self, shape: tuple[int, int], skull: Floats, opening: tuple[Floats, ...], weights: Floats, tip: float
    ) -> Floats:
        """The inside of the mouth, float32[h, w, 3] BGR 0 to 255, for a box of the frame.

        `skull` float32[h, w, 2] says where in the photo each pixel of the box lies on the head; `opening` has rows of
        the box above and below every pixel's column (top, bottom) and how far along the mouth that column is (0 to 1);
        `tip` is how far the tongue is raised, 0 to 1.
        """
        height, width = shape
        top, bottom, along = opening
        jaw = self._eyes_px * np.array(
            [JAW_ASIDE * (weights[_JAW_LEFT] - weights[_JAW_RIGHT]), JAW_DROP * weights[_JAW_OPEN]], np.float32
        )
        rounded = min(float(weights[_FUNNEL] + weights[_PUCKER]), 1.0)
        recess = np.array([0, ROUND_RECESS_MM * self.mm * rounded], np.float32)
        plane = (skull - self._origin) @ self._axes.T
        inside = np.broadcast_to(self._cavity, (height, width, 3)).copy()
        lower = plane - jaw + np.array([0, 1.2 * self.mm], np.float32) - recess
        inside = self._laid(self._teeth.jaw, lower, inside)
        if tip > 0.03:
            # It lifts off the jaw until it lies against the upper teeth.
            raised = lower + min(tip * 1.1, 1.0) * (plane - lower)
            inside = self._laid(self._teeth.tip, raised, inside, min(1.0, tip / 0.35))
        inside = self._laid(self._teeth.upper, plane + 0.5 * recess, inside)
        if self._own is not None:
            inside = self._laid_own(skull, inside)
        rows = np.arange(height, dtype=np.float32)[:, None]
        # Lips and cheeks throw shadows on what lies behind them.
        under_lip = np.clip((rows - top) / (3.5 * self.mm), 0, 1)
        over_lip = np.clip((bottom - rows) / (2.0 * self.mm), 0, 1)
        from_corner = np.clip(np.minimum(along, 1 - along) / 0.22, 0, 1)
        shade = (0.62 + 0.38 * under_lip) * (0.75 + 0.25 * over_lip) * (0.5 + 0.5 * from_corner) * (1 - 0.35 * rounded)
        return np.asarray(inside * shade[..., None], np.float32)

    def _laid(self, picture: Floats, plane: Floats, under: Floats, opacity: float = 1.0) -> Floats:
        """A picture of `teeth` at positions of the mouth's plane (frame pixels), over what is there."""
        places = plane * SUPERSAMPLING + (np.array(self._teeth.origin, np.float32) - 0.5)
        found = cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) * opacity
        return np.asarray(found[..., :3] * 255 + under * (1 - found[..., 3:]), np.float32)

    def _laid_own(self, skull: Floats, under: Floats) -> Floats:
        assert self._own is not None
        picture, corner = self._own
        places = (skull + 0.5) * SUPERSAMPLING - 0.5 - corner
        found = cv2.remap(picture, places.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(found[..., :3] + under * (1 - found[..., 3:]), np.float32)


def _evenly(curve: Floats) -> Floats:
    """The curve at `COLUMNS` columns from its first to its last point."""
    x = np.linspace(curve[0, 0], curve[-1, 0], COLUMNS)
    order = np.argsort(curve[:, 0])
    rows = np.interp(x, curve[order, 0], curve[order, 1])
    smooth = np.convolve(np.pad(rows, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    smooth[[0, -1]] = rows[[0, -1]]
    return np.stack([x, smooth], 1).astype(np.float32)


def _photo_inside(person: Picture, edges: Floats, eyes_px: float) -> tuple[Floats, Floats]:
    """What the photo shows between the lips: float32[h, w, 4], BGR times opacity, and its corner on the canvas."""
    outline = (np.concatenate([edges[0], edges[1][::-1]]) + 0.5) * SUPERSAMPLING - 0.5
    low, high = np.floor(outline.min(0)).astype(int) - 4, np.ceil(outline.max(0)).astype(int) + 5
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(mask, [np.round((outline - low) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    feather = max(eyes_px * SUPERSAMPLING * 0.006, 0.8)
    opacity = cv2.GaussianBlur(cv2.erode(mask, np.ones((3, 3), np.uint8)), (0, 0), feather).astype(np.float32) / 255
    picture = person[low[1] : high[1], low[0] : high[0], :3].astype(np.float32)
    return np.dstack([picture * opacity[..., None], opacity]), low.astype(np.float32)
