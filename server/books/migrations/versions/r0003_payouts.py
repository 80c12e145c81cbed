"""Payouts: a queue of what is owed, which fills itself from the ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

# An owed entry that names nobody, or no amount as we write it, is for people to look at. What is
# looked at is its text, where a quote within a value has a backslash before it: PostgreSQL does not
# look into an entry with a NUL character, as a transaction may have.
QUEUE = """
INSERT INTO payouts (payout_id, entry_id, table_name, kind, alien_id, amount, lobby_id, invoice_id,
                     owed_at)
SELECT 'po_' || table_name || '_' || stream_ms || '-' || stream_seq, entry_id, table_name,
       CASE kind WHEN 'payout_owed' THEN 'payout' ELSE 'refund' END, alien_id, amount, lobby_id,
       invoice_id, coalesce(at, to_timestamp(stream_ms / 1000.0))
FROM {moved}
WHERE kind IN ('payout_owed', 'refund_owed') AND NOT test AND amount > 0
      AND fields::text ~ '[{{,] ?"amount": ?"[0-9]{{1,30}}([.][0-9]{{1,36}})?"'
      AND alien_id <> '' AND event <> ''
ON CONFLICT DO NOTHING
"""
# One that was settled, and not because of what the service said, was settled by hand. Rows are
# locked in the order in which others lock them.
SETTLE = """
UPDATE payouts
SET status = 'settled', reference = settled.reference, by_hand = NOT in_doubt, in_doubt = false,
    reason = NULL, next_at = NULL, updated_at = now()
FROM (
    SELECT payouts.payout_id, settled.reference
    FROM {moved} AS settled
    JOIN payouts ON payouts.entry_id = settled.table_name || ':' || settled.event
    WHERE settled.kind = 'settled' AND payouts.status <> 'settled'
    ORDER BY payouts.payout_id FOR UPDATE OF payouts
) AS settled
WHERE payouts.payout_id = settled.payout_id AND payouts.status <> 'settled'
"""


def upgrade() -> None:
    """Make the tables, and queue what the books have by now and from now on."""
    now = sa.text("now()")
    op.create_table(
        "payouts",
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("alien_id", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("lobby_id", sa.Text(), nullable=True),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), server_default="due", nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("in_doubt", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("by_hand", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "approved_by",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), server_default=now, nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("payout_id", name="payouts_pkey"),
        sa.UniqueConstraint("entry_id", name="payouts_entry_id_key"),
        comment="Every debt that is no test, and how far its payment is. A trigger on `ledger` adds"
        " them, whichever version moves the ledger.",
    )
    op.create_index("payouts_lobby_id_alien_id_idx", "payouts", ["lobby_id", "alien_id"])
    is_open = sa.text("status <> 'settled'")
    op.create_index("payouts_open_idx", "payouts", ["status", "next_at"], postgresql_where=is_open)
    op.create_index("payouts_oldest_idx", "payouts", ["owed_at"], postgresql_where=is_open)
    op.create_table(
        "payout_control",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_in_a_row", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="payout_control_pkey"),
        comment="Whether payouts pause, and why: one row.",
    )
    op.execute("INSERT INTO payout_control (id, refused_in_a_row) VALUES (1, 0)")
    op.create_table(
        "payout_minutes",
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coins", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("minute", name="payout_minutes_pkey"),
        comment="What was sent in each minute of the last hour, where an hour has a limit.",
    )
    op.execute(
        "CREATE FUNCTION queue_payouts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" {QUEUE.format(moved='moved')}; {SETTLE.format(moved='moved')}; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER queue_payouts AFTER INSERT ON ledger REFERENCING NEW TABLE AS moved"
        " FOR EACH STATEMENT EXECUTE FUNCTION queue_payouts()"
    )
    op.execute(QUEUE.format(moved="ledger"))
    op.execute(SETTLE.format(moved="ledger"))
