from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from tests.unit.api.server import Server, server

# How fast this machine is at the moment says nothing about the code.
settings.register_profile("api", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("api")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Server]:
    async with server(tmp_path) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refusing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server for all tests of a file that ask for what it refuses, so that nothing is left of them.

    They carry `@pytest.mark.asyncio(loop_scope="module")`.
    """
    async with server(tmp_path_factory.mktemp("refusing")) as running:
        yield running
