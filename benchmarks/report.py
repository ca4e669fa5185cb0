"""What all benchmarks share: QUICK, a table for people, one JSON line for machines."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

QUICK = bool(os.environ.get("QUICK"))
"""Keep it under 45 seconds."""


PLAIN: Mapping[str, Any] = {"allowed": ("microphone",), "size": (512, 640)}
"""How benchmarks open a browser: without a graphics card it draws on the same cores, so the window is small and there
is no own camera in it."""


def stolen_percent(since: Any, now: Any) -> float:
    """Share of the cores' time that a virtual machine's host gave to others between two `psutil.cpu_times()`.

    Above a few percent, latencies say more about the host than about visavis.
    """
    return 100 * (getattr(now, "steal", 0.0) - getattr(since, "steal", 0.0)) / max(sum(now) - sum(since), 1e-9)


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
