"""How long a silence must be to end the turn: shorter the surer it is, and as this person's habit asks.

Owner of what is known about the habit. Counts the milliseconds it is given; never looks at a clock.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias, get_args

import numpy as np

from visavis.errors import BadInputError

Level: TypeAlias = Literal["low", "medium", "high"]
"""Patience of a persona: low answers soonest."""

Sensitivity: TypeAlias = Literal["superlow", "verylow", "low", "medium", "high", "auto"]
"""The older name for the same: sensitivity to a pause; high answers soonest."""

_STRETCH_OF_LEVEL: dict[Level, float] = {"low": 0.7, "medium": 1.0, "high": 1.5}
_STRETCH_OF_SENSITIVITY: dict[Sensitivity, float] = {
    "superlow": 3.0,
    "verylow": 2.2,
    "low": _STRETCH_OF_LEVEL["high"],
    "medium": _STRETCH_OF_LEVEL["medium"],
    "high": _STRETCH_OF_LEVEL["low"],
    "auto": _STRETCH_OF_LEVEL["medium"],
}


@dataclass(frozen=True, slots=True)
class PatienceSettings:
    """Silence that ends a turn, by how complete it is; each is stretched alike for a slow person or persona.

    Chosen on the training part of `training/end_of_turn`; what they do is measured by `benchmarks/turns.py`.
    """

    sure_ms: float = 200
    """When the turn is surely complete; people leave about 200 ms (Stivers et al. 2009)."""
    unsure_ms: float = 310
    """When it is about as likely complete as not: with the delay of voice activity still an answer within 500 ms."""
    unlikely_ms: float = 1200
    """When it is probably not complete: longer than four in five of the natural pauses."""
    unfinished_ms: float = 1600
    """When it is surely not complete: longer than nineteen in twenty of them."""
    unknown_ms: float = 800
    """While there is no evidence: longer than it takes to come."""
    stretch: float = 1.0
    """Factor on all, given by the persona."""
    adapts: bool = True
    """Whether the person's habit counts."""

    @classmethod
    def fixed(cls, silence_ms: float) -> Self:
        """The same silence whatever is known."""
        return cls(silence_ms, silence_ms, silence_ms, silence_ms, silence_ms, adapts=False)


def of_level(level: str) -> PatienceSettings:
    """Settings of a persona's patience. Raises `BadInputError` for anything but low, medium and high."""
    for known in get_args(Level):
        if level == known:
            return PatienceSettings(stretch=_STRETCH_OF_LEVEL[known])
    raise BadInputError("turn_taking_patience", level, "one of low, medium, high")


def of_sensitivity(sensitivity: str) -> PatienceSettings:
    """Settings of a sensitivity to pauses. Raises `BadInputError` for one that is not a `Sensitivity`."""
    for known in get_args(Sensitivity):
        if sensitivity == known:
            return PatienceSettings(stretch=_STRETCH_OF_SENSITIVITY[known])
    raise BadInputError(
        "participant_pause_sensitivity", sensitivity, "one of superlow, verylow, low, medium, high, auto"
    )


class Patience:
    """Patience with one person; make one for each conversation."""

    def __init__(self, settings: PatienceSettings | None = None) -> None:
        self._settings = settings or PatienceSettings()
        self._pauses: deque[float] = deque(maxlen=_REMEMBERED)

    def silence_needed_ms(self, completeness: float | None) -> float:
        """Silence that ends the turn, if it is complete with this probability (None: no evidence yet)."""
        settings = self._settings
        if completeness is None:
            needed = settings.unknown_ms
        else:
            waits = (settings.unfinished_ms, settings.unlikely_ms, settings.unsure_ms, settings.sure_ms)
            needed = float(np.interp(completeness, (_UNFINISHED, _UNLIKELY, _UNSURE, 1.0), waits))
        # A habit says how long somebody thinks, not how long they wait when they are done.
        extra = (needed - settings.sure_ms) * self._habit() if needed > settings.sure_ms else 0.0
        return (min(needed, settings.sure_ms) + extra) * settings.stretch

    def person_went_on(self, pause_ms: float) -> None:
        """The person paused for so long within a turn and then went on: that is how they pause."""
        if pause_ms >= _SHORTEST_MS:
            self._pauses.append(pause_ms)

    def _habit(self) -> float:
        """How much longer than most this person thinks; 1 until something is known."""
        if not self._pauses or not self._settings.adapts:
            return 1.0
        theirs = float(np.quantile(self._pauses, _QUANTILE))
        trust = len(self._pauses) / (len(self._pauses) + _TRUST_HALVED_AT)
        return float(np.clip((theirs / _USUAL_MS) ** trust, *_HABIT_RANGE))


_UNFINISHED, _UNLIKELY, _UNSURE = 0.1, 0.35, 0.5
"""Completeness at which the longer silences are due; between, the silence changes evenly."""
_REMEMBERED = 24
"""Pauses; so a habit may change within a call."""
_SHORTEST_MS = 200.0
"""Shorter silences are consonants, not pauses (Heldner & Edlund 2010 take 180-200 ms as the limit of perception)."""
_QUANTILE = 0.75
_USUAL_MS = 700.0
"""The same quantile of the pauses in `training/end_of_turn`'s natural speech."""
_TRUST_HALVED_AT = 6
_HABIT_RANGE = (0.8, 1.6)
