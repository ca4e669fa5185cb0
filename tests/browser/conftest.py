"""What tests share, because starting it for each of them would take as long as the tests: a browser and a server."""

from collections.abc import Iterator

import pytest

from tests.server import RunningServer, running_server
from tests.visitor import CHROMIUM, kept_browser


@pytest.fixture(autouse=True, scope="module")
def _browser() -> Iterator[None]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is absent; apt-get install chromium")
    with kept_browser():
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    with running_server("--quality", "tiny") as running:
        yield running
