"""Which picture of the mouth is shown when: near the wanted lips, and near the one before.

`follow_whole` finds the best sequence for a clause (Viterbi, as in unit selection for speech: Hunt and Black 1996);
`Chooser` decides frame by frame when what comes is not known. Pictures that followed each other when they were filmed
follow each other for free.
"""

import numpy as np
from numpy.typing import NDArray

from visavis.replica.patches.contents import Lips, Mouths
from visavis.replica.patches.points import LOWER_MIDDLE, UPPER_MIDDLE

CANDIDATES = 24
JUMP = 0.3
"""What it costs, in pixels of a lip's displacement, to leave the order in which it was filmed."""

LOOKS = 0.35
"""How much another look between the lips counts in a jump, beside another shape."""

SHAPE = 0.15
"""How much another shape counts in a jump."""

ALIKE = 0.45
"""Looks nearer than this, of which all differ by about 1, are taken for the same."""

OPENING = 0.5
"""How much an error of the opening counts beside the root mean square error of all lip points."""

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]


class Index:
    """The mouths of one person, ready to be searched. Shared by calls, never written after it is made."""

    def __init__(self, mouths: Mouths, lips: Lips) -> None:
        count = lips.components.shape[1]
        opening = lips.components[:, LOWER_MIDDLE, 1] - lips.components[:, UPPER_MIDDLE, 1]
        # Distances of these codes are root mean square pixels of a point, and of the opening.
        self._to_code = np.concatenate(
            [np.eye(len(lips.components), dtype=np.float32) / np.sqrt(count), OPENING * opening[:, None]], 1
        ).astype(np.float32)
        self.codes = self.code(mouths.lips)
        self._square = (self.codes**2).sum(1)
        self.look = mouths.look * LOOKS
        self.next = np.where(np.r_[mouths.follows[1:], False], np.arange(len(mouths.lips)) + 1, -1)

    def differ(self, one: int, other: int) -> bool:
        """Whether one would be seen to jump to the other, lips being in the same place."""
        return bool(np.linalg.norm(self.look[one] - self.look[other]) > ALIKE * LOOKS)

    def code(self, lips: Floats) -> Floats:
        """float32[..., C] for lip components float32[..., K]."""
        return np.asarray(lips @ self._to_code, np.float32)

    def distances(self, wanted: Floats) -> Floats:
        """float32[T, N] for codes float32[T, C]."""
        square = (wanted**2).sum(1)[:, None] + self._square - 2 * wanted @ self.codes.T
        return np.asarray(np.sqrt(np.maximum(square, 0)), np.float32)

    def steps(self, before: Indices, after: Indices) -> Floats:
        """What going from each of `before` to each of `after` costs: float32[len(after), len(before)]."""
        shape = np.linalg.norm(self.codes[after][:, None] - self.codes[before][None], axis=-1)
        look = np.linalg.norm(self.look[after][:, None] - self.look[before][None], axis=-1)
        follows = self.next[before][None] == after[:, None]
        return np.where(follows, 0, JUMP + SHAPE * shape + look).astype(np.float32)


def follow_whole(index: Index, wanted: Floats) -> Indices:
    """The mouths for lips float32[T, K] of a whole clause, int[T]."""
    if not len(wanted):
        return np.zeros(0, np.intp)
    distances = index.distances(index.code(wanted))
    kept = min(CANDIDATES, distances.shape[1])
    nearest = np.argpartition(distances, kept - 1, axis=1)[:, :kept]
    candidates = [nearest[0]]
    for time in range(1, len(wanted)):
        following = index.next[candidates[-1]]
        following = following[following >= 0]
        following = following[distances[time, following].argsort()[:kept]]
        candidates.append(np.union1d(nearest[time], following))
    cost = distances[0, candidates[0]]
    origins: list[Indices] = []
    for time in range(1, len(wanted)):
        ways = cost + index.steps(candidates[time - 1], candidates[time])
        origin = ways.argmin(1)
        origins.append(origin)
        cost = ways[np.arange(len(origin)), origin] + distances[time, candidates[time]]
    place = int(cost.argmin())
    chosen = [int(candidates[-1][place])]
    for time in range(len(wanted) - 2, -1, -1):
        place = int(origins[time][place])
        chosen.append(int(candidates[time][place]))
    return np.array(chosen[::-1], np.intp)


class Chooser:
    """Chooses mouth after mouth; remembers the last."""

    def __init__(self, index: Index, last: int | None = None) -> None:
        self._index = index
        self.last = last

    def next(self, wanted: Floats) -> int:
        """The mouth for lips float32[K]."""
        distances = self._index.distances(self._index.code(wanted)[None])[0]
        if self.last is not None:
            kept = min(CANDIDATES, len(distances))
            nearest = np.argpartition(distances, kept - 1)[:kept]
            following = int(self._index.next[self.last])
            options = np.append(nearest, following if following >= 0 else self.last)
            steps = self._index.steps(np.array([self.last]), options)[:, 0]
            self.last = int(options[(distances[options] + steps).argmin()])
        else:
            self.last = int(distances.argmin())
        return self.last
