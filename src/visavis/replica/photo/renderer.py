"""One photo that lives: skin moved by ARKit's units, lids and irises, an inside of the mouth, a head that turns.

Every frame is one displacement of the person on the canvas, which is twice the frame's size so that moving by parts of
a pixel neither blurs nor pulses. The displacement is put together from coarse fields (skin, then head) before it is
enlarged; only the opening of the mouth is drawn in layers.
"""

import cv2
import numpy as np

from visavis.faces.points import ARKIT_NAMES
from visavis.replica import Attitude, Background, Frame
from visavis.replica.arkit import Weights, added, emotion_weights, mouth_weights, pose_weights
from visavis.replica.articulated import ArticulatedRenderer, Relaxing
from visavis.replica.bundle import Picture
from visavis.replica.canvas import lay_before, pixel_grid, reachable_parts
from visavis.replica.life import Pose
from visavis.replica.motion import Articulation
from visavis.replica.photo.contents import SEAL, STEP, SUPERSAMPLING, Floats, Portrait
from visavis.replica.photo.eyes import EyePainter
from visavis.replica.photo.mouth import COLUMNS, MARGIN_PX, Mouth, Opening
from visavis.replica.photo.pose import PoseFields
from visavis.replica.visemes import PARAMETERS, TONGUE

_FROM_CORNER = np.minimum(np.minimum(np.arange(COLUMNS), np.arange(COLUMNS)[::-1]) / 5, 1)
_CORNERS = np.sqrt(1 - (1 - _FROM_CORNER) ** 2).astype(np.float32)
"""The lips' edges meet in the corners of the mouth."""

_SMALLEST_AMOUNT = 0.004
_COARSE = 8
"""Frame pixels between the rows and columns at which it is judged what the person can reach."""

_INVERSION_STEPS = 5
"""Fixed-point steps from forward to backward displacement."""

_FUNNEL, _PUCKER = (ARKIT_NAMES.index(name) for name in ("mouthFunnel", "mouthPucker"))
_BLINKS = tuple(ARKIT_NAMES.index(name) for name in ("eyeBlinkRight", "eyeBlinkLeft"))


