"""Nods, head shakes and speech, all seen as something that goes to and fro."""

from collections import deque
from collections.abc import Sequence

NOD_WINDOW_S = 1.6
NOD_DEG = 4.5
"""Two swings of the pitch that are at least this large within the window are a nod (chosen by
`benchmarks/perception.py`)."""

SHAKE_DEG = 6.0
MAIN_AXIS = 1.25
"""A nod is this much more up and down than left and right, a head shake the other way round."""

TALK_WINDOW_S = 1.2
TALK_SWING = 0.02
"""Opening of the lips, as a share of the face's height, from which a swing is a syllable."""

TALK_REVERSALS = 2
LEAST_LOOKS = 6


def reversals(values: Sequence[float], swing: float) -> int:
    """How often `values` turn round after having gone at least `swing` one way."""
    count, way = 0, 0
    low = high = values[0] if values else 0.0
    for value in values:
        low, high = min(low, value), max(high, value)
        if way <= 0 and value - low >= swing:
            count += way != 0
            way, high = 1, value
        elif way >= 0 and high - value >= swing:
            count += way != 0
            way, low = -1, value
        if way > 0:
            low = high = max(high, value)
        elif way < 0:
            low = high = min(low, value)
    return count


class Track:
    """The last seconds of some figures. Owner of them; forgets all after a gap."""

    def __init__(self, window_s: float, gap_s: float = 0.6) -> None:
        self._window_s = window_s
        self._gap_s = gap_s
        self._looks: deque[tuple[float, tuple[float, ...]]] = deque()

    def add(self, at: float, *figures: float) -> None:
        """Take the figures of a moment."""
        if self._looks and at - self._looks[-1][0] > self._gap_s:
            self._looks.clear()
        self._looks.append((at, figures))
        while at - self._looks[0][0] > self._window_s:
            self._looks.popleft()

    def clear(self) -> None:
        """Forget all."""
        self._looks.clear()

    def figure(self, index: int) -> list[float]:
        """One figure over time."""
        return [figures[index] for _, figures in self._looks]

    @property
    def enough(self) -> bool:
        """There is something to judge by."""
        return len(self._looks) >= LEAST_LOOKS


class HeadGestures:
    """Nods and shakes of one head."""

    def __init__(self) -> None:
        self._track = Track(NOD_WINDOW_S)

    def see(self, at: float, yaw_deg: float, pitch_deg: float) -> str | None:
        """`nod` or `shake` when one has just been completed."""
        self._track.add(at, yaw_deg, pitch_deg)
        if not self._track.enough:
            return None
        yaws, pitches = self._track.figure(0), self._track.figure(1)
        yaw_range, pitch_range = max(yaws) - min(yaws), max(pitches) - min(pitches)
        if reversals(pitches, NOD_DEG) >= 2 and pitch_range > MAIN_AXIS * yaw_range:
            self._track.clear()
            return "nod"
        if reversals(yaws, SHAKE_DEG) >= 2 and yaw_range > MAIN_AXIS * pitch_range:
            self._track.clear()
            return "shake"
        return None


class VisualSpeech:
    """Whether a mouth moves as in speech."""

    def __init__(self) -> None:
        self._track = Track(TALK_WINDOW_S)

    def see(self, at: float, mouth_open: float) -> bool | None:
        """Take the opening of the lips; None while too little was seen."""
        self._track.add(at, mouth_open)
        if not self._track.enough:
            return None
        return reversals(self._track.figure(0), TALK_SWING) >= TALK_REVERSALS
