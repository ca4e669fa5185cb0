from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.api.server import Server, server


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Server]:
    async with server(tmp_path) as running:
        yield running
