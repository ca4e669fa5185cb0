"""What a judge of the end of turn is worth: area under the curve, points of the curve, calibration, per kind."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.end_of_turn.endings import endings
from training.end_of_turn.logistic import Matrix
from training.end_of_turn.pauses import BETWEEN, HARD_CUT, Example
from training.end_of_turn.sources import TEST
from visavis.layers.turn.end_of_turn import Weights, signs
from visavis.layers.turn.lexical import completeness

_KEPT = (0.98, 0.95, 0.9, 0.8)


def show(known: Sequence[tuple[Example, float]]) -> None:
    """Print, for the test part, the tables of the README."""
    tested = [(example, looked) for example, looked in known if example.part == TEST]
    weights = Weights.load()
    low, high = weights.unsure
    found = [signs(example.pause) for example, _ in tested]
    looked = np.array([look for _, look in tested])
    first = np.array([weights.without_smart_turn(row) for row in found])
    second = np.array([weights.with_smart_turn(row, look) for row, look in zip(found, looked, strict=True)])
    unsure = (first > low) & (first < high)
    without = np.where(unsure, second, first)
    read = endings([example for example, _ in tested])
    third = np.array([weights.with_language_model(*each) for each in zip(found, looked, read, strict=True)])
    doubtful = without < weights.doubtful
    texts = np.array([completeness(example.pause.text) for example, _ in tested])
    judges = {
        "smart-turn alone": looked,
        "words alone (rules)": texts,
        "words and melody": first,
        "words, melody, smart-turn": second,
        "the cascade without a language model": without,
        "words, melody, smart-turn, language model": third,
        "the cascade": np.where(doubtful, third, without),
    }
    examples = [example for example, _ in tested]
    complete = np.array([example.complete for example in examples])
    natural = np.array([e.kind not in (BETWEEN, HARD_CUT) and e.source != "synthetic" for e in examples])
    synthetic = np.array([e.source == "synthetic" for e in examples])
    hard = np.array([e.source == "grid" for e in examples])
    for title, part in (("recorded, natural", natural & ~hard), ("GRID, hard cuts", hard), ("synthetic", synthetic)):
        if not (part & complete).any() or not (part & ~complete).any():
            continue
        print(f"\n{title}: {(part & complete).sum()} complete, {(part & ~complete).sum()} unfinished")
        print("| judge | area | " + " | ".join(f"unfinished passed at {kept:.0%} complete" for kept in _KEPT) + " |")
        print("|---|---|" + "---|" * len(_KEPT))
        for name, values in judges.items():
            yes, no = values[part & complete], values[part & ~complete]
            points = " | ".join(f"{np.mean(no >= np.quantile(yes, 1 - kept)):.2f}" for kept in _KEPT)
            print(f"| {name} | {area(yes, no):.3f} | {points} |")
        print(f"smart-turn counts at {unsure[part].mean():.0%}, the language model at {doubtful[part].mean():.0%}")
    print("\ncalibration of the cascade, recorded and synthetic without hard cuts")
    _calibration(judges["the cascade"], complete, (natural & ~hard) | synthetic)
    print("\n| kind | n | median | share >= .5 | share >= .8 |\n|---|---|---|---|---|")
    for source, kind in sorted({(e.source, e.kind) for e in examples}):
        values = judges["the cascade"][[e.kind == kind and e.source == source for e in examples]]
        row = f"{np.median(values):.2f} | {np.mean(values >= 0.5):.2f} | {np.mean(values >= 0.8):.2f}"
        print(f"| {source}, {kind} | {len(values)} | {row} |")


def area(yes: Matrix, no: Matrix) -> float:
    """Area under the curve: how often a complete turn gets more than an unfinished one."""
    wins = (yes[:, None] > no[None]).mean() + 0.5 * (yes[:, None] == no[None]).mean()
    return float(wins)


def _calibration(values: Matrix, complete: NDArray[np.bool_], part: NDArray[np.bool_]) -> None:
    """Both classes are given the same total weight, as in training."""
    importance = np.where(complete, 1 / max((part & complete).sum(), 1), 1 / max((part & ~complete).sum(), 1))
    print("| said | pauses | were complete |\n|---|---|---|")
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        chosen = part & (values >= low) & (values < high)
        if chosen.any():
            share = importance[chosen & complete].sum() / importance[chosen].sum()
            print(f"| {low:.1f}-{min(high, 1.0):.1f} | {chosen.sum()} | {share:.2f} |")
