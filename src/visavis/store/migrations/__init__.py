"""Brings a database's schema to the newest revision; each step is one file in `versions`."""

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from visavis.store.errors import SchemaError


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the missing steps inside the transaction that `connection` is in.

    Raises `SchemaError` for a schema made by a newer visavis.
    """
    config = Config()
    config.set_main_option("script_location", str(resources.files(__package__)))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise SchemaError(
            f"The database has schema {current}, which is newer than this visavis knows "
            f"(up to {scripts.get_current_head()}). Please update visavis, or use another VISAVIS_DATA."
        )
    if current != scripts.get_current_head():
        command.upgrade(config, revision)
