"""What is owed because of a payment whose transaction has a NUL character is queued like any other:
the function as 0003 makes it by now."""

from alembic import op

from server.books.migrations.versions.r0003_payouts import QUEUE, SETTLE

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the function anew. Nothing is to be queued: such entries have stopped the archive."""
    op.execute(
        "CREATE OR REPLACE FUNCTION queue_payouts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" {QUEUE.format(moved='moved')}; {SETTLE.format(moved='moved')}; RETURN NULL; END $$"
    )
