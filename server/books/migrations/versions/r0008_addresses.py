"""Addresses of players, where operators have them kept."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "addresses",
        sa.Column("alien_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("alien_id", "address", name="addresses_pkey"),
        comment="Which addresses players came from, as long as ADDRESS_DAYS says.",
    )
    op.create_index("addresses_kept_until_idx", "addresses", ["kept_until"])
