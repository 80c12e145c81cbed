"""Who is best, of those who asked to be shown. What was won is counted as games come into the
books, in all and by day (UTC): no list is summed up from games."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import BigInteger, Numeric, Select, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.schema import daily_standings, profiles, standings

LEADERS: Final = 100


async def leaders(
    connection: AsyncConnection, first_day: date | None, buy_in_amount: int | None
) -> Sequence[Any]:
    """Those who won most games that ended on that day (UTC) or later, or ever, of those who asked
    to be shown: `alien_id`, `games`, `won` and `coins_won`. Equals are ordered by coins and then by
    name. Games that were called off do not count."""
    query = leaders_query(first_day, buy_in_amount)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


def leaders_query(first_day: date | None, buy_in_amount: int | None) -> Select[Any]:
    """The query of `leaders`."""
    counts: Any = standings if first_day is None else daily_standings

    def total(name: str, kind: Any) -> Any:
        return cast(func.sum(counts.c[name]), kind).label(name)

    won, coins_won = total("won", BigInteger), total("coins_won", Numeric)
    # The same order everywhere: how letters are ordered depends on a database's locale.
    by_name = counts.c.alien_id.collate("C")
    return (
        select(counts.c.alien_id, total("games", BigInteger), won, coins_won)
        .join(profiles, profiles.c.alien_id == counts.c.alien_id)
        .where(
            profiles.c.listed,
            true() if first_day is None else counts.c.day >= first_day,
            true() if buy_in_amount is None else counts.c.buy_in_amount == buy_in_amount,
        )
        .group_by(counts.c.alien_id)
        .order_by(won.desc(), coins_won.desc(), by_name)
        .limit(LEADERS)
    )
