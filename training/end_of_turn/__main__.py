"""`python -m training.end_of_turn fetch` gets the recordings, `... train` fits the model and prints what it is worth.

Fitted on the training part only; everything printed is of the test part, whose speakers (and, for the one woman in
both, whose sentences) were not learnt from.
"""

import json
import sys
from collections import Counter

import numpy as np

from training.end_of_turn.evidence import heard, write_test_pauses
from training.end_of_turn.logistic import Matrix, fit
from training.end_of_turn.measures import show
from training.end_of_turn.pauses import BETWEEN, HARD_CUT, Example
from training.end_of_turn.sources import TRAIN, fetch
from visavis.layers.turn.end_of_turn import SIGNS, WEIGHTS, log_odds, signs

_RIDGE = 4.0
_UNSURE = (0.08, 0.9)


def train() -> None:
    """Fit both steps, write the weights into the package, report."""
    known = heard()
    found = np.array([signs(example.pause) for example, _ in known])
    looked = np.array([[log_odds(probability)] for _, probability in known])
    learnt = np.array([e.part == TRAIN and e.kind not in (BETWEEN, HARD_CUT) for e, _ in known])
    labels = np.array([float(e.complete) for e, _ in known])
    importance = _importance([e for e, _ in known], learnt)
    first, first_bias = fit(found[learnt], labels[learnt], importance[learnt], _RIDGE)
    both = np.hstack([found, looked])
    second, second_bias = fit(both[learnt], labels[learnt], importance[learnt], _RIDGE)
    document = {
        "about": "Written by python -m training.end_of_turn train; see training/end_of_turn/README.md",
        "unsure": list(_UNSURE),
        "first": {"bias": round(first_bias, 4), "signs": _named(first)},
        "second": {
            "bias": round(second_bias, 4),
            "smart_turn": round(float(second[-1]), 4),
            "signs": _named(second[:-1]),
        },
    }
    WEIGHTS.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    write_test_pauses(known)
    show(known)


def _named(weights: Matrix) -> dict[str, float]:
    return {name: round(float(weight), 4) for name, weight in zip(SIGNS, weights, strict=False)}


def _importance(examples: list[Example], learnt: Matrix) -> Matrix:
    """Complete and unfinished count alike, and a source counts as the square root of its examples.

    So the one woman's prompts, which are many and read, do not drown the few who talk freely.
    """
    groups = [(e.complete, e.source) for e in examples]
    counts = Counter(group for group, used in zip(groups, learnt, strict=True) if used)
    roots = {side: sum(n**0.5 for (complete, _), n in counts.items() if complete is side) for side in (True, False)}
    half = 0.5 * float(learnt.sum())
    return np.array([half / roots[group[0]] / max(counts[group], 1) ** 0.5 for group in groups])


if __name__ == "__main__":
    commands = {"fetch": fetch, "train": train}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"usage: python -m training.end_of_turn {'|'.join(commands)}")
    commands[sys.argv[1]]()
