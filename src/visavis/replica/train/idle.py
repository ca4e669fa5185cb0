"""The calm moments that play while nobody speaks, joined to a loop without a visible seam.

Long recordings of a listener have one calm stretch; others have many short ones between sentences. Either way the
loop is a round trip through stretches, some of them backwards, and wherever one ends in another the pictures are moved
into each other along their optical flow (Kroeger et al. 2016), as in video textures (Schödl et al. 2000).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.faces.points import LEFT_LOWER_LID, LEFT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_UPPER_LID
from visavis.replica import FPS, Frame
from visavis.replica.patches.geometry import Floats, smoothed
from visavis.replica.train import TrainingError
from visavis.replica.train.anatomy import Anatomy
from visavis.replica.train.tracking import Track

LONGEST = 10 * FPS
SEAM = 8
"""Pictures over which one stretch turns into another."""

SHORTEST_STRETCH = 2 * SEAM + 2
FEWEST = 2 * FPS

CALM_PERCENTILES = (12, 20, 30, 42, 55)
"""How many of the most closed pictures count as calm; the later ones are tried when there are too few."""

FASTEST_PX = 2.0
"""Frame pixels that a calm head moves between two pictures; more where there is little to choose from."""

MARGIN = 2


@dataclass(frozen=True, slots=True)
class Step:
    """One picture of the loop: a picture of the film, or one on its way to another."""

    picture: int
    towards: int | None = None
    share: float = 0.0
    """How much of `towards`, 0 to 1."""


def choose_loop(track: Track, anatomy: Anatomy, shots: list[slice], rest: Floats) -> list[Step]:
    """The pictures of the loop, in order; the first follows the last. Raises `TrainingError` without calm moments."""
    for percentile in CALM_PERCENTILES:
        stretches = _calm(track, anatomy, shots, rest, percentile)
        if sum(last - first for first, last in stretches) >= FEWEST:
            return _joined(_tour(stretches, _appearance(track, anatomy)))
    text = "The mouth is never at rest for a second; expected some moments of listening with the lips closed."
    raise TrainingError("other_quality_issue", text)


def draw_loop(steps: Sequence[Step], frames: dict[int, Frame]) -> Iterator[Frame]:
    """The pictures of the loop from those of the film."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    for step in steps:
        if step.towards is None:
            yield frames[step.picture]
        else:
            yield _between(flow, frames[step.picture], frames[step.towards], step.share)


def mixed(values: Floats, steps: Sequence[Step]) -> Floats:
    """What was measured, float32[T, ...], for the pictures of the loop."""
    here = values[[step.picture for step in steps]]
    there = values[[step.picture if step.towards is None else step.towards for step in steps]]
    share = np.array([step.share for step in steps], np.float32).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(here + share * (there - here), np.float32)


def eyes_open(track: Track) -> Floats:
    """float32[T]: how far the lids are apart, relative to the eye's width."""
    gaps = []
    for upper, lower in ((RIGHT_UPPER_LID, RIGHT_LOWER_LID), (LEFT_UPPER_LID, LEFT_LOWER_LID)):
        lids = track.points[:, :, :2]
        apart = np.linalg.norm(lids[:, list(upper[2:-2])] - lids[:, list(lower[2:-2])], axis=-1).mean(1)
        wide = np.linalg.norm(lids[:, upper[0]] - lids[:, upper[-1]], axis=-1)
        gaps.append(apart / np.maximum(wide, 1e-6))
    return np.asarray(np.mean(gaps, axis=0), np.float32)


def _calm(track: Track, anatomy: Anatomy, shots: list[slice], rest: Floats, percentile: float) -> list[tuple[int, int]]:
    """Stretches (first, last + 1) with closed, still lips and a still head."""
    used = np.concatenate([np.arange(shot.start, shot.stop) for shot in shots])
    away = np.linalg.norm(anatomy.lips - rest, axis=1)
    still = np.r_[0, np.linalg.norm(np.diff(anatomy.lips, axis=0), axis=1)]
    moving = np.r_[0, np.abs(np.diff(anatomy.placement[:, :, 2], axis=0)).max(1)] * anatomy.crop.scale
    # Landmarks tremble; what counts is what lasts.
    opening, away, still = (smoothed(values, (1, 2, 3, 2, 1)) for values in (track.opening, away, still))
    calm = (
        (opening <= np.percentile(opening[used], percentile) + 0.006)
        & (away <= np.percentile(away[used], percentile + 15))
        & (still <= np.percentile(still[used], min(60 + percentile, 95)))
        & (moving < FASTEST_PX * (1 + percentile / 30))
    )
    stretches = []
    for shot in shots:
        edges = np.diff(np.r_[0, _closed_gaps(calm[shot]).astype(np.int8), 0])
        for first, last in zip(np.nonzero(edges == 1)[0], np.nonzero(edges == -1)[0], strict=True):
            begin, end = shot.start + int(first), shot.start + int(last)
            begin, end = begin + (MARGIN if first > 0 else 0), end - (MARGIN if last < shot.stop - shot.start else 0)
            if end - begin >= SHORTEST_STRETCH:
                stretches.append((begin, end))
    return sorted(stretches, key=lambda stretch: stretch[0] - stretch[1])


