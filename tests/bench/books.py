"""How long the books take with very many rows: an audit of the ledger, and what players ask.

    python -m tests.bench.books [--audited-games 45000] [--games 1000000]

It fills embedded PostgreSQL with won games of ten (some 22 entries of the ledger each), chained as
the archive chains them, and measures the audit's time and peak memory as a process of its own, and
what a game takes on disk. Then it fills up to so many games, one a second up to now, the latest
50,000 with the entries that statements read, and measures each question of a player 200 times, 20
times a second; a list of the best is then mostly one that was read before, so how long it takes to
count one is measured by itself. Of 20,000 players 1,000 are listed at first, then all.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import psycopg
import redis
from sqlalchemy import text

from protocol.history import Period
from server.books import reading
from server.books.engine import Books
from server.books.leaderboard import leaders
from server.books.migrate import migrate
from server.books.moving import EMPTY_HASH
from server.books.rows import entry_hash
from server.dev.books import EmbeddedBooks
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.runtime.clock import StoreClock
from server.services.history import History, first_instant

SEATS = 10
PLAYERS = 20_000
TIER = 3500
START_MS = 1_760_000_000_000
MOVED_GAMES = 50_000  # the latest, of which statements have entries
SEATS_INDEX = "seats_alien_id_finished_at_lobby_id_idx"
TIMES = 200
FEW = 5
A_SECOND = 20
PERIODS: tuple[Period, ...] = ("all", "month", "week", "day")
OPTIONS = ("fsync=off", "max_wal_size=4GB")  # filling is not what is measured


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
                said = [fields.get(name) for name in ("lobby_id", "invoice_id", "alien_id")]
                row: list[str | None] = [
                    f"3500:{last}",
                    "3500",
                    milliseconds,
                    sequence,
                    fields["kind"],
                ]
                row += [fields["amount"], *said, at.isoformat(), fields["event"], "false"]
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
            report(f"  {statement.split()[2]}: filled at {time.strftime('%X')}")
        index = f"CREATE INDEX {SEATS_INDEX} ON seats (alien_id, finished_at, lobby_id)"
        connection.execute(index.encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def audit(url: str, store_url: str) -> None:
    """Run `fair-bingo audit`, and print what it took."""
    environment = {
        "PATH": os.environ["PATH"],
        "REDIS_URL": store_url,
        "DATABASE_URL": url,
        "ALIEN_PROVIDER_ADDRESS": "0",
        "BUY_IN_TIERS": str(TIER),
        "WEBHOOK_PUBLIC_KEY": DevProvider().public_key_hex,
    }
    command = [str(Path(sys.executable).with_name("fair-bingo")), "audit"]
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    report(f"audit: exit {done.returncode}, {seconds:.1f} s, {cpu_seconds:.1f} s of its CPU")
    report(f"audit: {used.ru_maxrss / 1024:.0f} MB at most")
    report(done.stdout + done.stderr[-500:])


async def ask(url: str, games: int) -> None:
    """Ask as players do, and print how long answers take."""
    books = Books(url)
    history = History(books, StoreClock())
    names = [f"player-{n * 97 % PLAYERS}" for n in range(TIMES)]
    questions: dict[str, Callable[[str], Awaitable[Any]]] = {
        "games": lambda name: history.games(name, 20, None),
        "statement": lambda name: history.statement(name, None, None, None),
        "record": lambda name: _record(books, int(name.partition("-")[2]) % games),
        "leaderboard of a tier": lambda _: history.leaderboard("all", TIER),
    }
    for period in PERIODS:
        questions[f"leaderboard, {period}"] = partial(_best_of, history, period)
    for what, question in questions.items():
        await _ask(what, question, names)
    for period in PERIODS:
        await _ask(f"counted anew, {period}", partial(_count, books, period), names[:FEW])
    async with books.begin() as connection:
        await connection.execute(text("UPDATE profiles SET listed = true"))
    await _ask("counted anew, all listed", partial(_count, books, "all"), names[:FEW])
    await books.close()


async def _best_of(history: History, period: Period, _name: str) -> None:
    await history.leaderboard(period, None)


async def _count(books: Books, period: Period, _name: str) -> None:
    since = first_instant(period, datetime.now(UTC))
    async with books.connect() as connection:
        await leaders(connection, None if since is None else since.date(), None)


async def _ask(what: str, question: Callable[[str], Awaitable[Any]], names: list[str]) -> None:
    """Ask at a steady rate, or as fast as there are answers."""
    took, due = [], time.perf_counter()
    for name in names:
        due += 1 / A_SECOND
        await asyncio.sleep(due - time.perf_counter())
        started = time.perf_counter()
        await question(name)
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    last = len(took) - 1
    report(f"{what}: p50 {took[last // 2]:.1f} ms, p99 {took[round(last * 0.99)]:.1f} ms")


async def _record(books: Books, game: int) -> None:
    async with books.connect() as connection:
        assert await reading.record_of(connection, f"lobby_3500_{game:012x}") is not None


def growth(url: str, games: int) -> None:
    """Print what each table and its indexes take for a game."""
    with psycopg.connect(url) as connection:
        for name in ("games", "records", "seats", "ledger"):
            row = connection.execute("SELECT pg_total_relation_size(%s)", (name,)).fetchone()
            assert row is not None
            report(f"{name}: {row[0] / games:.0f} bytes a game")


def report(line: str) -> None:
    """Print it at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audited-games", type=int, default=45_000)
    parser.add_argument("--games", type=int, default=1_000_000)
    given = parser.parse_args()
    games = given.audited_games
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "store") as store,
        EmbeddedBooks(Path(directory) / "books", options=OPTIONS) as books,
    ):
        asyncio.run(migrate(books.url))
        started = time.perf_counter()
        count = fill(books.url, games)
        report(f"{games} games, {count} entries, filled in {time.perf_counter() - started:.0f} s")
        with redis.Redis.from_url(store.url) as client:
            client.sadd("tables", str(TIER))
        growth(books.url, games)
        audit(books.url, store.url)
        if given.games > games:
            fill_up(books.url, given.games - games)
        asyncio.run(ask(books.url, games))


if __name__ == "__main__":
    main()
