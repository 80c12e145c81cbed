"""Who is best, of those who asked to be shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Numeric, Select, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.schema import games, profiles, seats, standings
from server.rules.events import CALLED_OFF

LEADERS: Final = 100


async def leaders(
    connection: AsyncConnection, since: datetime | None, buy_in_amount: int | None
) -> Sequence[Any]:
    """Those who won most games since then, of those who asked to be shown: `alien_id`, `games`,
    `won` and `coins_won`. Equals are ordered by coins and then by name. Games that were called off
    do not count."""
    found: Sequence[Any] = (await connection.execute(leaders_query(since, buy_in_amount))).all()
    return found


def leaders_query(since: datetime | None, buy_in_amount: int | None) -> Select[Any]:
    """The query of `leaders`."""
    played = _played_ever(buy_in_amount) if since is None else _played_since(since, buy_in_amount)
    by_player = played.subquery("played")
    return (
        select(by_player)
        .order_by(by_player.c.won.desc(), by_player.c.coins_won.desc(), by_player.c.alien_id)
        .limit(LEADERS)
    )


def _played_ever(buy_in_amount: int | None) -> Select[Any]:
    """What each listed player played and won in all."""

    def total(name: str, kind: Any) -> Any:
        return cast(func.sum(standings.c[name]), kind).label(name)

    return (
        select(
            standings.c.alien_id,
            total("games", BigInteger),
            total("won", BigInteger),
            total("coins_won", Numeric),
        )
        .join(profiles, profiles.c.alien_id == standings.c.alien_id)
        .where(
            profiles.c.listed,
            true() if buy_in_amount is None else standings.c.buy_in_amount == buy_in_amount,
        )
        .group_by(standings.c.alien_id)
    )


def _played_since(since: datetime, buy_in_amount: int | None) -> Select[Any]:
    """What each listed player played and won in the games that ended since then."""
    return (
        select(
            seats.c.alien_id,
            func.count().label("games"),
            func.count().filter(seats.c.won).label("won"),
            cast(func.sum(seats.c.paid_out), Numeric).label("coins_won"),
        )
        .join(profiles, profiles.c.alien_id == seats.c.alien_id)
        .join(games, games.c.lobby_id == seats.c.lobby_id)
        .where(
            profiles.c.listed,
            games.c.finished_at >= since,
            # The same instant: whichever of both is looked for first.
            seats.c.finished_at >= since,
            games.c.outcome.not_in(sorted(CALLED_OFF)),
            true() if buy_in_amount is None else games.c.buy_in_amount == buy_in_amount,
        )
        .group_by(seats.c.alien_id)
    )
