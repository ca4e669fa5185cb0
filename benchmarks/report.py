"""What all benchmarks share: QUICK, a table for people, one JSON line for machines."""

import json
import math
import os
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

QUICK = bool(os.environ.get("QUICK"))
"""Keep it under 45 seconds."""


def percentile(values: Sequence[float], share: float) -> float:
    """The `share` (0-100) percentile; NaN without values."""
    return float(np.percentile(values, share)) if len(values) else float("nan")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    shown = Table(title=title)
    for index, column in enumerate(columns):
        shown.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        shown.add_row(*(f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in row))
    Console().print(shown)


def figures(values: Mapping[str, float | int | None]) -> None:
    """Print the JSON object that ends every benchmark; not-a-number becomes null."""
    clean = {name: None if value is None or math.isnan(value) else round(value, 2) for name, value in values.items()}
    print(json.dumps(clean), flush=True)
