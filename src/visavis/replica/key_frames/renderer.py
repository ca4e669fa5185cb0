"""A face drawn from key pictures: the mouth is mixed, the lids are laid in, and the whole person is moved as one.

The person is kept on a canvas of twice the frame's size, so that moving her by parts of a pixel neither blurs her nor
makes her sharpness pulse. One displacement of the canvas carries sway, nods, breathing and brows; the room behind
stands still.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.replica import Attitude, Background, Frame
from visavis.replica.articulated import ArticulatedRenderer, Relaxing, Shape
from visavis.replica.bundle import Picture
from visavis.replica.canvas import lay_before, pixel_grid, reachable_parts
from visavis.replica.key_frames.arrays import Floats, KeyFrames
from visavis.replica.key_frames.mouth import Mouth, prepare
from visavis.replica.key_frames.weights import key_weights
from visavis.replica.life import Pose
from visavis.replica.motion import Articulation

SHOULDER_RISE_PX = 1.3
SHOULDER_SPREAD = 0.0035
"""How far a full breath lifts the shoulders (frame pixels) and widens them (share of the distance from the middle)."""


class Face:
    """The loaded parts of a bundle with all that its renderers share; never written after it is made."""

    def __init__(self, keys: KeyFrames) -> None:
        self.keys = keys
        self.mouth: Mouth = prepare(keys)
        self.warp = _WarpFields(keys)
        self.names = keys.geometry.mouth.names
        eyes = keys.geometry.eyes.box
        self.rest_eyes: Picture = keys.person[eyes.slices][..., :3].copy()
        aperture = keys.eye_aperture.astype(np.float32) / 255 * keys.geometry.supersampling
        self.gaze_fields = np.dstack([aperture, aperture])
        self.eyes_grid = pixel_grid(eyes.height, eyes.width)
        self.eyeballs = _boxes(keys.eye_aperture)

    def weights(self, articulation: Articulation) -> Floats:
        """Key weights float32[K] of an articulation."""
        named = key_weights(articulation.parameters)
        return np.array([named.get(name, 0.0) for name in self.names], np.float32)


class KeyFrameRenderer(ArticulatedRenderer):
    """One face in one call; the `visavis.replica.Renderer` of key-frame replicas.

    `seed` fixes when it blinks and how it sways; by default that differs from call to call.
    """

    def __init__(self, face: Face, background: Background | None = None, seed: int | None = None) -> None:
        super().__init__(seed)
        self._face = face
        self.size: tuple[int, int] = face.keys.size
        self._room = background.filling(self.size) if background else face.keys.room
        self._canvas = face.keys.person.copy()
        rest = np.zeros(len(face.names), np.float32)
        rest[0] = 1
        self._mouth = Relaxing(rest, _weights_sum_to_one)
        self._smile = face.names.index("smile") if "smile" in face.names else None
        self._drawn_mouth: Floats | None = None
        self._drawn_eyes: tuple[int, float, float] | None = None

    def render(self, motion: Articulation | None, attitude: Attitude) -> Frame:
        """The next frame, uint8[H, W, 3], BGR; `motion` is None while the replica is silent."""
        pose = self._life.step(attitude, motion.loudness if motion else 0.0)
        self._draw_mouth(self._mouth.next(self._face.weights(motion) if motion else None), pose.smile)
        self._draw_eyes(pose)
        return self._face.warp.draw(self._canvas, pose, self._room)

    def _draw_mouth(self, weights: Floats, smile: float) -> None:
        if self._smile is not None:
            weights = weights * (1 - smile)
            weights[self._smile] += smile
        weights = np.asarray(np.round(weights * 400) / 400, np.float32)
        if self._drawn_mouth is None or not np.array_equal(weights, self._drawn_mouth):
            _paint(self._canvas[self._face.keys.geometry.mouth.box.slices], self._face.mouth.picture(weights))
            self._drawn_mouth = weights

    def _draw_eyes(self, pose: Pose) -> None:
        levels = self._face.keys.geometry.eyes.levels
        closest = int(np.argmin([abs(level - pose.lids) for level in (0.0, *levels)]))
        state = (closest, round(pose.gaze_x, 1), round(pose.gaze_y, 1))
        if state == self._drawn_eyes:
            return
        eyes = self._face.keys.eye_levels[closest - 1] if closest else self._face.rest_eyes
        gaze = np.array([pose.gaze_x, pose.gaze_y], np.float32)
        region = self._canvas[self._face.keys.geometry.eyes.box.slices]
        if self._drawn_eyes is None or closest != self._drawn_eyes[0]:
            _paint(region, eyes)
        for part in self._face.eyeballs:
            looking = self._face.eyes_grid[part] - self._face.gaze_fields[part] * gaze
            _paint(region[part], cv2.remap(eyes, looking, None, cv2.INTER_LINEAR))
        self._drawn_eyes = state


class _WarpFields:
    """How every part of the picture moves with each part of a pose: float32[P, n, n, 2], frame pixels per unit."""

    def __init__(self, keys: KeyFrames) -> None:
        width, height = keys.size
        cells = keys.depth.shape
        x, y = np.meshgrid(
            (np.arange(cells[1], dtype=np.float32) + 0.5) * width / cells[1],
            (np.arange(cells[0], dtype=np.float32) + 0.5) * height / cells[0],
        )
        pivot_x, pivot_y = keys.geometry.head.pivot
        top, bottom = keys.geometry.head.neck_rows
        head = 1 - _smoothstep((y - top) / (bottom - top))
        body = 1 - head
        none = np.zeros_like(head)
        radian = np.pi / 180
        brows = cv2.resize(keys.brows, (cells[1], cells[0]), interpolation=cv2.INTER_LINEAR)
        self._fields = np.stack(
            [
                np.dstack([keys.depth * head, none]) * radian,
                np.dstack([none, keys.depth * head]) * radian,
                np.dstack([-(y - pivot_y) * head, (x - pivot_x) * head]) * radian,
                np.dstack([head, none]),
                np.dstack([none, head]),
                np.dstack([SHOULDER_SPREAD * (x - pivot_x) * body, -SHOULDER_RISE_PX * (0.35 + 0.65 * body)]),
                brows,
            ]
        ).astype(np.float32)
        self._size = (width, height)
        scale = keys.geometry.supersampling
        self._scale = scale
        grid = pixel_grid(height, width) * scale + (scale - 1) / 2
        opacity = cv2.resize(keys.person[..., 3], self._size, interpolation=cv2.INTER_AREA)
        self._parts = [(part, grid[part].copy()) for part in reachable_parts(np.asarray(opacity, np.uint8))]

    def draw(self, canvas: Picture, pose: Pose, room: Picture) -> Frame:
        """A fresh frame uint8[H, W, 3]: the person on the canvas in the given pose, before `room` uint8[H, W, 3]."""
        amounts = np.array(
            [pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.shift_x, pose.shift_y, pose.breath, pose.brows],
            np.float32,
        )
        field = np.tensordot(amounts * -self._scale, self._fields, 1)
        source = cv2.resize(field, self._size, interpolation=cv2.INTER_LINEAR)
        frame = room.copy()
        for part, grid in self._parts:
            source[part] += grid
            person = cv2.remap(canvas, source[part], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            lay_before(frame, part, np.asarray(person, np.uint8))
        return frame


def _weights_sum_to_one(weights: Shape) -> Shape:
    positive = np.maximum(weights, 0)
    return np.asarray(positive / positive.sum())


def _paint(region: Picture, picture: Picture) -> None:
    """Replace the colours of a region uint8[h, w, 4], not its opacity."""
    cv2.mixChannels([picture], [region], [0, 0, 1, 1, 2, 2])


def _boxes(mask: Picture) -> list[tuple[slice, slice]]:
    """The boxes around the separate parts of a mask."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8))
    return [(slice(y, y + height), slice(x, x + width)) for x, y, width, height, _ in stats[1:count].tolist()]


def _smoothstep(value: NDArray[np.float32]) -> NDArray[np.float32]:
    clipped = np.clip(value, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), np.float32)
