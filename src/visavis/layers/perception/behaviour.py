"""From what is measured to what somebody does: smoothed, with a beginning and an end, and never all at once."""

from dataclasses import dataclass, field

from visavis.layers.perception import Behaviour, Face, Noticed
from visavis.layers.perception.expression import SNEER, SURPRISE

LEAN = 1.22
"""Change of the face's size from what is usual for the person."""


@dataclass
class Latch:
    """A state with hysteresis: it holds from `begin` for at least `hold_s`, and ends below `end`."""

    begin: float
    end: float
    hold_s: float
    on: bool = False
    _since: float | None = None

    def update(self, value: float, now: float) -> bool:
        """Take a figure; True when the state has just begun."""
        if self.on:
            self.on = value >= self.end
            self._since = None
            return False
        if value < self.begin:
            self._since = None
            return False
        self._since = now if self._since is None else self._since
        if now - self._since < self.hold_s:
            return False
        self.on, self._since = True, None
        return True

    def clear(self) -> None:
        """As at the start."""
        self.on, self._since = False, None


@dataclass
class Baseline:
    """What is usual for the person: a median-like value that moves towards what is seen, slowly."""

    value: float | None = None
    _seen: int = 0

    def update(self, figure: float) -> float:
        """Take a figure; returns what is usual."""
        self._seen += 1
        if self.value is None:
            self.value = figure
        speed = max(1 / self._seen, 0.01)
        self.value += speed * (figure - self.value)
        return self.value


@dataclass
class FaceBehaviour:
    """What one face does. Owner of its habits and states."""

    _smile: Latch = field(default_factory=lambda: Latch(0.45, 0.25, 0.15))
    _brows: Latch = field(default_factory=lambda: Latch(0.35, 0.2, 0.25))
    _frown: Latch = field(default_factory=lambda: Latch(0.3, 0.18, 0.8))
    _surprise: Latch = field(default_factory=lambda: Latch(0.5, 0.3, 0.3))
    _sneer: Latch = field(default_factory=lambda: Latch(0.6, 0.3, 0.5))
    _away: Latch = field(default_factory=lambda: Latch(1.0, 0.5, 1.0))
    _eyes: Latch = field(default_factory=lambda: Latch(1.0, 0.5, 1.5))
    _near: Latch = field(default_factory=lambda: Latch(LEAN, 1.1, 0.8))
    _far: Latch = field(default_factory=lambda: Latch(LEAN, 1.1, 0.8))
    _brows_usual: Baseline = field(default_factory=Baseline)
    _frown_usual: Baseline = field(default_factory=Baseline)
    _height_usual: Baseline = field(default_factory=Baseline)

    def see(self, face: Face, now: float) -> list[Noticed]:
        """What has just begun."""
        found: list[tuple[Behaviour, float]] = []
        if self._smile.update(face.smile, now):
            found.append((Behaviour.SMILED, face.smile))
        if self._brows.update(face.brows_up - (self._brows_usual.value or 0.0), now):
            found.append((Behaviour.RAISED_BROWS, face.brows_up))
        if self._frown.update(face.frown - (self._frown_usual.value or 0.0), now):
            found.append((Behaviour.FROWNED, face.frown))
        found += self._shown(face, now)
        was_away = self._away.on
        if self._away.update(float(not face.looking), now):
            found.append((Behaviour.LOOKED_AWAY, 1.0))
        elif was_away and not self._away.on:
            found.append((Behaviour.LOOKED_BACK, 1.0))
        if self._eyes.update(float(face.eyes_closed), now):
            found.append((Behaviour.CLOSED_EYES, 1.0))
        usual = self._height_usual.value or face.height
        if self._near.update(face.height / usual, now):
            found.append((Behaviour.LEANED_IN, 1.0))
        if self._far.update(usual / face.height, now):
            found.append((Behaviour.LEANED_BACK, 1.0))
        self._brows_usual.update(face.brows_up)
        self._frown_usual.update(face.frown)
        self._height_usual.update(face.height)
        return [Noticed(behaviour, now, min(certainty, 1.0)) for behaviour, certainty in found]

    def _shown(self, face: Face, now: float) -> list[tuple[Behaviour, float]]:
        wanted = ((Behaviour.SURPRISED, SURPRISE, self._surprise), (Behaviour.SNEERED, SNEER, self._sneer))
        certainty = face.expression_certainty
        return [
            (behaviour, certainty)
            for behaviour, expression, latch in wanted
            if latch.update(certainty if face.expression == expression else 0.0, now)
        ]
