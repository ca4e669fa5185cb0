"""`python -m training.end_of_turn fetch` gets the recordings, `... train` fits the model and prints what it is worth.

Fitted on the training part only; everything printed is of the test part, whose speakers (and, for the one woman in
both, whose sentences) were not learnt from.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

import numpy as np

from training.end_of_turn.endings import endings
from training.end_of_turn.evidence import heard, write_test_pauses
from training.end_of_turn.logistic import Matrix, fit
from training.end_of_turn.measures import show
from training.end_of_turn.pauses import BETWEEN, HARD_CUT, Example
from training.end_of_turn.sources import TRAIN, fetch
from visavis.layers.turn import Ending
from visavis.layers.turn.end_of_turn import SIGNS, WEIGHTS, log_odds, signs
from visavis.layers.turn.prosody import Prosody

_MELODY = {field.name for field in fields(Prosody)}

_EXPECTED = {
    "breaks_off": -2.0,
    "comma": -1.0,
    "may_end": -0.7,
    "filler": -2.5,
    "lacks_object": -1.0,
    "number": -0.5,
    "dictating": -1.5,
    "only_opens": -1.0,
    "asks": 1.0,
    "answers": 1.5,
    "smart_turn": 0.45,
    "of_turn": 0.15,
    "of_sentence": 0.15,
}
"""Log odds by which a sign moves the judgement, held until the recordings say otherwise: they are few.

smart-turn was fitted to far more speech than there is here, but is surer than it is right, so it counts by half.
"""
_TRUST_IN_WORDS, _TRUST_IN_MELODY, _TRUST_IN_LANGUAGE_MODEL = 50.0, 20.0, 20.0
"""The first two chosen by five-fold cross-validation on the training part, recordings kept whole."""
_NETWORKS = ("smart_turn", "of_turn", "of_sentence")
UNSURE = (0.3, 0.75)
"""Where the first step is so sure that smart-turn seldom changes what is done: chosen in the same validation."""
DOUBTFUL = 0.85
"""Below it the language model counts: chosen in the same validation (log loss .437; .443 at .7, .459 without)."""


def train() -> None:
    """Fit all steps, write the weights into the package, report."""
    known = heard()
    write_test_pauses(known)
    learnt = [(e, look) for e, look in known if e.part == TRAIN and e.kind not in (BETWEEN, HARD_CUT) and e.pause.text]
    read = endings([example for example, _ in learnt])
    WEIGHTS.write_text(json.dumps(fitted(learnt, read), indent=2) + "\n", encoding="utf-8")
    show(known)


def fitted(learnt: Sequence[tuple[Example, float]], read: Sequence[Ending]) -> dict[str, Any]:
    """The weights that the package reads, fitted to these examples and what the networks think of them."""
    found = np.array([signs(example.pause) for example, _ in learnt])
    looked = np.array([[log_odds(probability)] for _, probability in learnt])
    labels = np.array([float(example.complete) for example, _ in learnt])
    importance = _importance([example for example, _ in learnt])
    heard_too = np.hstack([found, looked])
    read_too = np.hstack([heard_too, [astuple(ending) for ending in read]])
    return {
        "about": "Written by python -m training.end_of_turn train; see training/end_of_turn/README.md",
        "unsure": list(UNSURE),
        "doubtful": DOUBTFUL,
        "first": _step(found, labels, importance),
        "second": _step(heard_too, labels, importance),
        "third": _step(read_too, labels, importance),
    }


def _step(features: Matrix, labels: Matrix, importance: Matrix) -> dict[str, Any]:
    names = [*SIGNS, *_NETWORKS][: features.shape[1]]
    expected = np.array([_EXPECTED.get(name, 0.0) for name in names])
    trust = np.array([_trust(name) for name in names])
    weights, bias = fit(features, labels, importance, expected, trust)
    rounded = dict(zip(names, (round(float(weight), 4) for weight in weights), strict=True))
    networks = {name: rounded.pop(name) for name in _NETWORKS if name in rounded}
    return {"bias": round(bias, 4), **networks, "signs": rounded}


def _trust(name: str) -> float:
    if name in _MELODY:
        return _TRUST_IN_MELODY
    return _TRUST_IN_LANGUAGE_MODEL if name in ("of_turn", "of_sentence") else _TRUST_IN_WORDS


def _importance(examples: Sequence[Example]) -> Matrix:
    """Complete and unfinished count alike, and a source counts as the square root of its examples.

    So the one woman's prompts, which are many and read, do not drown the few who talk freely.
    """
    groups = [(e.complete, e.source) for e in examples]
    counts = Counter(groups)
    roots = {side: sum(n**0.5 for (complete, _), n in counts.items() if complete is side) for side in (True, False)}
    return np.array([0.5 * len(examples) / roots[group[0]] / counts[group] ** 0.5 for group in groups])


if __name__ == "__main__":
    commands = {"fetch": fetch, "train": train}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"usage: python -m training.end_of_turn {'|'.join(commands)}")
    commands[sys.argv[1]]()
