"""The past as players see it: from the books, which is where it went."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from protocol import history
from protocol.errors import ErrorCode, Refused
from protocol.http import iso_time
from server.books import leaderboard, of_players, reading
from server.books.engine import Books
from server.runtime.clock import StoreClock
from server.services.books_asked import asked
from server.services.leaderboards import Leaderboards
from server.store.past_ledger import is_stream_id, stream_position

_DAYS: Final = {"day": 1, "week": 7, "month": 30}
"""How many days (UTC) a period has, of which today is the last."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
RowPosition = tuple[datetime, str]
"""Where a page ended: the time and the id of its last row."""


class History:
    """What is asked of the books. Every method raises StoreUnavailable."""

    def __init__(self, books: Books, clock: StoreClock) -> None:
        self._books = books
        self._clock = clock
        self._leaderboards = Leaderboards(self._leaderboard)

    async def games(
        self, alien_id: str, limit: int, before: str | None
    ) -> history.GamesPage | Refused:
        """A player's games, the latest first; those after the page that gave `before`."""
        place = None if before is None else read_cursor(before)
        if isinstance(place, Refused):
            return place
        async with asked(self._books) as connection:
            rows = await of_players.games_of(connection, alien_id, limit + 1, place)
        shown = rows[:limit]
        return history.GamesPage(
            games=[_past_game(row) for row in shown],
            next=_next(rows, limit, lambda row: (row.finished_at, row.lobby_id)),
        )

    async def statement(
        self,
        alien_id: str,
        start: datetime | None,
        end: datetime | None,
        before: str | None,
        most: int = history.STATEMENT_LIMIT,
    ) -> history.Statement | Refused:
        """The movements of a player's money from `start` on and before `end`, in order, at most so
        many of them."""
        place = None if before is None else _movement_place(before)
        if isinstance(place, Refused):
            return place
        window = (start or _EPOCH, end or _now(self._clock) + timedelta(seconds=1))
        async with asked(self._books) as connection:
            rows, sums = await of_players.statement_of(
                connection, alien_id, window, most + 1, place
            )
        return history.Statement(
            entries=[_statement_entry(row) for row in rows[:most]],
            sums=history.StatementSums(
                paid_in=sums.paid_in, paid_out=sums.paid_out, owed=sums.owed
            ),
            next=_next(rows, most, lambda row: (row.at, row.entry_id)),
        )

    async def leaderboard(
        self, period: history.Period, buy_in_amount: int | None
    ) -> history.Leaderboard:
        """Those who won most games today (UTC), in the last 7 or 30 days with today, or ever, as it
        was 2 s ago or later."""
        return await self._leaderboards.of(period, buy_in_amount)

    async def _leaderboard(
        self, period: history.Period, buy_in_amount: int | None
    ) -> history.Leaderboard:
        since = first_instant(period, _now(self._clock))
        first_day = None if since is None else since.date()
        async with asked(self._books) as connection:
            rows = await leaderboard.leaders(connection, first_day, buy_in_amount)
        players = [
            history.Leader(
                rank=rank,
                alien_id=row.alien_id,
                games=row.games,
                won=row.won,
                coins_won=row.coins_won,
            )
            for rank, row in enumerate(rows, 1)
        ]
        return history.Leaderboard(
            period=period, since=None if since is None else iso(since), players=players
        )

    async def set_listed(self, alien_id: str, listed: bool) -> history.Profile:
        """Note whether the player is shown among the best."""
        async with asked(self._books) as connection:
            await reading.set_listed(connection, alien_id, listed)
        self._leaderboards.forget()
        return history.Profile(listed=listed)


def first_instant(period: history.Period, now: datetime) -> datetime | None:
    """When a period began that now (UTC) is in: at a midnight of UTC. None if it is for ever."""
    if period not in _DAYS:
        return None
    return datetime.combine(now.date(), time(), UTC) - timedelta(days=_DAYS[period] - 1)


def read_cursor(cursor: str) -> RowPosition | Refused:
    """The row that a cursor stands for."""
    if re.fullmatch(history.CURSOR_PATTERN, cursor) is None:
        return Refused(ErrorCode.INVALID_MESSAGE)
    written, _, row_id = cursor.partition("~")
    return _EPOCH + timedelta(microseconds=int(written)), row_id


def _movement_place(cursor: str) -> of_players.MovementPlace | Refused:
    """The place in a statement that a cursor stands for."""
    place = read_cursor(cursor)
    if isinstance(place, Refused):
        return place
    at, entry_id = place
    table, _, stream_id = entry_id.partition(":")
    if not is_stream_id(stream_id):
        return Refused(ErrorCode.INVALID_MESSAGE)
    return of_players.MovementPlace(at, *stream_position(stream_id), table)


def iso(at: datetime) -> str:
    """A time as it stands on the wire."""
    return iso_time(at.timestamp() * 1000)


def _next(rows: Sequence[Any], most: int, cursor_of: Callable[[Any], RowPosition]) -> str | None:
    """The cursor of the page after the first `most` rows, if there are more."""
    if len(rows) <= most:
        return None
    at, row_id = cursor_of(rows[most - 1])
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}~{row_id}"


def _past_game(row: Any) -> history.PastGame:
    fields = {name: value for name, value in row._mapping.items() if name[:7] != "payout_"}
    payout = None
    if row.payout_status is not None:
        payout = history.GamePayout(
            amount=row.payout_amount, status=row.payout_status, reference=row.payout_reference
        )
    return history.PastGame(**fields | {"finished_at": iso(row.finished_at), "payout": payout})


def _statement_entry(row: Any) -> history.StatementEntry:
    return history.StatementEntry(
        entry_id=row.entry_id,
        at=iso(row.at),
        kind=row.kind,
        amount=row.amount,
        lobby_id=row.lobby_id,
        invoice_id=row.invoice_id,
        reference=row.reference,
    )


def _now(clock: StoreClock) -> datetime:
    return _EPOCH + timedelta(milliseconds=clock.now_ms())
