"""What players read of their past, a query each. The SQL is written out: to build it each time took
longer than to run it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

Query = tuple[TextClause, dict[str, Any]]
"""A query, and the values that it is asked with."""


async def games_of(
    connection: AsyncConnection, alien_id: str, limit: int, before: tuple[datetime, str] | None
) -> Sequence[Any]:
    """A player's games, the latest first, at most `limit`; those before the end and the id of the
    lobby in `before`."""
    found = await connection.execute(*games_query(alien_id, limit, before))
    return found.all()


def games_query(alien_id: str, limit: int, before: tuple[datetime, str] | None) -> Query:
    """The query of `games_of`."""
    values = {"alien_id": alien_id, "limit": limit}
    if before is None:
        return _GAMES, values
    return _MORE_GAMES, values | {"at": before[0], "lobby_id": before[1]}


def _games(condition: str = "") -> TextClause:
    # If a game owes a player more than one payment, such as a buy-in that came twice, the pot is
    # the one that is shown.
    return text(f"""
SELECT games.lobby_id, games.buy_in_amount, games.variant, games.outcome, games.pattern, games.pot,
       games.player_count, games.calls, seats.won, seats.kicked, seats.paid_in, seats.paid_out,
       seats.finished_at, payout.amount AS payout_amount, payout.status AS payout_status,
       payout.reference AS payout_reference
FROM seats JOIN games ON games.lobby_id = seats.lobby_id
LEFT JOIN LATERAL (
    SELECT amount, status, reference FROM payouts
    WHERE payouts.lobby_id = seats.lobby_id AND payouts.alien_id = seats.alien_id
    ORDER BY kind, owed_at DESC, payout_id LIMIT 1
) AS payout ON true
WHERE seats.alien_id = :alien_id {condition}
ORDER BY seats.finished_at DESC, seats.lobby_id DESC LIMIT :limit
""")  # noqa: S608 - of constants


_GAMES: Final = _games()
_MORE_GAMES: Final = _games("AND (seats.finished_at, seats.lobby_id) < (:at, :lobby_id)")


@dataclass(frozen=True, slots=True)
class PlayerSums:
    """What a player paid in, was paid, and is owed still, in coins."""

    paid_in: Decimal
    paid_out: Decimal
    owed: Decimal


@dataclass(frozen=True, slots=True)
class MovementPlace:
    """Where a movement stands among all: by its time, and among those of the same by its entry."""

    at: datetime
    stream_ms: int
    stream_seq: int
    table: str


async def statement_of(
    connection: AsyncConnection,
    alien_id: str,
    window: tuple[datetime, datetime],
    limit: int,
    after: MovementPlace | None,
) -> tuple[Sequence[Any], PlayerSums]:
    """The movements of a player's money in a window (its end not included) in order, at most
    `limit`; those after the one at that place. And what all of the window add up to, where `owed`
    is what is not settled by now."""
    query = statement_query(alien_id, window, limit, after)
    found = (await connection.execute(*query)).all()
    sums = PlayerSums(found[0].paid_in, found[0].paid_out, found[0].owed)
    return [row for row in found if row.entry_id is not None], sums


def statement_query(
    alien_id: str,
    window: tuple[datetime, datetime],
    limit: int,
    after: MovementPlace | None,
) -> Query:
    """The query of `statement_of`."""
    values = {"alien_id": alien_id, "limit": limit, "start": window[0], "end": window[1]}
    if after is None:
        return _STATEMENT, values
    place = {"at": after.at, "ms": after.stream_ms, "seq": after.stream_seq, "table": after.table}
    return _REST_OF_STATEMENT, values | place


_OF_THE_PLAYER: Final = (
    "ledger.alien_id = :alien_id AND ledger.amount IS NOT NULL"
    " AND ledger.kind IN ('received', 'payout_owed', 'refund_owed', 'settled')"
    " AND ledger.at >= :start AND ledger.at < :end"
)


def _statement(condition: str = "") -> TextClause:
    # One query for both, so that nobody waits twice: the sums are on every row, and there is a
    # row if there is no movement. The index has entries in the order of their times, so only equals
    # are sorted.
    return text(f"""
SELECT page.*, sums.* FROM (
    SELECT coalesce(sum(amount) FILTER (WHERE kind = 'received'), 0) AS paid_in,
           coalesce(sum(amount) FILTER (WHERE kind = 'settled'), 0) AS paid_out,
           coalesce(sum(amount) FILTER (
               WHERE kind IN ('payout_owed', 'refund_owed') AND NOT EXISTS (
                   SELECT FROM ledger AS settled
                   WHERE settled.kind = 'settled' AND settled.table_name = ledger.table_name
                         AND settled.event = ledger.stream_ms || '-' || ledger.stream_seq
               )
           ), 0) AS owed
    FROM ledger WHERE {_OF_THE_PLAYER}
) AS sums LEFT JOIN (
    SELECT entry_id, kind, amount, lobby_id, invoice_id, reference, at, stream_ms, stream_seq,
           table_name
    FROM ledger WHERE {_OF_THE_PLAYER} {condition}
    ORDER BY at, stream_ms, stream_seq, table_name LIMIT :limit
) AS page ON true
ORDER BY page.at, page.stream_ms, page.stream_seq, page.table_name
""")  # noqa: S608 - of constants


_STATEMENT: Final = _statement()
_REST_OF_STATEMENT: Final = _statement(
    "AND at >= :at AND (at, stream_ms, stream_seq, table_name) > (:at, :ms, :seq, :table)"
)
