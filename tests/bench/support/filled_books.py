"""Books with very many games, filled by SQL without a server."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
import psycopg

from server.books.moving import EMPTY_HASH
from server.books.rows import entry_hash

SEATS: Final = 10
PLAYERS: Final = 20_000
LISTED_PLAYERS: Final = 1_000
"""So many are on the leaderboards."""
TIER: Final = 3500
START_MS: Final = 1_760_000_000_000
GAMES_WITH_ENTRIES: Final = 50_000
"""Of the games that `fill_up` adds, the latest so many have entries for statements."""
_SEATS_INDEX: Final = "seats_alien_id_finished_at_lobby_id_idx"
_LEDGER_COLUMNS: Final = (
    "entry_id, table_name, stream_ms, stream_seq, kind, amount, lobby_id, invoice_id, alien_id, at,"
    " event, test, fields, hash"
)
_FILL_GAMES: Final = """
INSERT INTO games SELECT 'lobby_3500_' || lpad(to_hex(n), 12, '0'), '3500', 3500,
  'classic', 'won', 'player-' || (n * 7) %% %s, 'row_0', 35000, 10, 20, at, at, at, 'h', 'h', '{}'
  FROM (SELECT n, to_timestamp((%s + n * 1000) / 1000.0) AS at
  FROM generate_series(0, %s) AS n) AS g
"""
_FILL_SEATS: Final = """
INSERT INTO seats SELECT lobby_id, 'player-' || (n * 7 + seat * 1999) %% %s, false, false, seat = 0,
  3500, CASE seat WHEN 0 THEN 35000 ELSE 0 END, finished_at
  FROM (SELECT *, (row_number() OVER (ORDER BY lobby_id) - 1) AS n FROM games) AS g,
  generate_series(0, 9) AS seat
"""
_FILL_RECORDS: Final = "INSERT INTO records SELECT lobby_id, %s, 'h' FROM games"
_FILL_PROFILES: Final = (
    "INSERT INTO profiles SELECT 'player-' || n, n < %s FROM generate_series(0, %s) AS n"
)
_FILL_UP: Final = (
    """
INSERT INTO games SELECT 'lobby_7000_' || lpad(to_hex(n), 12, '0'), '7000', 7000,
  'classic', 'won', 'player-' || (n * 7) % {players}, 'row_0', 70000, 10, 20, at, at, at,
  'h', 'h', '{{}}' FROM (SELECT n, now() - ({games} - n) * interval '1 s' AS at
  FROM generate_series(0, {games} - 1) AS n) AS g
""",
    """
INSERT INTO seats SELECT 'lobby_7000_' || lpad(to_hex(n), 12, '0'),
  'player-' || (n * 7 + seat * 1999) % {players}, false, false, seat = 0, 7000,
  CASE seat WHEN 0 THEN 70000 ELSE 0 END, now() - ({games} - n) * interval '1 s'
  FROM generate_series(0, {games} - 1) AS n, generate_series(0, 9) AS seat
""",
    """
INSERT INTO ledger SELECT '7000:' || n || '-' || seat, '7000', n, seat,
  CASE seat WHEN 10 THEN 'payout_owed' ELSE 'received' END,
  CASE seat WHEN 10 THEN 70000 ELSE 7000 END, 'lobby_7000_' || lpad(to_hex(n), 12, '0'),
  'inv_' || n || '_' || seat, 'player-' || (n * 7 + seat % 10 * 1999) % {players},
  now() - ({games} - n) * interval '1 s', 'tx-' || n || '-' || seat, false, null,
  '{{"amount": "70000"}}', 'h'
  FROM generate_series({games} - least({games} - 1, {with_entries}), {games} - 1) AS n,
  generate_series(0, 10) AS seat
""",
    """
INSERT INTO daily_standings SELECT alien_id, (finished_at AT TIME ZONE 'UTC')::date, 7000,
  count(*), count(*) FILTER (WHERE won), sum(paid_out) FROM seats
  WHERE lobby_id LIKE 'lobby_7000%' GROUP BY 1, 2
""",
    """
