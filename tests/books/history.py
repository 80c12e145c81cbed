"""What each earlier schema of the books could hold: a row for each table, as it was then."""

from alembic import command
from sqlalchemy import Connection

from server.books import migrate as migrations
from server.books.engine import open_books
from server.books.revisions import known_revisions

REVISIONS = sorted(known_revisions())

_ROWS: dict[str, dict[str, str]] = {
    "0001": {
        "cursors": "INSERT INTO cursors VALUES ('3500', '1-0', 1, 'h', now())",
        "games": "INSERT INTO games VALUES ('lobby_3500_000000000001', '3500', 3500, 'classic',"
        " 'won', 'ann', 'row_0', 7000, 2, 9, now(), now(), now(), 'h', 'h', '{}')",
        "records": "INSERT INTO records VALUES ('lobby_3500_000000000001', '[]', 'h')",
        "seats": "INSERT INTO seats VALUES ('lobby_3500_000000000001', 'ann', false, false, true,"
        " 3500, 7000, now())",
        "ledger": "INSERT INTO ledger VALUES ('3500:1-0', '3500', 1, 0, 'received', 3500.25,"
        " 'lobby_3500_000000000001', 'i', 'ann', now(), 'tx', false, null, '{}', 'h')",
        "invoices": "INSERT INTO invoices VALUES ('i', 'l', 'ann', 'paid', 1, '{}')",
        "unmatched": "INSERT INTO unmatched VALUES ('tx', '{}')",
        "profiles": "INSERT INTO profiles VALUES ('ann', true)",
    },
    "0002": {},
    "0003": {
        "payouts": "INSERT INTO payouts VALUES ('po_3500_1-0', '3500:1-0', '3500', 'payout', 'ann',"
        " 7000, 'lobby_3500_000000000001', NULL, now())",
        "payout_minutes": "INSERT INTO payout_minutes VALUES (now(), 1)",
    },
    "0004": {},
    "0005": {},
    "0006": {},
}


def rows_of(revision: str) -> dict[str, str]:
    """A statement for each table that there was at `revision`, which puts one row into it."""
    return {
        table: statement
        for past, rows in _ROWS.items()
        if past <= revision
        for table, statement in rows.items()
    }


async def upgrade_to(url: str, revision: str) -> None:
    """Make the schema as it was at `revision`."""

    def upgrade(connection: Connection) -> None:
        config = migrations.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with open_books(url) as books, books.begin() as connection:
        await connection.run_sync(upgrade)
