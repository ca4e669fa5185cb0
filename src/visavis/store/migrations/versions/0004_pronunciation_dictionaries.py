"""Pronunciation dictionaries that personas share."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_LIVING = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "pronunciation_dictionaries",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.Column("document", sa.JSON(), nullable=False),
    )
    op.create_index(
        "ix_pronunciation_dictionaries_newest",
        "pronunciation_dictionaries",
        [sa.text("created_at DESC"), sa.text("id DESC")],
        sqlite_where=_LIVING,
        postgresql_where=_LIVING,
    )
