"""End of turn by everything that is known at a pause: words, melody and, where these leave doubt, two networks.

Three logistic regressions, fitted by `training/end_of_turn` (data, recipe and measured curves are in its README). The
first knows words and melody and costs a few milliseconds. Only if it is unsure does smart-turn count, whose look takes
some 130 ms of a core, about as long as the recogniser takes for the words: both work at the same time. Meanwhile a
small language model is asked whether the words can end there; its answer counts unless the turn is surely complete.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import BadInputError
from visavis.layers.turn import Ending, Pause, UnreadPause
from visavis.layers.turn.lexical import Wording, wording
from visavis.layers.turn.prosody import Prosody, prosody
from visavis.layers.turn.smart_turn import SmartTurn

HEARD_SILENCE_S = 0.2
"""Trailing silence that smart-turn is given at least; it was made for no less."""

_ASKED_SOON_S = 0.05
"""So long nothing is said of a pause that the language model will know more of. Longer would answer complete turns
later and save hardly any pause: what seems unsure has to be silent for longer anyway, and is then judged again."""

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
    third: Signs
    third_smart_turn: float
    third_ending: tuple[float, float]
    """Of `Ending.of_turn` and `Ending.of_sentence`."""
    third_bias: float
    unsure: tuple[float, float]
    """Between these probabilities of the first the second is asked."""
    doubtful: float
    """Below this probability the third counts."""

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Weights":
        """Read them. Raises `BadInputError` if they do not fit the signs of this version."""
        data = json.loads(path.read_text(encoding="utf-8"))
        first, second, third = data["first"], data["second"], data["third"]
        for step in ("first", "second", "third"):
            if set(data[step]["signs"]) != set(SIGNS):
                raise BadInputError(f"{path}, {step}.signs", sorted(data[step]["signs"]), f"exactly {sorted(SIGNS)}")
        return cls(
            first=np.array([first["signs"][name] for name in SIGNS]),
            first_bias=first["bias"],
            second=np.array([second["signs"][name] for name in SIGNS]),
            second_smart_turn=second["smart_turn"],
            second_bias=second["bias"],
            third=np.array([third["signs"][name] for name in SIGNS]),
            third_smart_turn=third["smart_turn"],
            third_ending=(third["of_turn"], third["of_sentence"]),
            third_bias=third["bias"],
            unsure=(data["unsure"][0], data["unsure"][1]),
            doubtful=data["doubtful"],
        )

    def without_smart_turn(self, found: Signs) -> float:
        """Probability of a complete turn by words and melody."""
        return logistic(self.first_bias + float(self.first @ found))

    def with_smart_turn(self, found: Signs, looked: float) -> float:
        """The same when smart-turn has said `looked`."""
        return logistic(self.second_bias + float(self.second @ found) + self.second_smart_turn * log_odds(looked))

    def with_language_model(self, found: Signs, looked: float, ending: Ending) -> float:
        """The same when the language model has said `ending` besides."""
        read = self.third_ending[0] * ending.of_turn + self.third_ending[1] * ending.of_sentence
        return logistic(self.third_bias + float(self.third @ found) + self.third_smart_turn * log_odds(looked) + read)


class CombinedEndOfTurn:
    """An `EndOfTurn`; one instance serves all calls of a process."""

    def __init__(self, smart_turn: SmartTurn, weights: Weights | None = None) -> None:
        """`smart_turn` is closed with this; `weights` are those of the package by default."""
        self._smart_turn = smart_turn
        self._weights = weights or Weights.load()

    async def probabilities(self, pause: UnreadPause) -> AsyncGenerator[float, None]:
        """Yield the probability that the turn is complete; see `visavis.layers.turn.EndOfTurn`."""
        # Looks before it is known whether that is needed: the words take about as long.
        looking = asyncio.create_task(self._smart_turn.probability(with_enough_silence(pause.sound, pause.silence_s)))
        asking: asyncio.Future[Ending | None] | None = None
        try:
            words = await pause.words
            asking = asyncio.ensure_future(pause.ending(words)) if pause.ending else None
            found = await asyncio.to_thread(signs, pause.read(words))
            probability = self._weights.without_smart_turn(found)
            low, high = self._weights.unsure
            if low < probability < high:
                probability = self._weights.with_smart_turn(found, await looking)
            if asking is None or probability >= self._weights.doubtful:
                yield probability
                return
            in_time, _ = await asyncio.wait({asking}, timeout=_ASKED_SOON_S)
            if not in_time:
                yield probability
            if read := await asking:
                yield self._weights.with_language_model(found, await looking, read)
            elif in_time:
                yield probability
        finally:
            looking.cancel()
            if asking:
                asking.cancel()

    async def warm_up(self) -> None:
        """Run everything once, smart-turn included, so that a call's first pause is judged as fast as its next."""
        noise = np.random.default_rng(0).normal(0, 0.1, LISTEN_RATE_HZ).astype(np.float32)
        await asyncio.gather(
            asyncio.to_thread(signs, Pause(noise, HEARD_SILENCE_S, "")), self._smart_turn.probability(noise)
        )

    def close(self) -> None:
        """End the threads after what they are doing."""
        self._smart_turn.close()


def with_enough_silence(sound: Samples, silence_s: float) -> Samples:
    """`sound`, which ends in `silence_s` of silence, with at least `HEARD_SILENCE_S` of it."""
    lacking_s = max(0.0, HEARD_SILENCE_S - silence_s)
    return np.concatenate([sound, np.zeros(round(lacking_s * LISTEN_RATE_HZ), np.float32)])


def logistic(log_odds: float) -> float:
    """The probability with these log odds."""
    return float(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))


def log_odds(probability: float) -> float:
    """Its inverse, no surer than 1 in 100 either way: smart-turn is often surer than it is right."""
    bounded = float(np.clip(probability, 0.01, 0.99))
    return float(np.log(bounded / (1 - bounded)))
