"""How many calls this machine takes at once, where nobody has said so."""

import math
from dataclasses import dataclass

CORES_PER_CALL = 1.5
"""A call takes three quarters of a core (`benchmarks/call_cost.py`); the rest is room, so that nothing waits."""

MEMORY_PER_CALL_BYTES = 750_000_000
"""A process with the engines of one call (`benchmarks/call_cost.py`)."""

TURN_S = 10.0
"""Between two answers of one call."""

CLAUSES_PER_ANSWER = 3.0
"""How often a first clause's time the built-in language model is busy with an answer: its prompt and two sentences."""

MODEL_SHARE = 0.6
"""How much of its time the built-in language model, which answers one call after the other, may be busy."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the number of calls is judged by."""

    cores: int
    free_bytes: int
    """Memory that is free once the server runs."""
    first_clause_s: float | None
    """Of the built-in language model; None where it is not measured or not used."""


def measured(machine: Machine) -> tuple[int, str]:
    """Calls that `machine` takes, at least one, and which of cores, memory and language model says so."""
    one_more = 1  # the first call runs in the server's own process, whose memory is taken already
    limits = {
        "cores": math.floor(machine.cores / CORES_PER_CALL),
        "free memory": machine.free_bytes // MEMORY_PER_CALL_BYTES + one_more,
    }
    if machine.first_clause_s:
        per_call = CLAUSES_PER_ANSWER * machine.first_clause_s / TURN_S
        limits["language model"] = math.floor(MODEL_SHARE / per_call)
    narrowest = min(limits, key=lambda name: limits[name])
    return max(1, limits[narrowest]), narrowest
