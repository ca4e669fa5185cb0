"""A store on each database: every test that asks for `store` runs on both."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.postgresql import Postgresql, is_installed, running_postgresql
from visavis.store import Store, open_store

DATABASES = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.skipif(not is_installed(), reason="PostgreSQL is not installed")),
]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    with running_postgresql() as server:
        yield server


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/visavis.db"
    server: Postgresql = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def secret_key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
async def store(database_url: str, tmp_path: Path, secret_key: str) -> AsyncIterator[Store]:
    async with open_store(database_url, str(tmp_path / "files"), [secret_key]) as opened:
        yield opened
