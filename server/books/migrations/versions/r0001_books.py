"""Games with their records, seats, the ledger, closed invoices and unmatched payments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "cursors",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("last_id", sa.Text(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("table_name", name="cursors_pkey"),
        comment="How far each table's ledger has moved. Whoever locks a row moves that table.",
    )
    op.create_table(
        "games",
        sa.Column("lobby_id", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("buy_in_amount", sa.BigInteger(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("winner", sa.Text(), nullable=True),
        sa.Column("pattern", sa.Text(), nullable=True),
        sa.Column("pot", sa.Numeric(), nullable=False),
        sa.Column("player_count", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("server_seed_hash", sa.Text(), nullable=False),
        sa.Column("log_hash", sa.Text(), nullable=False),
        sa.Column("proof", postgresql.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("lobby_id", name="games_pkey"),
        comment="Every lobby that is over.",
    )
    op.create_index(
        "games_finished_at_lobby_id_idx", "games", ["finished_at", "lobby_id"], unique=False
    )
    op.create_table(
        "invoices",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("lobby_id", sa.Text(), nullable=False),
        sa.Column("alien_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("fields", postgresql.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("invoice_id", name="invoices_pkey"),
        comment="Closed invoices, as the store had them.",
    )
    op.create_index("invoices_alien_id_idx", "invoices", ["alien_id"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("stream_ms", sa.BigInteger(), nullable=False),
        sa.Column("stream_seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("lobby_id", sa.Text(), nullable=True),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("alien_id", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.Text(), nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("fields", postgresql.JSON(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="ledger_pkey"),
        comment="Every movement of money, in the order of its table's stream.",
    )
    op.create_index(
        "ledger_alien_id_at_entry_id_idx", "ledger", ["alien_id", "at", "entry_id"], unique=False
    )
    op.create_index("ledger_lobby_id_idx", "ledger", ["lobby_id"], unique=False)
    op.create_index(
        "ledger_settled_idx",
        "ledger",
        ["table_name", "event"],
        unique=True,
        postgresql_where=sa.text("kind = 'settled'"),
    )
    op.create_index(
        "ledger_table_name_stream_ms_stream_seq_idx",
        "ledger",
        ["table_name", "stream_ms", "stream_seq"],
        unique=True,
    )
    op.create_table(
        "unmatched",
        sa.Column("tx", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tx", name="unmatched_pkey"),
        comment="Payments that belong to no invoice: the transaction and what was delivered.",
    )
    op.create_table(
        "records",
        sa.Column("lobby_id", sa.Text(), nullable=False),
        sa.Column("log", postgresql.JSON(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lobby_id"], ["games.lobby_id"], name="records_lobby_id_fkey"),
        sa.PrimaryKeyConstraint("lobby_id", name="records_pkey"),
        comment="The whole log of each game, entry by entry, and the hash of its last entry.",
    )
    op.create_table(
        "seats",
        sa.Column("lobby_id", sa.Text(), nullable=False),
        sa.Column("alien_id", sa.Text(), nullable=False),
        sa.Column("kicked", sa.Boolean(), nullable=False),
        sa.Column("left_early", sa.Boolean(), nullable=False),
        sa.Column("won", sa.Boolean(), nullable=False),
        sa.Column("paid_in", sa.Numeric(), nullable=False),
        sa.Column("paid_out", sa.Numeric(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lobby_id"], ["games.lobby_id"], name="seats_lobby_id_fkey"),
        sa.PrimaryKeyConstraint("lobby_id", "alien_id", name="seats_pkey"),
        comment="Who sat in a lobby when it ended, and what it cost and brought them.",
    )
    op.create_index(
        "seats_alien_id_finished_at_lobby_id_idx",
        "seats",
        ["alien_id", "finished_at", "lobby_id"],
        unique=False,
    )
    op.create_table(
        "profiles",
        sa.Column("alien_id", sa.Text(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("alien_id", name="profiles_pkey"),
        comment="What players want to be known of them: whether they are shown among the best.",
    )
