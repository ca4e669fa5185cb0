import os
import subprocess
import sys
from pathlib import Path

import pytest

from visavis.priority import LONG_WORK, THINKING


@pytest.mark.parametrize("niceness", [THINKING, LONG_WORK])
def test_process_and_its_children_wait_for_others(niceness: int):
    code = (
        "import os, subprocess, sys; from visavis.priority import stand_back;"
        f"stand_back({niceness});"
        "print(open('/proc/self/autogroup').read() if os.path.exists('/proc/self/autogroup') else '', flush=True);"
        "subprocess.run([sys.executable, '-c', 'import os; print(os.nice(0))'])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, start_new_session=True
    )
    *group, own = said.stdout.split("\n")[:-1]
    assert int(own) == min(os.nice(0) + niceness, 19)
    if Path("/proc/self/autogroup").exists():
        assert group[0].endswith(f"nice {niceness}")
