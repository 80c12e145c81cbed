"""What is over as rows of the books."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, overload

import orjson

from server.rules.events import CALLED_OFF
from server.rules.lobby import Lobby, Player

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_DIGITS: Final = 18
"""So many fit into a bigint."""
_MAX_NUMERIC_DIGITS: Final = 1_000
"""PostgreSQL has room for more; no amount has so many."""
_INDEXED_BYTES: Final = 1_000
"""So long a text may be in an index of two; no name of ours is."""
_PREFIX_CHARACTERS: Final = 100

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FinishedGame:
    """A game that is over: the lobby at its end, its whole log as JSON, the hash of the log's last
    entry, and the proof, if it has one."""

    lobby: Lobby
    log: str
    hash: str
    proof: Mapping[str, Any] | None
    server_seed_hash: str


def log_json(entries: Iterable[tuple[str, Fields]]) -> str:
    """The log as it stands in a record: each entry's fields after its `id`."""
    return orjson.dumps([{"id": entry_id, **fields} for entry_id, fields in entries]).decode()


def entry_hash(previous: str, stream_id: str, fields: Fields) -> str:
    """The hash (hex SHA-256) that vouches for a ledger entry and all before it: of the JSON text
    (no spaces, no ASCII escaping) of the array of the one before, the stream id, and the entry's
    fields and values in turn, in their order."""
    parts = [previous, stream_id]
    for field in fields.items():
        parts += field
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def is_as_moved(row: Any, fields: Fields) -> bool:
    """Whether a row of the ledger says in its columns what its entry's fields say."""
    written = ledger_row(row.table_name, f"{row.stream_ms}-{row.stream_seq}", fields, row.hash)
    del written["fields"]
    return all(getattr(row, name) == value for name, value in written.items())


def ledger_row(table: str, stream_id: str, fields: Fields, chained: str) -> dict[str, Any]:
    """An entry of a table's ledger, with the hash of the chain up to it."""
    milliseconds, _, sequence = stream_id.partition("-")
    kind, event = _plain_text(fields.get("kind")), _plain_text(fields.get("event"))
    return {
        "entry_id": f"{table}:{stream_id}",
        "table_name": table,
        "stream_ms": int(milliseconds),
        "stream_seq": int(sequence),
        "kind": kind,
        "amount": _amount(fields.get("amount")),
        "lobby_id": _indexed(fields.get("lobby_id")),
        "invoice_id": _plain_text(fields.get("invoice_id")),
        "alien_id": _indexed(fields.get("alien_id")),
        "at": _time_of(fields.get("at")),
        "event": _indexed(event) if kind == "settled" else event,
        "test": fields.get("test") == "true",
        "reference": _plain_text(fields.get("reference")),
        "fields": dict(fields),
        "hash": chained,
    }


def game_row(table: str, game: FinishedGame) -> dict[str, Any]:
    """A game of a table."""
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


def record_row(game: FinishedGame) -> dict[str, Any]:
    """The record of a game."""
    return {"lobby_id": game.lobby.lobby_id, "log": game.log, "hash": game.hash}


def seat_rows(lobby: Lobby) -> Iterable[dict[str, Any]]:
    """Who sat in a game when it ended."""
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


def invoice_row(invoice_id: str, fields: Fields) -> dict[str, Any]:
    """A closed invoice as it is now."""
    return {
        "invoice_id": invoice_id,
        "lobby_id": _plain_text(fields.get("lobby_id", "")),
        "alien_id": _indexed(fields.get("alien_id", "")),
        "status": _plain_text(fields.get("status", "")),
        "version": _version(fields),
        "fields": dict(fields),
    }


def unmatched_row(tx: str, body: str) -> dict[str, Any]:
    """A payment that matches nothing. A transaction that is too long for an index is named by its
    beginning and its hash: the whole of it is in the body."""
    encoded = tx.encode()
    if len(encoded) > _INDEXED_BYTES:
        tx = f"{tx[:_PREFIX_CHARACTERS]}~{hashlib.sha256(encoded).hexdigest()}"
    return {"tx": _plain_text(tx), "body": _plain_text(body)}


def _left_early(player: Player) -> bool:
    return not player.active and not player.kicked


@overload
def _plain_text(written: str) -> str: ...
@overload
def _plain_text(written: str | None) -> str | None: ...
def _plain_text(written: str | None) -> str | None:
    """A text as PostgreSQL takes it, which refuses the character NUL."""
    return None if written is None else written.replace("\0", "\N{REPLACEMENT CHARACTER}")


@overload
def _indexed(written: str) -> str: ...
@overload
def _indexed(written: str | None) -> str | None: ...
def _indexed(written: str | None) -> str | None:
    """A text as an index takes it: of one that is longer than any of ours its beginning."""
    plain = _plain_text(written)
    if plain is None or len(plain) * 4 <= _INDEXED_BYTES:
        return plain
    return plain.encode()[:_INDEXED_BYTES].decode(errors="ignore")


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
