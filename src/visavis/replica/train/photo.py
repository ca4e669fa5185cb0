"""A replica from one photo: checks, crop, person and room apart, and how this face's skin can move.

All of it takes a few seconds, so nothing needs to be kept in the training's folder.
"""

from pathlib import Path

import cv2
import numpy as np

from visavis.faces import PersonMask
from visavis.replica.bundle import THUMBNAIL, BundleWriter
from visavis.replica.consent import Consent
from visavis.replica.photo.contents import SUPERSAMPLING, Geometry, Head
from visavis.replica.photo.fields import depth_map, face_box, skin_fields
from visavis.replica.train import Progress, Report, Trained
from visavis.replica.train.photo_checks import Sitter, checked, opened
from visavis.replica.train.photo_crop import FRAME_PX, crop
from visavis.replica.train.photo_features import eyes, light, lips, smile_to_calm
from visavis.replica.train.photo_matte import parted

DEPTH_CELLS = 64

_NECK = (0.10, 0.85)
"""From where to where below the chin the neck passes the head's motion on, in distances of the eyes."""


def train(photo: Path, folder: Path, out: Path, *, name: str, consent: Consent, report: Report) -> Trained:
    """Make a replica of the person in a photo; see `visavis.replica.train.train_photo`."""
    report(Progress(0.0, "Opening the photo"))
    picture = opened(photo)
    report(Progress(0.1, "Looking for the face"))
    sitter, warnings = checked(picture)
    report(Progress(0.3, "Cutting out head and shoulders"))
    cut = crop(sitter)
    points, z, eyes_px = cut.points, cut.z, cut.eyes_px
    report(Progress(0.4, "Parting the person from the room"))
    person, room = parted(cut.canvas, PersonMask().of(cut.frame), cut.in_photo)
    report(Progress(0.6, "Working out how this face moves"))
    size = (FRAME_PX, FRAME_PX)
    box = face_box(points, size)
    lip_edges, mouth_points = lips(cut.canvas, points, eyes_px)
    roll = _roll(points)
    geometry = Geometry(
        face=box,
        eyes_px=eyes_px,
        roll_deg=float(np.rad2deg(roll)),
        head=_head(points, eyes_px),
        lips=lip_edges,
        eyes=eyes(points),
        light=light(cut.canvas, points, eyes_px, cut.scale),
        calm=smile_to_calm(sitter.landmarks),
    )
    fields = skin_fields(mouth_points, box, eyes_px, roll)
    depth = depth_map(points, z, size, DEPTH_CELLS, eyes_px)
    report(Progress(0.9, "Packing the replica"))
    with BundleWriter(out, name=name, renderer="photo", size=size, consent=consent) as writer:
        writer.json("photo.json", geometry)
        writer.picture("room.webp", room, quality=92)
        writer.picture("person.png", person)
        writer.array("face/fields.npy", fields.astype(np.float16))
        writer.array("head/depth.npy", depth.astype(np.float16))
        writer.picture(THUMBNAIL, np.asarray(cv2.resize(cut.frame, (256, 256), interpolation=cv2.INTER_AREA)), 88)
    report(Progress(1.0, "Ready"))
    return Trained(out, warnings, _figures(sitter, cut.scale))


def _roll(points: np.ndarray) -> float:
    """Radians that the face is turned clockwise."""
    across = points[263] - points[33]
    return float(np.arctan2(across[1], across[0]))


def _head(points: np.ndarray, eyes_px: float) -> Head:
    chin = float(points[152, 1])
    start, end = (min(chin + share * eyes_px, FRAME_PX + 60.0) for share in _NECK)
    return Head(pivot=(float(points[[234, 454], 0].mean()), min(end, FRAME_PX - 1.0)), neck_rows=(start, end))


def _figures(sitter: Sitter, scale: float) -> dict[str, float]:
    return {
        "eyes_distance_px": round(sitter.eyes_px, 1),
        "frame_px_per_photo_px": round(scale / SUPERSAMPLING, 3),
        "yaw_deg": round(sitter.yaw_deg, 1),
        "pitch_deg": round(sitter.pitch_deg, 1),
        "brightness": round(sitter.brightness, 1),
        "sharpness": round(sitter.sharpness, 3),
    }
