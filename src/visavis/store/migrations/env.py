"""What Alembic runs: the steps, on the connection that `upgrade` was given."""

from alembic import context

from visavis.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
