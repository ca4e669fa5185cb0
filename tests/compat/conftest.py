import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compat.clients import ENVIRONMENT, Clients
from tests.compat.recorder import Recorder, recording
from tests.server import stop


@dataclass(frozen=True)
class Serving:
    """A server of `tests.compat.serve`, behind a proxy that records."""

    recorder: Recorder
    key: str


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[Serving]:
    """Run a server that keeps everything in `folder`."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("VISAVIS_")}
    ours["VISAVIS_JOB_NICENESS"] = os.environ["VISAVIS_JOB_NICENESS"]
    command = [sys.executable, "-m", "tests.compat.serve", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ours) as process:
        assert process.stdout
        try:
            said = json.loads(process.stdout.readline())
            with recording(said["url"]) as recorder:
                yield Serving(recorder, said["key"])
        finally:
            stop(process)


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serve(tmp_path_factory.mktemp("compat")) as running:
        yield running


@pytest.fixture
def clients(serving: Serving, tmp_path: Path) -> Clients:
    if not (ENVIRONMENT / ".installed").exists():
        pytest.fail(f"{ENVIRONMENT} is missing; make setup-test installs the clients")
    return Clients(serving.recorder, serving.key, tmp_path)
