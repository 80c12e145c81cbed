"""When a payout was counted for the limit of an hour: what is sent again later counts anew."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column, empty: what is sent again after this counts once more."""
    op.add_column("payouts", sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True))
