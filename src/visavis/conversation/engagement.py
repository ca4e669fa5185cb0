"""Speaking up after a long silence, so that a person who is at a loss is not left alone."""

from typing import Literal

Level = Literal["off", "patient", "eager"]

_SILENCE_S = {"patient": 25.0, "eager": 10.0}
_LONGER_EACH_TIME = 2.0
_MOST_IN_A_ROW = 2
"""After that the person has probably left the room."""

PROMPT = "(The caller has been silent for a while. Say one short, friendly sentence to bring them back.)"
"""What the language model is asked, in place of the person's words."""


class Engagement:
    """Counts the silence of both sides. Owner of how often the replica has spoken up in vain."""

    def __init__(self, level: Level, now: float) -> None:
        self._after_s = _SILENCE_S.get(level)
        self._in_vain = 0
        self._quiet_since: float | None = now

    def person_spoke(self) -> None:
        """The person is there."""
        self._in_vain, self._quiet_since = 0, None

    def quiet(self, now: float) -> None:
        """Nobody speaks from `now` on."""
        self._quiet_since = now

    def busy(self) -> None:
        """Somebody speaks, or is about to."""
        self._quiet_since = None

    def due(self, now: float) -> bool:
        """Whether the replica should speak up now; counts as done if so."""
        if self._after_s is None or self._quiet_since is None or self._in_vain >= _MOST_IN_A_ROW:
            return False
        if now - self._quiet_since < self._after_s * _LONGER_EACH_TIME**self._in_vain:
            return False
        self._in_vain += 1
        self._quiet_since = None
        return True
