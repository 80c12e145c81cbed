"""What an audit reads of the books: accounts that differ."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.schema import games

END: Final = (2**63 - 1, 2**63 - 1)
"""Stands behind the last entry of a ledger."""
KINDS: Final = ("received", "pot", "payout_owed", "refund_owed", "house")
_KINDS: Final = ", ".join(f"'{kind}'" for kind in KINDS)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What one lobby moved for one invoice (None: for none), by kind; when its first entry was
    written, and whom it owes its pot."""

    lobby_id: str
    invoice_id: str | None
    coins: dict[str, Decimal]
    first_ms: int
    paid_to: str | None


def _sums(name: str = "amount") -> str:
    return ", ".join(
        f"coalesce(sum({name}) FILTER (WHERE kind = '{kind}'), 0) AS {kind}" for kind in KINDS
    )


_OF_TABLE: Final = (
    "FROM ledger WHERE table_name = :table AND (stream_ms, stream_seq) <= (:ms, :seq)"
    f" AND kind IN ({_KINDS})"
    " AND entry_id <> ALL (:left_out)"
)
_TOTALS: Final = text(f"SELECT {_sums()} {_OF_TABLE}")
_PAID_TO: Final = "min(alien_id) FILTER (WHERE kind = 'payout_owed') AS paid_to"
_ACCOUNTS: Final = text(
    "SELECT coalesce(lobby_id, '') AS lobby_id, invoice_id, min(stream_ms) AS first_ms,"
    f" {_PAID_TO}, {_sums()} {_OF_TABLE}"
    " AND coalesce(lobby_id, '') = ANY (:lobbies) GROUP BY 1, 2"
)
# A lobby is over in the books if there is a game of it, and then it has paid out what that says.
_DOUBTFUL: Final = text(
    "WITH accounts AS ("  # noqa: S608 - of constants
    "SELECT coalesce(lobby_id, '') AS lobby_id, min(stream_ms) AS first_ms,"
    f" {_PAID_TO}, {_sums()} {_OF_TABLE}"
    " GROUP BY 1), winners AS ("
    "SELECT lobby_id, min(alien_id) FILTER (WHERE won) AS alien_id,"
    " sum(paid_out) AS paid_out, count(*) AS seats FROM seats GROUP BY 1), ended AS ("
    "SELECT games.*, winners.alien_id AS seat_won, coalesce(winners.paid_out, 0) AS paid_out,"
    " coalesce(seats, 0) AS seats, records.lobby_id AS recorded FROM games"
    " LEFT JOIN winners USING (lobby_id) LEFT JOIN records USING (lobby_id)"
    " WHERE table_name = :table)"
    " SELECT lobby_id FROM accounts FULL JOIN ended USING (lobby_id)"
    " WHERE coalesce(received - accounts.pot - payout_owed - refund_owed - house, 0) <> 0"
    " OR coalesce(accounts.pot, 0) <> 0"
    " OR coalesce(payout_owed, 0) <> CASE outcome WHEN 'won' THEN ended.pot ELSE 0 END"
    " OR coalesce(house, 0) <> CASE outcome WHEN 'no_winner' THEN ended.pot ELSE 0 END"
    " OR winner IS DISTINCT FROM paid_to OR winner IS DISTINCT FROM seat_won"
    " OR paid_out <> coalesce(payout_owed, 0)"
    " OR player_count <> seats OR (outcome IS NOT NULL AND recorded IS NULL)"
    " OR (outcome IS NULL AND first_ms >"
    "  (SELECT extract(epoch FROM min(finished_at)) * 1000 FROM ended))"
)
_RETURNED_TOO_MUCH: Final = text(
    f"SELECT lobby_id FROM (SELECT coalesce(lobby_id, '') AS lobby_id, {_sums()} {_OF_TABLE}"  # noqa: S608
    " AND kind IN ('received', 'refund_owed') AND invoice_id IS NOT NULL GROUP BY 1, invoice_id"
    ") AS invoices WHERE refund_owed > received"
)
_SETTLED_TWICE: Final = text(
    "SELECT event, max(entry_id) AS entry_id, count(*) AS times FROM ledger"
    " WHERE table_name = :table AND kind = 'settled' GROUP BY event HAVING count(*) > 1"
)


@dataclass(frozen=True, slots=True)
class Sums:
    """Coins by kind; lobbies that do not add up by themselves, or are not what `games` and `seats`
    say; and debts that are settled more than once: their ids in the stream, and a settlement's."""

    totals: dict[str, Decimal]
    doubtful: set[str]
    settled_twice: Sequence[tuple[str, str]]


class Accounts:
    """The sums of a table's ledger up to a place, but for those entries that are `left_out`."""

    def __init__(
        self,
        connection: AsyncConnection,
        table: str,
        last: tuple[int, int] = END,
        left_out: Sequence[str] = (),
    ) -> None:
        self._connection = connection
        self._values = {"table": table, "ms": last[0], "seq": last[1], "left_out": [*left_out]}

    async def sums(self) -> Sums:
        """The sums, and what they show."""
        totals = (await self._connection.execute(_TOTALS, self._values)).one()
        doubtful: set[str] = set()
        for question in (_DOUBTFUL, _RETURNED_TOO_MUCH):
            doubtful |= set((await self._connection.execute(question, self._values)).scalars())
        settled = await self._connection.execute(_SETTLED_TWICE, self._values)
        return Sums(_coins(totals), doubtful, [(row.event, row.entry_id) for row in settled])

    async def of(self, lobbies: Collection[str]) -> list[AccountRow]:
        """What these lobbies moved."""
        values = self._values | {"lobbies": [*lobbies]}
        rows = await self._connection.execute(_ACCOUNTS, values)
        return [
            AccountRow(row.lobby_id, row.invoice_id, _coins(row), row.first_ms, row.paid_to)
            for row in rows
        ]


def _coins(row: Any) -> dict[str, Decimal]:
    return {kind: getattr(row, kind) for kind in KINDS}


async def game_of(connection: AsyncConnection, lobby_id: str) -> Any | None:
    """A game that is over: `outcome`, `winner`, `pot`, `player_count`; who won by its seats
    (`seat_won`), what those were `paid_out` and how many there are (`seats`), and whether it is
    `recorded`. None if the books do not have it."""
    wanted = text(
        "SELECT games.outcome, games.winner, games.pot, games.player_count,"
        " (SELECT min(alien_id) FROM seats WHERE lobby_id = :lobby_id AND won) AS seat_won,"
        " (SELECT coalesce(sum(paid_out), 0) FROM seats WHERE lobby_id = :lobby_id) AS paid_out,"
        " (SELECT count(*) FROM seats WHERE lobby_id = :lobby_id) AS seats,"
        " EXISTS (SELECT FROM records WHERE lobby_id = :lobby_id) AS recorded"
        " FROM games WHERE lobby_id = :lobby_id"
    )
    return (await connection.execute(wanted, {"lobby_id": lobby_id})).one_or_none()


async def first_end_ms(connection: AsyncConnection, table: str) -> float | None:
    """When the first game of a table in the books ended, in Unix ms; None without one."""
    wanted = select(games.c.finished_at).where(games.c.table_name == table)
    found = (await connection.execute(wanted.order_by(games.c.finished_at).limit(1))).scalar()
    return None if found is None else found.timestamp() * 1000
