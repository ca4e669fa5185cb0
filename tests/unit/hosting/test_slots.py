"""How many calls a machine is judged to take."""

import pytest

from visavis.hosting.slots import Machine, measured

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("machine", "calls", "narrowest"),
    [
        (Machine(2, 16 * GB, None), 1, "cores"),
        (Machine(8, 64 * GB, None), 5, "cores"),
        (Machine(64, 2 * GB, None), 3, "free memory"),
        (Machine(64, 64 * GB, 0.5), 4, "language model"),
        (Machine(1, 0, 5.0), 1, "cores"),
    ],
)
def test_narrowest_part_of_the_machine_counts(machine: Machine, calls: int, narrowest: str):
    assert measured(machine)[0] == calls
    if machine.cores > 1:
        assert measured(machine)[1] == narrowest
