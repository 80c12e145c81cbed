"""Books with very many games, written without a server."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import psycopg

from server.books.moving import EMPTY_HASH
from server.books.rows import entry_hash

SEATS = 10
PLAYERS = 20_000
TIER = 3500
START_MS = 1_760_000_000_000
MOVED_GAMES = 50_000  # the latest, of which statements have entries
SEATS_INDEX = "seats_alien_id_finished_at_lobby_id_idx"


def entries(games: int) -> Iterator[tuple[str, dict[str, str]]]:
    """The ledger of so many games, one after the other, as the server writes it."""
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
    """Who sits there: all play equally often."""
    return f"player-{(game * 7 + seat * 1999) % PLAYERS}"


def fill(url: str, games: int) -> int:
    """Write the games and their ledger. Returns how many entries there are."""
    log = json.dumps([{"id": f"{n}-0", "data": "x" * 250} for n in range(75)])
    hashed, last, count = EMPTY_HASH, "0-0", 0
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        columns = "entry_id, table_name, stream_ms, stream_seq, kind, amount, lobby_id, invoice_id"
        columns += ", alien_id, at, event, test, fields, hash"
        with cursor.copy(f"COPY ledger ({columns}) FROM STDIN".encode()) as copy:
            for last, fields in entries(games):
                hashed, count = entry_hash(hashed, last, fields), count + 1
                milliseconds, _, sequence = last.partition("-")
                at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=float(fields["at"]))
                ids = [fields.get(name) for name in ("lobby_id", "invoice_id", "alien_id")]
                row: list[str | None] = [
                    f"3500:{last}",
                    "3500",
                    milliseconds,
                    sequence,
                    fields["kind"],
                ]
                row += [fields["amount"], *ids, at.isoformat(), fields["event"], "false"]
                copy.write_row([*row, orjson.dumps(fields).decode(), hashed])
        cursor.execute("INSERT INTO cursors VALUES ('3500', %s, %s, %s)", (last, count, hashed))
        cursor.execute(
            "INSERT INTO games SELECT 'lobby_3500_' || lpad(to_hex(n), 12, '0'), '3500', 3500,"
            " 'classic', 'won', 'player-' || (n * 7) %% %s, 'row_0', 35000, 10, 20, at, at, at,"
            " 'h', 'h', '{}' FROM (SELECT n, to_timestamp((%s + n * 1000) / 1000.0) AS at"
            " FROM generate_series(0, %s) AS n) AS made",
            (PLAYERS, START_MS, games - 1),
        )
        cursor.execute(
            "INSERT INTO seats SELECT lobby_id, 'player-' || (n * 7 + seat * 1999) %% %s, false,"
            " false, seat = 0, 3500, CASE seat WHEN 0 THEN 35000 ELSE 0 END, finished_at"
            " FROM (SELECT *, (row_number() OVER (ORDER BY lobby_id) - 1) AS n FROM games) AS g,"
            " generate_series(0, 9) AS seat",
            (PLAYERS,),
        )
        cursor.execute("INSERT INTO records SELECT lobby_id, %s, 'h' FROM games", (log,))
        cursor.execute(
            "INSERT INTO profiles SELECT 'player-' || n, n < 1000 FROM generate_series(0, %s) AS n",
            (PLAYERS - 1,),
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return count


def fill_up(url: str, games: int) -> None:
    """Add so many games that ended up to now, with what statements read of their ledger."""
    made = (
        "INSERT INTO games SELECT 'lobby_7000_' || lpad(to_hex(n), 12, '0'), '7000', 7000,"
        " 'classic', 'won', 'player-' || (n * 7) % {players}, 'row_0', 70000, 10, 20, at, at, at,"
        " 'h', 'h', '{{}}' FROM (SELECT n, now() - ({games} - n) * interval '1 s' AS at"
        " FROM generate_series(0, {games} - 1) AS n) AS made",
        "INSERT INTO seats SELECT 'lobby_7000_' || lpad(to_hex(n), 12, '0'),"
        " 'player-' || (n * 7 + seat * 1999) % {players}, false, false, seat = 0, 7000,"
        " CASE seat WHEN 0 THEN 70000 ELSE 0 END, now() - ({games} - n) * interval '1 s'"
        " FROM generate_series(0, {games} - 1) AS n, generate_series(0, 9) AS seat",
        "INSERT INTO ledger SELECT '7000:' || n || '-' || seat, '7000', n, seat,"
        " CASE seat WHEN 10 THEN 'payout_owed' ELSE 'received' END,"
        " CASE seat WHEN 10 THEN 70000 ELSE 7000 END, 'lobby_7000_' || lpad(to_hex(n), 12, '0'),"
        " 'inv_' || n || '_' || seat, 'player-' || (n * 7 + seat % 10 * 1999) % {players},"
        " now() - ({games} - n) * interval '1 s', 'tx-' || n || '-' || seat, false, null,"
        " '{{\"amount\": \"70000\"}}', 'h'"
        " FROM generate_series({games} - least({games} - 1, {moved}), {games} - 1) AS n,"
        " generate_series(0, 10) AS seat",
        "INSERT INTO daily_standings SELECT alien_id, (finished_at AT TIME ZONE 'UTC')::date, 7000,"
        " count(*), count(*) FILTER (WHERE won), sum(paid_out) FROM seats"
        " WHERE lobby_id LIKE 'lobby_7000%' GROUP BY 1, 2",
        "INSERT INTO standings SELECT alien_id, 7000, sum(games), sum(won), sum(coins_won)"
        " FROM daily_standings WHERE buy_in_amount = 7000 GROUP BY 1",
    )
    with psycopg.connect(url) as connection:
        # Without triggers and checks, and with an index made at the end: filling is not measured.
        connection.execute(b"SET session_replication_role = replica")
        connection.execute(b"SET work_mem = '512MB'")
        connection.execute(b"SET maintenance_work_mem = '1GB'")
        connection.execute(f"DROP INDEX {SEATS_INDEX}".encode())
        for statement in made:
            connection.execute(
                statement.format(games=games, players=PLAYERS, moved=MOVED_GAMES).encode()
            )
        index = f"CREATE INDEX {SEATS_INDEX} ON seats (alien_id, finished_at, lobby_id)"
        connection.execute(index.encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
