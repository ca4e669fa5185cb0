"""Whose turn it is when the processor is short: the sound of a call first, then thinking, then long work."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

THINKING: Final = 5
"""Of the language model. A packet of sound that leaves late costs every word of a call: the browser keeps as much sound
in hand as the latest packets were late. No more than this, or other programs of the machine would starve it."""

LONG_WORK: Final = 19
"""Of videos and training, which nobody waits for by the second."""


def stand_back(niceness: int) -> None:
    """Let this process and all that it starts from now on wait for others: 1 (a little) to 19 (for everybody)."""
    os.nice(niceness)
    # Kernels that group processes by session heed niceness within the group only.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(niceness))
