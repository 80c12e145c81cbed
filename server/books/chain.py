"""The ledger in the books, followed along its chain: every row against its entry."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.moving import EMPTY_HASH
from server.books.rows import Fields, entry_hash, is_as_moved
from server.books.schema import ledger
from server.rules.money import Kind

PAGE: Final = 1_000


def stream_id_of(place: tuple[int, int]) -> str:
    """The id that stands for a place in a stream."""
    return f"{place[0]}-{place[1]}"


@dataclass(slots=True)
class LedgerChain:
    """How far a table's ledger was followed."""

    last: tuple[int, int] = (0, 0)
    hash: str = EMPTY_HASH
    entries: int = 0

    @property
    def last_id(self) -> str:
        """The last entry's id in its stream."""
        return stream_id_of(self.last)


@dataclass(frozen=True, slots=True)
class DoubtfulRow:
    """A row that may not be what the stream had, by its `entry_id`: the entry, what it says,
    whether the chain has it there, and whether its columns say the same."""

    entry_id: str
    stream_id: str
    fields: Fields
    in_chain: bool
    is_as_moved: bool


_FOLLOWING: Final = (
    "SELECT stream_ms, stream_seq, entry_id, hash, fields::text, kind, amount::text, event,"
    " lobby_id, invoice_id, alien_id, reference, test, date_part('epoch', at) * 1000 FROM ledger"
    " WHERE table_name = %s ORDER BY stream_ms, stream_seq"
)


async def follow(
    connection: AsyncConnection, table: str, chain: LedgerChain
) -> AsyncIterator[DoubtfulRow]:
    """Follow the chain of a table's ledger to its end. What follows on an entry is judged by what
    stands there: so one fault is reported once."""
    # There are very many rows: so plain tuples of the driver, in its binary format.
    driver: Any = (await connection.get_raw_connection()).driver_connection
    async with driver.cursor(name="following", binary=True) as cursor:
        await cursor.execute(_FOLLOWING, (table,))
        rows: list[tuple[Any, ...]] = await cursor.fetchmany(PAGE)
        while rows:
            # The server prepares the next page while this one is checked.
            following = asyncio.create_task(cursor.fetchmany(PAGE))
            await asyncio.sleep(0)
            try:
                doubtful = [*_look_at(table, rows, chain)]
            finally:
                rows = await following
            for place, fields, in_chain in doubtful:
                whole = await _row(connection, table, place)
                as_moved = fields is not None and is_as_moved(whole, fields)
                yield DoubtfulRow(
                    whole.entry_id, stream_id_of(place), fields or {}, in_chain, as_moved
                )


def _look_at(
    table: str, rows: Iterable[tuple[Any, ...]], chain: LedgerChain
) -> Iterator[tuple[tuple[int, int], Fields | None, bool]]:
    """Take the next rows into the chain. Those that are not, by a quick look, entries as the server
    writes them, moved as they were: each with its fields (None: it is no entry) and whether the
    chain has it there. They may be right all the same."""
    for milliseconds, sequence, entry_id, row_hash, written, *columns in rows:
        place, stream_id = (milliseconds, sequence), f"{milliseconds}-{sequence}"
        fields = _fields(written)
        in_chain = fields is not None and row_hash == entry_hash(chain.hash, stream_id, fields)
        is_named = entry_id == f"{table}:{stream_id}"
        if fields is None or not (in_chain and is_named and _is_plain(columns, fields.get)):
            is_entry = fields is not None and all(isinstance(part, str) for part in fields.values())
            yield place, fields if is_entry else None, in_chain
        chain.last, chain.hash = place, row_hash
        chain.entries += 1


def _fields(written: str) -> Fields | None:
    """What is written as an entry's fields; None if these are none."""
    try:
        found = orjson.loads(written)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _is_plain(columns: Sequence[Any], field: Callable[[str], str | None]) -> bool:
    """Whether a row is, by a quick look, an entry as the server writes it, and its columns say
    what its fields do. One that is not may be right all the same."""
    kind, amount, event, lobby_id, invoice_id, alien_id, reference, test, at_ms = columns
    try:
        field_ms = float(field("at") or "")
    except ValueError:
        return False
    return (
        kind == field("kind")
        and amount == field("amount")
        and bool(event)
        and event == field("event")
        and lobby_id == field("lobby_id")
        and invoice_id == field("invoice_id")
        and alien_id == field("alien_id")
        and reference == field("reference")
        and test == (field("test") == "true")
        and at_ms is not None
        and abs(at_ms - field_ms) < _AT_ERROR_MS
        and kind in _KINDS
    )


_KINDS: Final = frozenset(get_args(Kind))
_AT_ERROR_MS: Final = 0.002
"""Columns hold whole microseconds."""


async def _row(connection: AsyncConnection, table: str, place: tuple[int, int]) -> Any:
    wanted = select(*(column for column in ledger.columns if column.name != "fields")).where(
        ledger.c.table_name == table,
        ledger.c.stream_ms == place[0],
        ledger.c.stream_seq == place[1],
    )
    return (await connection.execute(wanted)).one()
