"""What players won in all, which nobody has to count anew over every game that was ever played."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# Rows are locked in one order, whoever writes: two archives may move games of the same players.
_COUNT = """
INSERT INTO standings AS known (alien_id, buy_in_amount, games, won, coins_won)
SELECT moved.alien_id, games.buy_in_amount, count(*), count(*) FILTER (WHERE moved.won),
       sum(moved.paid_out)
FROM {moved} AS moved
JOIN games USING (lobby_id)
WHERE games.outcome NOT IN ('cancelled', 'voided')
GROUP BY moved.alien_id, games.buy_in_amount
ORDER BY moved.alien_id, games.buy_in_amount
ON CONFLICT (alien_id, buy_in_amount) DO UPDATE
SET games = known.games + excluded.games, won = known.won + excluded.won,
    coins_won = known.coins_won + excluded.coins_won
"""


def upgrade() -> None:
    """Make the table, and count what the books have by now and from now on."""
    op.create_table(
        "standings",
        sa.Column("alien_id", sa.Text(), nullable=False),
        sa.Column("buy_in_amount", sa.BigInteger(), nullable=False),
        sa.Column("games", sa.BigInteger(), nullable=False),
        sa.Column("won", sa.BigInteger(), nullable=False),
        sa.Column("coins_won", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("alien_id", "buy_in_amount", name="standings_pkey"),
        comment="What each player played and won in all, by tier. A trigger on `seats` counts,"
        " whichever version moves the games.",
    )
    op.execute(
        "CREATE FUNCTION count_standings() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" {_COUNT.format(moved='moved')}; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER count_standings AFTER INSERT ON seats REFERENCING NEW TABLE AS moved"
        " FOR EACH STATEMENT EXECUTE FUNCTION count_standings()"
    )
    op.execute(_COUNT.format(moved="seats"))