class Face:
    """A loaded photo with all that its renderers share; never written after it is made."""

    def __init__(self, portrait: Portrait) -> None:
        self.portrait = portrait
        width, height = portrait.size
        self.mouth = Mouth(portrait)
        self.pose = PoseFields(portrait)
        eyes_px = portrait.geometry.eyes_px
        self.eyes = tuple(EyePainter(eye, portrait.person, eyes_px) for eye in portrait.geometry.eyes)
        self.units: Floats = portrait.fields.reshape(SEAL + 1, -1) / np.float32(STEP)
        """float32[53, ...], cells."""
        self.calm = np.zeros(SEAL + 1, np.float32)
        for name, weight in portrait.geometry.calm.items():
            self.calm[ARKIT_NAMES.index(name)] = weight
        self.grid = on_canvas(pixel_grid(height, width))
        """float32[H, W, 2]: where every frame pixel lies on the canvas."""
        small = cv2.resize(portrait.person[..., 3], (width // _COARSE, height // _COARSE), interpolation=cv2.INTER_AREA)
        self.parts = [(part, self.grid[part].copy()) for part in reachable_parts(np.asarray(small, np.uint8), _COARSE)]

    def skin(self, amounts: Floats) -> Floats:
        """float32[2, h, w, 2]: how far the skin above and below the lips moves, cells, with these units."""
        box = self.portrait.geometry.face
        moved = np.zeros(self.units.shape[1], np.float32)
        for unit in np.flatnonzero(np.abs(amounts) > _SMALLEST_AMOUNT):
            cv2.scaleAdd(self.units[unit], float(amounts[unit]), moved, dst=moved)
        return moved.reshape(2, box.height // STEP, box.width // STEP, 2)


class PhotoRenderer(ArticulatedRenderer):
    """One face in one call; the `visavis.replica.Renderer` of replicas made from a photo.

    `seed` fixes when it blinks and how it sways; by default that differs from call to call.
    """

    def __init__(self, face: Face, background: Background | None = None, seed: int | None = None) -> None:
        super().__init__(seed)
        self._face = face
        self.size: tuple[int, int] = face.portrait.size
        self._room = background.filling(self.size) if background else face.portrait.room
        self._canvas = face.portrait.person.copy()
        self._articulators = Relaxing(np.zeros(PARAMETERS), lambda parameters: np.clip(parameters, 0, 1))
        self._drawn_eyes: list[tuple[float, float, float] | None] = [None, None]

    def render(self, motion: Articulation | None, attitude: Attitude) -> Frame:
        """The next frame, uint8[H, W, 3], BGR; `motion` is None while the replica is silent."""
        pose = self._life.step(attitude, motion.loudness if motion else 0.0)
        parameters = np.asarray(self._articulators.next(motion.parameters if motion else None), np.float64)
        weights = added(mouth_weights(parameters), pose_weights(pose), emotion_weights(self._life.emotion))
        return self.draw(weights, pose, float(parameters[TONGUE]))

    def draw(self, weights: Weights, pose: Pose, tongue: float = 0.0) -> Frame:
        """A frame of ARKit weights float32[52], the head's pose and gaze, and how far the tongue's tip is raised."""
        for side, blink in enumerate(_BLINKS):
            self._paint_eye(side, float(weights[blink]), (pose.gaze_x, pose.gaze_y))
        rounded = min(float(weights[_FUNNEL] + weights[_PUCKER]), 1.0)
        amounts = self._face.calm * (1 + rounded)
        amounts[:SEAL] += weights
        amounts[list(_BLINKS)] = 0
        amounts[SEAL] = 1
        return self._composed(amounts, pose, tongue)

    def _paint_eye(self, side: int, closed: float, gaze: tuple[float, float]) -> None:
        state = (round(closed, 2), round(gaze[0], 1), round(gaze[1], 1))
        if state != self._drawn_eyes[side]:
            self._face.eyes[side].paint(self._canvas, state[0], state[1:])
            self._drawn_eyes[side] = state

    def _composed(self, amounts: Floats, pose: Pose, tongue: float) -> Frame:
        face, portrait = self._face, self._face.portrait
        box = portrait.geometry.face
        on_frame, on_face = face.pose.of(pose)
        source = cv2.resize(on_frame * SUPERSAMPLING, self.size, interpolation=cv2.INTER_LINEAR)
        upper, lower = (
            cv2.resize(
                _after(_inverted(field), on_face) * SUPERSAMPLING,
                (box.width, box.height),
                interpolation=cv2.INTER_LINEAR,
            )
            for field in face.skin(amounts)
        )
        opening = self._opening(amounts, on_frame)
        band = _band(opening, box.slices)
        skull = off_canvas(source[band] + face.grid[band])
        seam = int(opening.top[[0, -1]].mean())
        split = min(max(seam - box.y, 0), box.height)
        rows, columns = box.slices
        source[rows.start : rows.start + split, columns] = upper[:split]
        source[rows.start + split : rows.stop, columns] = lower[split:]
        frame = self._room.copy()
        for part, grid in face.parts:
            source[part] += grid
            lay_before(frame, part, self._seen(source[part]))
        within = (
            slice(band[0].start - rows.start, band[0].stop - rows.start),
            slice(band[1].start - columns.start, band[1].stop - columns.start),
        )
        grid = face.grid[band]
        layers = [cv2.cvtColor(self._seen(side[within] + grid), cv2.COLOR_BGRA2BGR) for side in (upper, lower)]
        frame[band] = self._mouth(layers, band, skull, opening, amounts, tongue)
        return frame

    def _seen(self, places: Floats) -> Picture:
        """The canvas at positions float32[h, w, 2] on it."""
        return np.asarray(cv2.remap(self._canvas, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))

    def _opening(self, amounts: Floats, on_frame: Floats) -> Opening:
        mouth = self._face.mouth
        edges = mouth.edges + np.tensordot(amounts, mouth.moves, 1)
        top, bottom = (self._face.pose.carried(edge, on_frame) for edge in edges)
        x = (top[:, 0] + bottom[:, 0]) / 2
        middle = (top[:, 1] + bottom[:, 1]) / 2
        half = np.asarray(np.maximum(bottom[:, 1] - top[:, 1], 0) / 2 * _CORNERS, np.float32)
        return Opening(*(np.asarray(values, np.float32) for values in (x, middle - half, middle + half)))

    def _mouth(
        self,
        layers: list[Picture],
        band: tuple[slice, slice],
        skull: Floats,
        opening: Opening,
        amounts: Floats,
        tongue: float,
    ) -> Picture:
        """The band of the frame around the lips: skin above, inside, skin below."""
        columns = np.arange(band[1].start, band[1].stop, dtype=np.float32)
        first = band[0].start
        top, bottom = (
            np.interp(columns, opening.x, edge).astype(np.float32) - first for edge in (opening.top, opening.bottom)
        )
        rows = np.arange(band[0].stop - first, dtype=np.float32)[:, None]
        over = np.clip(top - rows + 0.5, 0, 1)
        under = np.clip(rows - bottom + 0.5, 0, 1)
        upper, lower = layers
        if float((bottom - top).max()) > 0.5:
            along = np.clip((columns - opening.x[0]) / max(float(opening.x[-1] - opening.x[0]), 1e-3), 0, 1)
            shape = (len(rows), len(columns))
            inside = self._face.mouth.fill(shape, skull, (top, bottom, along), amounts, tongue)
            lower = np.asarray(cv2.blendLinear(np.clip(inside, 0, 255).astype(np.uint8), lower, 1 - under, under))
        return np.asarray(cv2.blendLinear(lower, upper, 1 - over, over))


def _band(opening: Opening, box: tuple[slice, slice]) -> tuple[slice, slice]:
    """Rows and columns around the lips, within the face's box."""
    rows, columns = box
    top, bottom = int(opening.top.min()) - MARGIN_PX, int(np.ceil(opening.bottom.max())) + MARGIN_PX
    left, right = int(opening.x.min()) - MARGIN_PX, int(np.ceil(opening.x.max())) + MARGIN_PX
    return (
        slice(max(top, rows.start), max(min(bottom, rows.stop), max(top, rows.start) + 1)),
        slice(max(left, columns.start), max(min(right, columns.stop), max(left, columns.start) + 1)),
    )


def _inverted(field: Floats) -> Floats:
    """Backward displacement b (frame pixels) of a forward displacement f (cells): b(y) = -f(y + b(y))."""
    grid = pixel_grid(*field.shape[:2])
    back = -field
    for _ in range(_INVERSION_STEPS):
        back = -cv2.remap(field, grid + back, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(back * STEP, np.float32)


def _after(skin: Floats, head: Floats) -> Floats:
    """First the head's, then the skin's backward displacement, both float32[h, w, 2] in frame pixels."""
    places = pixel_grid(*skin.shape[:2]) + head / STEP
    return np.asarray(head + cv2.remap(skin, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def on_canvas(places: Floats) -> Floats:
    """From frame to canvas pixels, both counted from the middle of the upper left pixel."""
    return np.asarray(places * SUPERSAMPLING + (SUPERSAMPLING - 1) / 2, np.float32)


def off_canvas(places: Floats) -> Floats:
    """From canvas to frame pixels."""
    return np.asarray((places - (SUPERSAMPLING - 1) / 2) / SUPERSAMPLING, np.float32)
