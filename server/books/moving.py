"""What the archive writes: games, ledger entries, invoices and unmatched payments, each once."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, overload

import orjson
from sqlalchemy import Table, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.schema import cursors, games, invoices, ledger, records, seats, unmatched
from server.rules.events import CALLED_OFF
from server.rules.lobby import Lobby, Player

EMPTY_HASH: Final = "0" * 64
"""Stands for the hash of the entry before the first."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_DIGITS: Final = 18
"""So many fit into a bigint."""
_MAX_NUMERIC_DIGITS: Final = 1_000
"""PostgreSQL has room for more; no amount has so many."""

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a table's ledger has moved: its last entry, how many there are, and the hash of the
    chain over all of them."""

    table: str
    last_id: str
    entries: int
    hash: str


@dataclass(frozen=True, slots=True)
class PastGame:
    """A game that is over: the lobby at its end, its whole log, the hash of the log's last entry,
    and the proof, if it has one."""

    lobby: Lobby
    log: Sequence[Fields]
    hash: str
    proof: Mapping[str, Any] | None
    server_seed_hash: str


async def lock_cursor(connection: AsyncConnection, table: str, start: str) -> Cursor | None:
    """The cursor of a table, which is this transaction's alone until it ends; None if it is
    another's now. A table that was never moved begins after the stream id `start`."""
    first = {"table_name": table, "last_id": start, "entries": 0, "hash": EMPTY_HASH}
    await connection.execute(insert(cursors).values(first).on_conflict_do_nothing())
    mine = select(cursors).where(cursors.c.table_name == table).with_for_update(skip_locked=True)
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
        rows.append(_ledger_row(cursor.table, stream_id, fields, chained))
    moved = Cursor(cursor.table, last_id, cursor.entries + len(rows), chained)
    if rows:
        await _copy(connection, ledger, rows)
        await connection.execute(
            update(cursors)
            .where(cursors.c.table_name == cursor.table)
            .values(
                last_id=moved.last_id, entries=moved.entries, hash=moved.hash, moved_at=func.now()
            )
        )
    return moved


async def write_games(
    connection: AsyncConnection, table: str, ended: Sequence[PastGame]
) -> set[str]:
    """Write games with their records and seats; what is there already stays as it is. Returns the
    lobbies of which there is another record, which was not to be: the store went back in time."""
    wanted = {game.lobby.lobby_id: game.hash for game in ended}
    there = select(records.c.lobby_id, records.c.hash).where(records.c.lobby_id.in_(wanted))
    written = {row.lobby_id: row.hash for row in await connection.execute(there)}
    news = [game for game in ended if game.lobby.lobby_id not in written]
    await _copy(connection, games, [_game_row(table, game) for game in news])
    await _copy(connection, records, [_record_row(game) for game in news])
    await _copy(connection, seats, [row for game in news for row in _seat_rows(game.lobby)])
    return {lobby_id for lobby_id, hashed in written.items() if hashed != wanted[lobby_id]}


async def write_invoices(connection: AsyncConnection, closed: Mapping[str, Fields]) -> None:
    """Write invoices as they are now, in place of an earlier version."""
    if not closed:
        return
    rows = [
        {
            "invoice_id": invoice_id,
            "lobby_id": _plain_text(fields.get("lobby_id", "")),
            "alien_id": _plain_text(fields.get("alien_id", "")),
            "status": _plain_text(fields.get("status", "")),
            "version": _version(fields),
            "fields": dict(fields),
        }
        for invoice_id, fields in closed.items()
    ]
    written = insert(invoices)
    news = {name: written.excluded[name] for name in ("status", "version", "fields")}
    newer = invoices.c.version <= written.excluded.version
    await connection.execute(
        written.on_conflict_do_update(index_elements=["invoice_id"], set_=news, where=newer), rows
    )


async def write_unmatched(connection: AsyncConnection, bodies: Mapping[str, str]) -> None:
    """Write payments that match nothing, each once."""
    rows = [{"tx": _plain_text(tx), "body": _plain_text(body)} for tx, body in bodies.items()]
    await _copy(connection, unmatched, rows)


def is_as_moved(row: Any) -> bool:
    """Whether a row of the ledger says in its columns what the entry's fields say."""
    written = _ledger_row(row.table_name, f"{row.stream_ms}-{row.stream_seq}", row.fields, row.hash)
    return all(getattr(row, name) == value for name, value in written.items())


async def fields_of_entry(connection: AsyncConnection, table: str, stream_id: str) -> Fields | None:
    """A ledger entry as it stood in the stream; None if the books do not have it."""
    wanted = select(ledger.c.fields).where(ledger.c.entry_id == f"{table}:{stream_id}")
    found: Fields | None = (await connection.execute(wanted)).scalar_one_or_none()
    return found


