"""What an audit reads of the books: every row against its entry, and accounts that differ."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.engine import Books
from server.books.moving import EMPTY_HASH
from server.books.rows import Fields, entry_hash, is_as_moved
from server.books.schema import games, ledger

READING_SECONDS: Final = 3600.0
PAGE: Final = 5_000
KINDS: Final = ("received", "pot", "payout_owed", "refund_owed", "house")


@dataclass(slots=True)
class LedgerChain:
    """How far a table's ledger was followed."""

    last: tuple[int, int] = (0, 0)
    hash: str = EMPTY_HASH
    entries: int = 0

    @property
    def last_id(self) -> str:
        """The last entry's id in its stream."""
        return f"{self.last[0]}-{self.last[1]}"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row that is not simply what the stream had: the entry, what it says, whether the chain has
    it there, and whether its columns say the same."""

    stream_id: str
    fields: Fields
    in_chain: bool
    is_as_moved: bool


@asynccontextmanager
async def reading(books: Books) -> AsyncIterator[AsyncConnection]:
    """A connection that sees the books of one instant, however long it reads. Raises
    BooksUnavailable."""
    async with books.connect(READING_SECONDS) as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.rollback()  # the level is that of a new transaction
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        yield connection


_FOLLOWING: Final = (
    "SELECT stream_ms, stream_seq, hash, fields::text, kind, amount::text, event, lobby_id,"
    " invoice_id, alien_id, reference, test, extract(epoch FROM at)::float8 * 1000 FROM ledger"
    " WHERE table_name = %s AND (stream_ms, stream_seq) > (%s, %s)"
    " ORDER BY stream_ms, stream_seq LIMIT %s"
)


async def follow(
    connection: AsyncConnection, table: str, chain: LedgerChain
) -> AsyncIterator[Suspect]:
    """Follow the chain of a table's ledger to its end. What follows on an entry is judged by what
    stands there: so one fault is reported once."""
    # Of very many rows: plain tuples of the driver, which come in its binary form.
    driver: Any = (await connection.get_raw_connection()).driver_connection
    async with driver.cursor(binary=True) as cursor:
        while True:
            await cursor.execute(_FOLLOWING, (table, *chain.last, PAGE))
            rows = await cursor.fetchall()
            for milliseconds, sequence, row_hash, written, *columns in rows:
                fields: dict[str, str] = orjson.loads(written)
                stream_id = f"{milliseconds}-{sequence}"
                in_chain = row_hash == entry_hash(chain.hash, stream_id, fields)
                chain.last, chain.hash = (milliseconds, sequence), row_hash
                chain.entries += 1
                if not (in_chain and _is_plain(columns, fields.get)):
                    whole = await _row(connection, table, stream_id)
                    yield Suspect(stream_id, fields, in_chain, is_as_moved(whole))
            if len(rows) < PAGE:
                return


def _is_plain(columns: Sequence[Any], said: Callable[[str], str | None]) -> bool:
    """Whether a row is, by a quick look, an entry as the server writes it, and its columns say
    what its fields do. One that is not may be right all the same."""
    kind, amount, event, lobby_id, invoice_id, alien_id, reference, test, at_ms = columns
    try:
        said_ms = float(said("at") or "")
    except ValueError:
        return False
    return (
        kind == said("kind")
        and amount == said("amount")
        and bool(event)
        and event == said("event")
        and lobby_id == said("lobby_id")
        and invoice_id == said("invoice_id")
        and alien_id == said("alien_id")
        and reference == said("reference")
        and test == (said("test") == "true")
        and at_ms is not None
        and abs(at_ms - said_ms) < _AT_ERROR_MS
        and (kind in KINDS or kind == "settled")
    )


_AT_ERROR_MS: Final = 0.002
"""Columns hold whole microseconds."""


async def _row(connection: AsyncConnection, table: str, stream_id: str) -> Any:
    wanted = select(ledger).where(ledger.c.entry_id == f"{table}:{stream_id}")
    return (await connection.execute(wanted)).one_or_none()


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
    " AND kind IN ('received', 'pot', 'payout_owed', 'refund_owed', 'house')"
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
_SUSPECTS: Final = text(
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


class Accounts:
    """The sums of a table's ledger up to a place, but for those entries that are `left_out`."""

    def __init__(
        self,
        connection: AsyncConnection,
        table: str,
        last: tuple[int, int],
        left_out: Sequence[str],
    ) -> None:
        self._connection = connection
        self._values = {"table": table, "ms": last[0], "seq": last[1], "left_out": [*left_out]}

    async def totals(self) -> dict[str, Decimal]:
        """Coins by kind."""
        row = (await self._connection.execute(_TOTALS, self._values)).one()
        return _coins(row)

    async def suspects(self) -> set[str]:
        """Lobbies that do not add up by themselves, or are not what `games` and `seats` say."""
        found: set[str] = set()
        for question in (_SUSPECTS, _RETURNED_TOO_MUCH):
            found |= set((await self._connection.execute(question, self._values)).scalars())
        return found

    async def of(self, lobbies: Collection[str]) -> list[AccountRow]:
        """What these moved."""
        values = self._values | {"lobbies": [*lobbies]}
        rows = await self._connection.execute(_ACCOUNTS, values)
        return [
            AccountRow(row.lobby_id, row.invoice_id, _coins(row), row.first_ms, row.paid_to)
            for row in rows
        ]

    async def settled_twice(self) -> list[tuple[str, str]]:
        """Debts that are settled more than once: their ids in the stream, and a settlement's."""
        rows = await self._connection.execute(_SETTLED_TWICE, {"table": self._values["table"]})
        return [(row.event, row.entry_id) for row in rows]


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
    """When the first game ended that the books have of a table."""
    wanted = select(games.c.finished_at).where(games.c.table_name == table)
    found = (await connection.execute(wanted.order_by(games.c.finished_at).limit(1))).scalar()
    return None if found is None else found.timestamp() * 1000
