"""What players won on each day: a month is thirty rows of a player, and not all of its games."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# Rows are locked in one order, whoever writes: two archives may move games of the same players.
_COUNT = """
INSERT INTO {standings} AS known ({key}, games, won, coins_won)
SELECT {values}, count(*), count(*) FILTER (WHERE moved.won), sum(moved.paid_out)
FROM {moved} AS moved
JOIN games USING (lobby_id)
WHERE games.outcome NOT IN ('cancelled', 'voided')
GROUP BY {values}
ORDER BY {values}
ON CONFLICT ({key}) DO UPDATE
SET games = known.games + excluded.games, won = known.won + excluded.won,
    coins_won = known.coins_won + excluded.coins_won
"""
_EVER = {
    "standings": "standings",
    "key": "alien_id, buy_in_amount",
    "values": "moved.alien_id, games.buy_in_amount",
}
_DAILY = {
    "standings": "daily_standings",
    "key": "alien_id, day, buy_in_amount",
    "values": "moved.alien_id, (moved.finished_at AT TIME ZONE 'UTC')::date, games.buy_in_amount",
}


def upgrade() -> None:
    """Make the table, and count what the books have by now and from now on."""
    op.create_table(
        "daily_standings",
        sa.Column("alien_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("buy_in_amount", sa.BigInteger(), nullable=False),
        sa.Column("games", sa.BigInteger(), nullable=False),
        sa.Column("won", sa.BigInteger(), nullable=False),
        sa.Column("coins_won", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("alien_id", "day", "buy_in_amount", name="daily_standings_pkey"),
        comment="What each player played and won on each day (UTC), by tier. A trigger on `seats`"
        " counts, whichever version moves the games.",
    )
    counts = "; ".join(_COUNT.format(moved="moved", **by) for by in (_EVER, _DAILY))
    op.execute(
        "CREATE OR REPLACE FUNCTION count_standings() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" {counts}; RETURN NULL; END $$"
    )
    op.execute(_COUNT.format(moved="seats", **_DAILY))
