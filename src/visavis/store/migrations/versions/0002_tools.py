"""Tools that personas share."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_LIVING = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "tools",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.Column("document", sa.JSON(), nullable=False),
    )
    newest = ["created_at DESC", "id DESC"]
    op.create_index(
        "ix_tools_newest", "tools", list(map(sa.text, newest)), sqlite_where=_LIVING, postgresql_where=_LIVING
    )
