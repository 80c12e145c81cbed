"""What is owed because of a payment whose transaction has a letter NUL is queued like any other:
PostgreSQL does not look into such an entry, so its text is looked at."""

from alembic import op

from server.books.migrations.versions.r0003_payouts import QUEUE, SETTLE

revision = "0009"
down_revision = "0008"

_BEFORE = "fields ->> 'amount' ~ '^[0-9]{{1,30}}([.][0-9]{{1,36}})?$'"
# A quote within a value has a backslash before it.
_NOW = """fields::text ~ '[{{,] ?"amount": ?"[0-9]{{1,30}}([.][0-9]{{1,36}})?"'"""
_QUEUE = QUEUE.replace(_BEFORE, _NOW)


def upgrade() -> None:
    """Make the function anew. Nothing is to be queued: such entries have stopped the archive."""
    op.execute(
        "CREATE OR REPLACE FUNCTION queue_payouts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" {_QUEUE.format(moved='moved')}; {SETTLE.format(moved='moved')}; RETURN NULL; END $$"
    )
