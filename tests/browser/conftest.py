"""The server that live calls share: starting one for every file would take as long as the calls."""

from collections.abc import Iterator

import pytest

from tests.server import RunningServer, running_server


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    with running_server("--quality", "tiny") as running:
        yield running