def entry_hash(previous: str, stream_id: str, fields: Fields) -> str:
    """The hash (hex SHA-256) that vouches for a ledger entry and all before it: of the JSON text
    (no spaces, no ASCII escaping) of the array of the one before, the stream id, and the entry's
    fields and values in turn, in their order."""
    parts = [previous, stream_id, *(part for field in fields.items() for part in field)]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


async def _copy(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows the quick way, but for those whose primary key is there."""
    if not rows:
        return
    names = [column.name for column in table.columns if column.name in rows[0]]
    columns = ", ".join(f'"{name}"' for name in names)
    staged = f"staged_{table.name}"
    await connection.execute(text(f"CREATE TEMP TABLE {staged} (LIKE {table.name}) ON COMMIT DROP"))
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    async with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {staged} ({columns}) FROM STDIN") as copying,
    ):
        for row in rows:
            await copying.write_row([_plain(row[name]) for name in names])
    await connection.execute(
        text(
            f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {staged}"  # noqa: S608
            " ON CONFLICT DO NOTHING"
        )
    )


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _ledger_row(table: str, stream_id: str, fields: Fields, chained: str) -> dict[str, Any]:
    milliseconds, _, sequence = stream_id.partition("-")
    return {
        "entry_id": f"{table}:{stream_id}",
        "table_name": table,
        "stream_ms": int(milliseconds),
        "stream_seq": int(sequence),
        "kind": _plain_text(fields.get("kind")),
        "amount": _amount(fields.get("amount")),
        "lobby_id": _plain_text(fields.get("lobby_id")),
        "invoice_id": _plain_text(fields.get("invoice_id")),
        "alien_id": _plain_text(fields.get("alien_id")),
        "at": _time_of(fields.get("at")),
        "event": _plain_text(fields.get("event")),
        "test": fields.get("test") == "true",
        "reference": _plain_text(fields.get("reference")),
        "fields": dict(fields),
        "hash": chained,
    }


def _game_row(table: str, game: PastGame) -> dict[str, Any]:
    lobby = game.lobby
    return {
        "lobby_id": lobby.lobby_id,
        "table_name": table,
        "buy_in_amount": lobby.buy_in_amount,
        "variant": lobby.variant.name,
        "outcome": lobby.outcome,
        "winner": lobby.winner,
        "pattern": lobby.pattern,
        "pot": 0 if lobby.outcome in CALLED_OFF else lobby.pot,
        "player_count": len(lobby.players),
        "calls": len(lobby.called),
        "created_at": _at(lobby.created_at),
        "started_at": None if lobby.started_at is None else _at(lobby.started_at),
        "finished_at": _at(lobby.finished_at or 0),
        "server_seed_hash": game.server_seed_hash,
        "log_hash": lobby.log_hash,
        "proof": None if game.proof is None else dict(game.proof),
    }


def _record_row(game: PastGame) -> dict[str, Any]:
    log = [dict(entry) for entry in game.log]
    return {"lobby_id": game.lobby.lobby_id, "log": log, "hash": game.hash}


def _seat_rows(lobby: Lobby) -> Iterable[dict[str, Any]]:
    for player in lobby.players.values():
        won = player.alien_id == lobby.winner
        yield {
            "lobby_id": lobby.lobby_id,
            "alien_id": player.alien_id,
            "kicked": player.kicked,
            "left_early": _left_early(player),
            "won": won,
            "paid_in": lobby.buy_in_amount if player.paid else 0,
            "paid_out": lobby.pot if won else 0,
            "finished_at": _at(lobby.finished_at or 0),
        }


def _left_early(player: Player) -> bool:
    return not player.active and not player.kicked


@overload
def _plain_text(written: str) -> str: ...
@overload
def _plain_text(written: str | None) -> str | None: ...
def _plain_text(written: str | None) -> str | None:
    """A text as PostgreSQL takes it: the letter NUL it does not."""
    return None if written is None else written.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _version(fields: Fields) -> int:
    written = fields.get("version", "")
    return int(written) if written.isdecimal() and len(written) <= _MAX_DIGITS else 0


def _amount(written: str | None) -> Decimal | None:
    try:
        amount = Decimal(written or "")
    except InvalidOperation:
        return None
    is_number = amount.is_finite() and abs(amount.adjusted()) < _MAX_NUMERIC_DIGITS
    return amount if is_number and len(amount.as_tuple().digits) < _MAX_NUMERIC_DIGITS else None


def _time_of(written: str | None) -> datetime | None:
    try:
        return _at(float(written or ""))
    except (ValueError, OverflowError):
        return None


def _at(unix_ms: float) -> datetime:
    return _EPOCH + timedelta(milliseconds=unix_ms)