INSERT INTO standings SELECT alien_id, 7000, sum(games), sum(won), sum(coins_won)
  FROM daily_standings WHERE buy_in_amount = 7000 GROUP BY 1
""",
)


def entries(games: int) -> Iterator[tuple[str, dict[str, str]]]:
    """The ids and fields of the ledger of so many games, one after the other, as the server writes
    them."""
    for game in range(games):
        lobby_id, at_ms, sequence = f"lobby_3500_{game:012x}", START_MS + game * 1000, 0
        at = f"{at_ms}.25"
        for seat in range(SEATS):
            payment = {
                "lobby_id": lobby_id,
                "invoice_id": f"inv_{game:012x}_{seat}",
                "alien_id": player(game, seat),
                "at": at,
                "event": f"tx-{game}-{seat}",
            }
            for kind in ("received", "pot"):
                yield f"{at_ms}-{sequence}", {"kind": kind, "amount": str(TIER), **payment}
                sequence += 1
        end = {"at": at, "event": "70-0"}
        pot = {"kind": "pot", "amount": str(-TIER * SEATS), "lobby_id": lobby_id}
        yield f"{at_ms}-{sequence}", pot | end
        won = {"kind": "payout_owed", "amount": str(TIER * SEATS), "lobby_id": lobby_id}
        yield f"{at_ms}-{sequence + 1}", won | {"alien_id": player(game, 0)} | end


def player(game: int, seat: int) -> str:
    """Who has that seat of a game: all play equally often."""
    return f"player-{(game * 7 + seat * 1999) % PLAYERS}"


def fill(url: str, games: int) -> int:
    """Write so many games and their ledger. Returns how many entries that has."""
    log = json.dumps([{"id": f"{n}-0", "data": "x" * 250} for n in range(75)])
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        count = _copy_ledger(cursor, games)
        cursor.execute(_FILL_GAMES, (PLAYERS, START_MS, games - 1))
        cursor.execute(_FILL_SEATS, (PLAYERS,))
        cursor.execute(_FILL_RECORDS, (log,))
        cursor.execute(_FILL_PROFILES, (LISTED_PLAYERS, PLAYERS - 1))
    _vacuum(url)
    return count


def _copy_ledger(cursor: psycopg.Cursor, games: int) -> int:
    hashed, last, count = EMPTY_HASH, "0-0", 0
    with cursor.copy(f"COPY ledger ({_LEDGER_COLUMNS}) FROM STDIN".encode()) as copy:
        for last, fields in entries(games):
            hashed, count = entry_hash(hashed, last, fields), count + 1
            copy.write_row([*_ledger_row(last, fields), hashed])
    cursor.execute("INSERT INTO cursors VALUES ('3500', %s, %s, %s)", (last, count, hashed))
    return count


def _ledger_row(entry_id: str, fields: dict[str, str]) -> list[str | None]:
    """All columns but the hash."""
    milliseconds, _, sequence = entry_id.partition("-")
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=float(fields["at"]))
    return [
        *(f"3500:{entry_id}", "3500", milliseconds, sequence, fields["kind"], fields["amount"]),
        *(fields.get(name) for name in ("lobby_id", "invoice_id", "alien_id")),
        *(at.isoformat(), fields["event"], "false", orjson.dumps(fields).decode()),
    ]


def fill_up(url: str, games: int) -> None:
    """Add so many games, which ended one a second up to now, with their seats and standings, and
    for the latest of them what statements read of the ledger."""
    with psycopg.connect(url) as connection:
        # Without triggers and checks, and with an index made at the end: filling is not measured.
        connection.execute(b"SET session_replication_role = replica")
        connection.execute(b"SET work_mem = '512MB'")
        connection.execute(b"SET maintenance_work_mem = '1GB'")
        connection.execute(f"DROP INDEX {_SEATS_INDEX}".encode())
        for statement in _FILL_UP:
            filled_in = statement.format(
                games=games, players=PLAYERS, with_entries=GAMES_WITH_ENTRIES
            )
            connection.execute(filled_in.encode())
        index = f"CREATE INDEX {_SEATS_INDEX} ON seats (alien_id, finished_at, lobby_id)"
        connection.execute(index.encode())
    _vacuum(url)


def _vacuum(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
