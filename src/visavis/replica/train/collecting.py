"""One more pass over the film: the pixels that the replica is made of."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visavis.replica import Frame
from visavis.replica.patches.contents import Loop, Mouths
from visavis.replica.patches.geometry import Floats, moved, smoothed
from visavis.replica.patches.jpegs import Jpegs, joined, pack, packed
from visavis.replica.patches.points import RIM
from visavis.replica.train import Report
from visavis.replica.train.anatomy import FRAME_SIDE, Anatomy
from visavis.replica.train.film import Film, pictures
from visavis.replica.train.idle import Step, draw_loop, mixed
from visavis.replica.train.mouths import (
    QUALITY,
    Region,
    canonical_points,
    colours,
    cut,
    look,
    look_components,
    outer_edges,
    steady_controls,
    warped,
)
from visavis.replica.train.stages import share_of
from visavis.replica.train.tracking import Track

LOOP_QUALITY = 92

STEADY = (1, 2, 3, 4, 3, 2, 1)


@dataclass(frozen=True, slots=True)
class Collected:
    """Pictures and what belongs to them."""

    region: Region
    loop: Loop
    mouths: Mouths


def collect(
    film: Film,
    span: tuple[float, float],
    track: Track,
    anatomy: Anatomy,
    shots: list[slice],
    steps: list[Step],
    moments: NDArray[np.intp],
    region: Region,
    folder: Path,
    report: Report,
) -> Collected:
    """Cut mouths at `moments`, and draw the loop of `steps`."""
    kept = folder / "pictures.npz"
    if not kept.is_file():
        _cut_all(film, span, track, anatomy, steps, moments, region, kept, report)
    report(share_of("mouths", 1))
    to_frame = anatomy.crop.to_frame()
    controls = steady_controls(anatomy, shots)
    with np.load(kept) as stored:
        mouths = Mouths(
            Jpegs(stored["mouths"].tobytes(), stored["mouth_ends"]),
            anatomy.lips[moments],
            controls[moments] - region.corner,
            look_components(stored["looks"]),
            _steady_in_runs(stored["mouth_rim"], moments),
            np.r_[False, np.diff(moments) == 1] & np.array([_one_shot(shots, int(moment)) for moment in moments]),
        )
        frames = Jpegs(stored["loop"].tobytes(), stored["loop_ends"])
        loop_rim = _round(stored["loop_rim"])
    placement = np.stack([_composed(to_frame, one) for one in anatomy.placement])
    in_frame = np.stack([moved(controls[t], placement[t]) for t in range(len(controls))])
    loop = Loop(
        frames,
        _round(mixed(placement, steps)),
        _round(mixed(anatomy.pose, steps)),
        _round(mixed(anatomy.lips, steps)),
        _round(mixed(in_frame, steps)),
        loop_rim,
    )
    return Collected(region, loop, mouths)


def _cut_all(
    film: Film,
    span: tuple[float, float],
    track: Track,
    anatomy: Anatomy,
    steps: list[Step],
    moments: NDArray[np.intp],
    region: Region,
    kept: Path,
    report: Report,
) -> None:
    wanted = set(moments.tolist())
    calm = {number for step in steps for number in (step.picture, step.towards) if number is not None}
    to_film = _inverse_of_crop(anatomy)
    mouths: list[bytes] = []
    rims, looks = [], []
    frames: dict[int, Frame] = {}
    for number, picture in enumerate(pictures(film, *span)):
        if number in wanted:
            mouth = cut(picture, anatomy.placement[number], region)
            points = canonical_points(track, anatomy, number) - region.corner
            mouths.append(packed(mouth, QUALITY))
            rims.append(colours(mouth, points[list(RIM)]))
            looks.append(look(mouth, outer_edges(points)))
        if number in calm:
            frames[number] = warped(picture, to_film, np.zeros(2, np.float32), (FRAME_SIDE, FRAME_SIDE))
        report(share_of("mouths", 0.9 * number / len(track.seen)))
    rim_points = mixed(moved(track.points[:, list(RIM), :2], anatomy.crop.to_frame()), steps)
    loop: list[Frame] = list(draw_loop(steps, frames))
    loop_rim = np.stack([colours(frame, points) for frame, points in zip(loop, rim_points, strict=True)])
    all_mouths, all_frames = joined(mouths), pack(loop, LOOP_QUALITY)
    unfinished = kept.with_suffix(".unfinished.npz")
    np.savez(
        unfinished,
        mouths=np.frombuffer(all_mouths.data, np.uint8),
        mouth_ends=all_mouths.ends,
        mouth_rim=np.stack(rims),
        looks=np.stack(looks),
        loop=np.frombuffer(all_frames.data, np.uint8),
        loop_ends=all_frames.ends,
        loop_rim=loop_rim,
    )
    unfinished.replace(kept)


def _inverse_of_crop(anatomy: Anatomy) -> Floats:
    crop = anatomy.crop
    return np.array([[1 / crop.scale, 0, crop.left], [0, 1 / crop.scale, crop.top]], np.float32)


def _composed(after: Floats, before: Floats) -> Floats:
    """The transform that does `before` and then `after`, each float32[2, 3]."""
    linear = after[:, :2] @ before[:, :2]
    return np.concatenate([linear, (after[:, :2] @ before[:, 2] + after[:, 2])[:, None]], 1).astype(np.float32)


def _round(values: Floats) -> Floats:
    """Values of the loop smoothed over time, across its end."""
    reach = len(STEADY) // 2
    around = np.concatenate([values[-reach:], values, values[:reach]])
    return smoothed(around, STEADY)[reach:-reach]


def _steady_in_runs(values: Floats, moments: NDArray[np.intp]) -> Floats:
    edges = [0, *(np.nonzero(np.diff(moments) != 1)[0] + 1).tolist(), len(moments)]
    runs = [values[first:last] for first, last in pairwise(edges)]
    return np.concatenate([smoothed(run, (1, 2, 3, 2, 1)) for run in runs])


def _one_shot(shots: list[slice], number: int) -> bool:
    """Whether the picture before belongs to the same shot."""
    return any(shot.start < number < shot.stop for shot in shots)
