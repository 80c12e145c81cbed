"""Two settlements of one debt move like everything else: it is `audit` that names them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the index of settlements anew, without the constraint."""
    op.drop_index("ledger_settled_idx", table_name="ledger")
    op.create_index(
        "ledger_settled_idx",
        "ledger",
        ["table_name", "event"],
        postgresql_where=sa.text("kind = 'settled'"),
    )
