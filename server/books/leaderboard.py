"""Who is best, of those who asked to be shown. What was ever won is counted as games come into the
books, in all and by day (UTC): only the part of a day at the start of a window is read game by
game."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Numeric, Select, cast, func, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.schema import daily_standings, games, profiles, seats, standings
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
    if since is None:
        played = _counted(standings, buy_in_amount).subquery("played")
    else:
        midnight = _midnight_from(since)
        whole_days = _counted(daily_standings, buy_in_amount).where(
            daily_standings.c.day >= midnight.date()
        )
        first_part = _game_by_game(since, midnight, buy_in_amount)
        played = union_all(whole_days, first_part).subquery("played")

    def total(name: str, kind: Any) -> Any:
        return cast(func.sum(played.c[name]), kind).label(name)

    won, coins_won = total("won", BigInteger), total("coins_won", Numeric)
    return (
        select(played.c.alien_id, total("games", BigInteger), won, coins_won)
        .group_by(played.c.alien_id)
        .order_by(won.desc(), coins_won.desc(), played.c.alien_id)
        .limit(LEADERS)
    )


def _counted(counts: Any, buy_in_amount: int | None) -> Select[Any]:
    """What listed players played and won, as it was counted."""
    return (
        select(*(counts.c[name] for name in ("alien_id", "games", "won", "coins_won")))
        .join(profiles, profiles.c.alien_id == counts.c.alien_id)
        .where(
            profiles.c.listed,
            true() if buy_in_amount is None else counts.c.buy_in_amount == buy_in_amount,
        )
    )


def _game_by_game(start: datetime, end: datetime, buy_in_amount: int | None) -> Select[Any]:
    """What listed players played and won in the games that ended from `start` on before `end`."""
    return (
        select(
            seats.c.alien_id,
            func.count().label("games"),
            func.count().filter(seats.c.won).label("won"),
            func.sum(seats.c.paid_out).label("coins_won"),
        )
        .join(profiles, profiles.c.alien_id == seats.c.alien_id)
        .join(games, games.c.lobby_id == seats.c.lobby_id)
        .where(
            profiles.c.listed,
            # Both are the same instant: whichever is looked for first.
            *(table.c.finished_at >= start for table in (games, seats)),
            *(table.c.finished_at < end for table in (games, seats)),
            games.c.outcome.not_in(sorted(CALLED_OFF)),
            true() if buy_in_amount is None else games.c.buy_in_amount == buy_in_amount,
        )
        .group_by(seats.c.alien_id)
    )


def _midnight_from(at: datetime) -> datetime:
    """The first start of a day (UTC) that is not before then."""
    started = datetime.combine(at.astimezone(UTC).date(), time(), UTC)
    return started if started == at else started + timedelta(days=1)
