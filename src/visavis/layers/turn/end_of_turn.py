"""End of turn by everything that is known at a pause: the words, and how they sounded."""

import numpy as np

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.layers.turn import Pause
from visavis.layers.turn.lexical import completeness
from visavis.layers.turn.smart_turn import SmartTurn

HEARD_SILENCE_S = 0.2
"""Trailing silence that smart-turn is given at least; it was made for no less."""

_UNFINISHED_TEXT_WEIGHT = 0.4  # the text overrules the sound, but a sure sound still shortens the wait


class CombinedEndOfTurn:
    """An `EndOfTurn`; one instance serves all calls of a process."""

    def __init__(self, smart_turn: SmartTurn) -> None:
        """`smart_turn` is closed with this."""
        self._smart_turn = smart_turn

    async def probability(self, pause: Pause) -> float:
        """Probability that the turn is complete. Raises `visavis.errors.EngineError`."""
        sounded = await self._smart_turn.probability(_with_silence(pause))
        return sounded * (_UNFINISHED_TEXT_WEIGHT + (1 - _UNFINISHED_TEXT_WEIGHT) * completeness(pause.text))

    def close(self) -> None:
        """End the threads after what they are doing."""
        self._smart_turn.close()


def _with_silence(pause: Pause) -> Samples:
    lacking_s = max(0.0, HEARD_SILENCE_S - pause.silence_s)
    return np.concatenate([pause.sound, np.zeros(round(lacking_s * LISTEN_RATE_HZ), np.float32)])
