from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.api.server import Server, server

# How fast this machine is at the moment says nothing about the code.
settings.register_profile("api", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("api")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Server]:
    async with server(tmp_path) as running:
        yield running
