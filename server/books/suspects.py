"""Players who sit together more often than chance would have it, and players of one address."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_FORGOTTEN_AT_ONCE: Final = 50_000


async def pairs_that_share(
    connection: AsyncConnection, since: datetime, least: int, most: int
) -> Sequence[Any]:
    """Pairs of players who sat together in at least `least` games that ended since then, at most
    `most`: those who share an address first, then by the share of the games of whoever played less.
    """
    wanted = {"since": since, "least": least, "most": most}
    return (await connection.execute(_PAIRS, wanted)).all()


# `by_chance`: shared games to be expected if all who played were put into lobbies at random.
_PAIRS: Final = text("""
WITH seated AS MATERIALIZED (
    SELECT lobby_id, alien_id, won, paid_in
    FROM games JOIN seats USING (lobby_id)
    WHERE games.finished_at >= :since AND games.outcome IN ('won', 'no_winner')
), played AS (
    SELECT alien_id, count(*) AS games FROM seated GROUP BY alien_id
), dealt AS (
    SELECT sum(seats) AS seats, sum(seats * (seats - 1)) AS neighbours
    FROM (SELECT count(*) AS seats FROM seated GROUP BY lobby_id) AS lobbies
), pairs AS (
    SELECT one.alien_id AS one, other.alien_id AS other, count(*) AS shared,
           coalesce(sum(one.paid_in) FILTER (WHERE other.won), 0) AS one_to_other,
           coalesce(sum(other.paid_in) FILTER (WHERE one.won), 0) AS other_to_one
    FROM seated AS one
    JOIN seated AS other ON other.lobby_id = one.lobby_id AND other.alien_id > one.alien_id
    GROUP BY one.alien_id, other.alien_id HAVING count(*) >= :least
)
SELECT pairs.*, least(first.games, second.games) AS of_games,
       first.games * second.games * dealt.neighbours::float / dealt.seats / dealt.seats
           AS by_chance,
       common.addresses
FROM pairs
JOIN played AS first ON first.alien_id = pairs.one
JOIN played AS second ON second.alien_id = pairs.other
CROSS JOIN dealt
CROSS JOIN LATERAL (
    SELECT count(*) AS addresses FROM addresses AS here JOIN addresses AS there USING (address)
    WHERE here.alien_id = pairs.one AND there.alien_id = pairs.other
) AS common
ORDER BY common.addresses > 0 DESC, shared::float / least(first.games, second.games) DESC,
         shared DESC, one, other
LIMIT :most
""")


async def note_addresses(
    connection: AsyncConnection, seen: Collection[tuple[str, str]], days: int
) -> None:
    """Keep for `days` that these players came from these addresses."""
    in_order = sorted(seen)  # the order of all who lock them: no deadlock
    await connection.execute(
        text(
            "INSERT INTO addresses (alien_id, address, first_at, last_at, kept_until)"
            " SELECT alien_id, address, now(), now(), now() + :days * interval '1 day'"
            " FROM unnest(CAST(:alien_ids AS text[]), CAST(:addresses AS text[]))"
            " AS seen(alien_id, address)"
            " ON CONFLICT (alien_id, address) DO UPDATE"
            " SET last_at = excluded.last_at, kept_until = excluded.kept_until"
        ),
        {
            "alien_ids": [alien_id for alien_id, _ in in_order],
            "addresses": [address for _, address in in_order],
            "days": days,
        },
    )


async def forget_addresses(connection: AsyncConnection) -> None:
    """Delete what was kept for long enough: some at a time."""
    await connection.execute(
        text(
            "DELETE FROM addresses WHERE (alien_id, address) IN (SELECT alien_id, address"
            " FROM addresses WHERE kept_until < now() ORDER BY alien_id, address LIMIT :most"
            " FOR UPDATE SKIP LOCKED)"
        ),
        {"most": _FORGOTTEN_AT_ONCE},
    )