def _closed_gaps(calm: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Single pictures that seem restless among calm ones are noise."""
    padded = np.r_[False, calm, False]
    return np.asarray(calm | (padded[:-2] & padded[2:]))


def _appearance(track: Track, anatomy: Anatomy) -> Floats:
    """What two pictures must share to be joined: place, turn, lips, lids and light, in pixels of the frame or so."""
    place = (anatomy.placement[:, :, 2] * anatomy.crop.scale).astype(np.float32)
    tilt = anatomy.placement[:, 1, :1] / anatomy.placement[:, 0, :1] * 150
    lids = eyes_open(track)[:, None] * 60
    light = track.small.reshape(len(track.small), -1) * (3 / np.sqrt(track.small[0].size))
    return np.concatenate([place, tilt, anatomy.pose * 2, anatomy.lips * 0.2, lids, light], 1).astype(np.float32)


def _tour(stretches: list[tuple[int, int]], look: Floats) -> list[list[int]]:
    """An order of stretches, each as its pictures forwards or backwards, so that each begins like the last ended."""
    if stretches[0][1] - stretches[0][0] >= 3 * FPS:
        return [_best_round(stretches[0], look)]
    median = np.median(look[[first for first, _ in stretches]], axis=0)
    usual = sorted(stretches, key=lambda s: float(np.linalg.norm(look[s[0]] - median)) / (s[1] - s[0]))
    left, total = [], 0
    for first, last in usual:
        if total < LONGEST:
            left.append(list(range(first, last)))
            total += last - first - SEAM
    tour = [left.pop(0)]
    while left:
        ways = [
            (float(np.linalg.norm(look[way[0]] - look[tour[-1][-1]])), index, way)
            for index, pictures in enumerate(left)
            for way in (pictures, pictures[::-1])
        ]
        _, index, way = min(ways, key=lambda found: found[0])
        tour.append(way)
        left.pop(index)
    # One stretch alone goes there and back.
    return tour if len(tour) > 1 else [tour[0], tour[0][::-1]]


def _best_round(stretch: tuple[int, int], look: Floats) -> list[int]:
    """The part of one long stretch whose end is most like its beginning."""
    first, last = stretch
    best, cut = np.inf, (first, min(last, first + LONGEST))
    for begin in range(first, last - 3 * FPS, 2):
        for end in range(min(begin + 3 * FPS, last), min(begin + LONGEST + SEAM, last) + 1, 2):
            ends, starts = look[end - SEAM : end], look[begin : begin + SEAM]
            cost = float(np.linalg.norm(ends - starts, axis=1).mean()) - 0.004 * (end - begin)
            if cost < best:
                best, cut = cost, (begin, end)
    return list(range(*cut))


def _joined(tour: list[list[int]]) -> list[Step]:
    """Steps through the tour; each stretch's last pictures turn into the next one's first."""
    steps: list[Step] = []
    for number, pictures in enumerate(tour):
        following = tour[(number + 1) % len(tour)]
        steps += [Step(picture) for picture in pictures[SEAM:-SEAM]]
        for place in range(SEAM):
            part = (place + 1) / (SEAM + 1)
            share = part * part * (3 - 2 * part)
            steps.append(Step(pictures[len(pictures) - SEAM + place], following[place], share))
    return steps


def _between(flow: "cv2.DISOpticalFlow", here: Frame, there: Frame, share: float) -> Frame:
    """A picture on the way from one to another."""
    greys = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in (here, there)]
    height, width = greys[0].shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    grid = np.dstack([x, y])
    parts = []
    for picture, pair, part in ((here, greys, share), (there, greys[::-1], 1 - share)):
        forward = cv2.GaussianBlur(flow.calc(pair[0], pair[1], None), (0, 0), 4)
        # Where a pixel comes from is about minus where it goes to.
        parts.append(cv2.remap(picture, grid - part * forward, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    return np.asarray(cv2.addWeighted(parts[0], 1 - share, parts[1], share, 0), np.uint8)
