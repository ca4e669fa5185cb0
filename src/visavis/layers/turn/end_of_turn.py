"""End of turn by everything that is known at a pause: the words, the melody and, where these leave doubt, smart-turn.

Two logistic regressions, fitted by `training/end_of_turn` (data, recipe and measured curves are in its README). The
first knows words and melody and costs a few milliseconds. Only if it is unsure is the sound given to smart-turn, whose
look takes some 130 ms of a core that the recogniser and the language model want at that very moment.
"""

import asyncio
import json
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import BadInputError
from visavis.layers.turn import Pause
from visavis.layers.turn.lexical import Wording, wording
from visavis.layers.turn.prosody import Prosody, prosody
from visavis.layers.turn.smart_turn import SmartTurn

HEARD_SILENCE_S = 0.2
"""Trailing silence that smart-turn is given at least; it was made for no less."""

WEIGHTS = Path(__file__).with_name("end_of_turn.json")

SIGNS = tuple(field.name for kind in (Wording, Prosody) for field in fields(kind))
"""Names of what `signs` gives."""

Signs = NDArray[np.float64]
"""float64[len(SIGNS)]."""


def signs(pause: Pause) -> Signs:
    """What words and melody say about `pause`."""
    values = (*astuple(wording(pause.text, pause.asked)), *astuple(prosody(pause.sound)))
    return np.array(values, np.float64)


@dataclass(frozen=True, slots=True)
class Weights:
    """The fitted model: probabilities are `logistic(bias + weights @ signs)`."""

    first: Signs
    first_bias: float
    second: Signs
    second_smart_turn: float
    second_bias: float
    unsure: tuple[float, float]
    """Between these probabilities of the first the second is asked."""

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Weights":
        """Read them. Raises `BadInputError` if they do not fit the signs of this version."""
        data = json.loads(path.read_text(encoding="utf-8"))
        first, second = data["first"], data["second"]
        for step in ("first", "second"):
            if set(data[step]["signs"]) != set(SIGNS):
                raise BadInputError(f"{path}, {step}.signs", sorted(data[step]["signs"]), f"exactly {sorted(SIGNS)}")
        return cls(
            first=np.array([first["signs"][name] for name in SIGNS]),
            first_bias=first["bias"],
            second=np.array([second["signs"][name] for name in SIGNS]),
            second_smart_turn=second["smart_turn"],
            second_bias=second["bias"],
            unsure=(data["unsure"][0], data["unsure"][1]),
        )

    def without_smart_turn(self, found: Signs) -> float:
        """Probability of a complete turn by words and melody."""
        return logistic(self.first_bias + float(self.first @ found))

    def with_smart_turn(self, found: Signs, looked: float) -> float:
        """The same when smart-turn has said `looked`."""
        return logistic(self.second_bias + float(self.second @ found) + self.second_smart_turn * log_odds(looked))


class CombinedEndOfTurn:
    """An `EndOfTurn`; one instance serves all calls of a process."""

    def __init__(self, smart_turn: SmartTurn, weights: Weights | None = None) -> None:
        """`smart_turn` is closed with this; `weights` are those of the package by default."""
        self._smart_turn = smart_turn
        self._weights = weights or Weights.load()

    async def probability(self, pause: Pause) -> float:
        """Calibrated probability that the turn is complete. Raises `visavis.errors.EngineError`."""
        found = await asyncio.to_thread(signs, pause)
        quick = self._weights.without_smart_turn(found)
        low, high = self._weights.unsure
        if not low < quick < high:
            return quick
        return self._weights.with_smart_turn(found, await self._smart_turn.probability(with_enough_silence(pause)))

    async def warm_up(self) -> None:
        """Run everything once, smart-turn included, so that a call's first pause is judged as fast as its next."""
        noise = np.random.default_rng(0).normal(0, 0.1, LISTEN_RATE_HZ).astype(np.float32)
        pause = Pause(noise, HEARD_SILENCE_S, "")
        await asyncio.gather(self.probability(pause), self._smart_turn.probability(noise))

    def close(self) -> None:
        """End the threads after what they are doing."""
        self._smart_turn.close()


def with_enough_silence(pause: Pause) -> Samples:
    """The sound of `pause` with at least `HEARD_SILENCE_S` of silence at its end."""
    lacking_s = max(0.0, HEARD_SILENCE_S - pause.silence_s)
    return np.concatenate([pause.sound, np.zeros(round(lacking_s * LISTEN_RATE_HZ), np.float32)])


def logistic(log_odds: float) -> float:
    """The probability with these log odds."""
    return float(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))


def log_odds(probability: float) -> float:
    """Its inverse, no surer than 1 in 100 either way: smart-turn is often surer than it is right."""
    bounded = float(np.clip(probability, 0.01, 0.99))
    return float(np.log(bounded / (1 - bounded)))
