"""The schema: from nothing, from an older one, and from the future; and nothing of it forgotten."""

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from visavis.errors import BadInputError
from visavis.store import Store, open_store, tables
from visavis.store.database import open_database
from visavis.store.errors import SchemaError, StoreError
from visavis.store.migrations import upgrade


async def test_migrations_make_what_the_code_expects(store: Store):
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), tables.metadata))

    assert await store.database.read(differences) == []


async def test_every_counted_table_has_its_counters(store: Store):
    def kinds(connection: Connection) -> set[str]:
        source = "sqlite_master WHERE type = 'trigger'"
        column = "tbl_name"
        if connection.dialect.name == "postgresql":
            source, column = "information_schema.triggers", "event_object_table"
        return set(connection.execute(text(f"SELECT {column} FROM {source}")).scalars())

    assert await store.database.read(kinds) == set(tables.COUNTED)


async def test_opening_twice_changes_nothing(database_url: str, tmp_path: Path, secret_key: str):
    async with open_store(database_url, str(tmp_path), [secret_key]) as store:
        made = await store.personas.create({"persona_name": "A"})
    async with open_store(database_url, str(tmp_path), [secret_key]) as store:
        assert await store.personas.get(made.persona_id) == made


async def test_schema_of_a_newer_visavis_is_named(database_url: str, tmp_path: Path, secret_key: str):
    async with open_store(database_url, str(tmp_path), [secret_key]) as store:
        newer = text("UPDATE alembic_version SET version_num = '9999'")
        await store.database.write(lambda connection: connection.execute(newer) and None)
    with pytest.raises(SchemaError, match="9999, which is newer"):
        async with open_database(database_url):
            pass


async def test_failed_migration_leaves_nothing_behind(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from visavis.store import postgresql, sqlite

    def upgrade_then_fail(connection: Connection) -> None:
        upgrade(connection)
        raise SchemaError("power cut")

    for module in (sqlite, postgresql):
        monkeypatch.setattr(module, "upgrade", upgrade_then_fail)
    with pytest.raises(SchemaError, match="power cut"):
        async with open_database(database_url):
            pass
    monkeypatch.undo()
    for module in (sqlite, postgresql):
        monkeypatch.setattr(module, "upgrade", lambda connection: None)
    async with open_database(database_url) as database:
        assert await database.read(lambda connection: inspect(connection).get_table_names()) == []


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:"])
async def test_unusable_url_is_refused_without_showing_a_password(url: str):
    with pytest.raises(BadInputError, match="VISAVIS_DATABASE_URL"):
        async with open_database(url):
            pass


async def test_server_that_is_not_there_is_named_without_its_password():
    with pytest.raises(StoreError) as caught:
        async with open_database("postgresql://user:hidden-password@127.0.0.1:9/name"):
            pass
    assert "127.0.0.1:9" in str(caught.value)
    assert "hidden-password" not in str(caught.value)


async def test_file_that_is_no_database_is_named(tmp_path: Path):
    path = tmp_path / "visavis.db"
    path.write_text("This is a shopping list." * 100)
    with pytest.raises(StoreError, match="not a database"):
        async with open_database(f"sqlite:///{path}"):
            pass
