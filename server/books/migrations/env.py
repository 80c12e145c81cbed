"""How Alembic runs the migrations: on the connection that `server.books.migrate` gives it."""

from alembic import context

from server.books.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
