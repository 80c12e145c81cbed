"""What the archive writes: games, ledger entries, invoices and unmatched payments, each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Table, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.rows import (
    Fields,
    FinishedGame,
    entry_hash,
    game_row,
    invoice_row,
    ledger_row,
    record_row,
    seat_rows,
    unmatched_row,
)
from server.books.schema import cursors, games, invoices, ledger, records, seats, unmatched

EMPTY_HASH: Final = "0" * 64
"""Stands for the hash of the entry before the first."""
_NEWER_INVOICE: Final = (
    "(invoice_id) DO UPDATE SET status = excluded.status, version = excluded.version,"
    " fields = excluded.fields WHERE invoices.version <= excluded.version"
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a table's ledger has moved: its last entry, how many there are, and the hash of the
    chain over all of them."""

    table: str
    last_id: str
    entries: int
    hash: str


async def lock_cursor(connection: AsyncConnection, table: str, start: str) -> Cursor | None:
    """The cursor of a table, which is this transaction's alone until it ends; None if it is
    another's now. A table that was never moved begins after the stream id `start`."""
    mine = select(cursors).where(cursors.c.table_name == table).with_for_update(skip_locked=True)
    row = (await connection.execute(mine)).one_or_none()
    if row is None:  # locked by another, or not there yet
        first = {"table_name": table, "last_id": start, "entries": 0, "hash": EMPTY_HASH}
        await connection.execute(insert(cursors).values(first).on_conflict_do_nothing())
        row = (await connection.execute(mine)).one_or_none()
    return None if row is None else Cursor(table, row.last_id, row.entries, row.hash)


async def append_ledger(
    connection: AsyncConnection, cursor: Cursor, entries: Sequence[tuple[str, Fields]]
) -> Cursor:
    """Write the entries that follow on the cursor, and return where it stands then."""
    chained, last_id = cursor.hash, cursor.last_id
    rows = []
    for stream_id, fields in entries:
        chained, last_id = entry_hash(chained, stream_id, fields), stream_id
        rows.append(ledger_row(cursor.table, stream_id, fields, chained))
    moved = Cursor(cursor.table, last_id, cursor.entries + len(rows), chained)
    if rows:
        await _copy_each_once(connection, ledger, rows)
        await connection.execute(
            update(cursors)
            .where(cursors.c.table_name == cursor.table)
            .values(
                last_id=moved.last_id, entries=moved.entries, hash=moved.hash, moved_at=func.now()
            )
        )
    return moved


async def write_games(
    connection: AsyncConnection, table: str, ended: Sequence[FinishedGame]
) -> set[str]:
    """Write games with their records and seats; what is there already stays as it is. Returns the
    lobbies of which the books have another record: the store went back in time."""
    wanted = {game.lobby.lobby_id: game.hash for game in ended}
    if not wanted:
        return set()
    there = select(records.c.lobby_id, records.c.hash).where(records.c.lobby_id.in_(wanted))
    written = {row.lobby_id: row.hash for row in await connection.execute(there)}
    news = [game for game in ended if game.lobby.lobby_id not in written]
    await _copy(connection, games, [game_row(table, game) for game in news])
    await _copy(connection, records, [record_row(game) for game in news])
    await _copy(connection, seats, [row for game in news for row in seat_rows(game.lobby)])
    return {lobby_id for lobby_id, hashed in written.items() if hashed != wanted[lobby_id]}


async def write_invoices(connection: AsyncConnection, closed: Mapping[str, Fields]) -> None:
    """Write invoices as they are now, in place of an earlier version."""
    rows = [invoice_row(invoice_id, fields) for invoice_id, fields in closed.items()]
    await _copy_each_once(connection, invoices, rows, _NEWER_INVOICE)


async def write_unmatched(connection: AsyncConnection, bodies: Mapping[str, str]) -> None:
    """Write payments that match nothing, each once."""
    rows = [unmatched_row(tx, body) for tx, body in bodies.items()]
    await _copy_each_once(connection, unmatched, rows)


async def fields_of_entry(connection: AsyncConnection, table: str, stream_id: str) -> Fields | None:
    """A ledger entry as it stood in the stream; None if the books do not have it."""
    wanted = select(ledger.c.fields).where(ledger.c.entry_id == f"{table}:{stream_id}")
    found: Fields | None = (await connection.execute(wanted)).scalar_one_or_none()
    return found


async def _copy_each_once(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    on_conflict: str = "DO NOTHING",
) -> None:
    """Insert rows by COPY; `on_conflict`: what becomes of those whose primary key is there."""
    if not rows:
        return
    staged = f"staged_{table.name}"
    await connection.execute(text(f"CREATE TEMP TABLE {staged} (LIKE {table.name}) ON COMMIT DROP"))
    await _copy(connection, table, rows, into=staged)
    columns = _columns(table, rows)
    await connection.execute(
        text(
            f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {staged}"  # noqa: S608
            f" ON CONFLICT {on_conflict}"
        )
    )


async def _copy(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]], into: str = ""
) -> None:
    """Insert rows of which none is there, into a table or `into` one of the same columns."""
    if not rows:
        return
    names = _names(table, rows)
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    command = f"COPY {into or table.name} ({_columns(table, rows)}) FROM STDIN"
    async with driver.cursor() as cursor, cursor.copy(command) as copying:
        for row in rows:
            values = [row[name] for name in names]
            await copying.write_row([_json(v) if type(v) is dict else v for v in values])


def _names(table: Table, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [column.name for column in table.columns if column.name in rows[0]]


def _columns(table: Table, rows: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f'"{name}"' for name in _names(table, rows))


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()
