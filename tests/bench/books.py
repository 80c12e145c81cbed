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
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import redis
from sqlalchemy import text

from protocol.history import Period
from server.books import reading
from server.books.engine import Books
from server.books.leaderboard import leaders
from server.books.migrate import migrate
from server.dev.books import EmbeddedBooks
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.runtime.clock import StoreClock
from server.services.history import History, first_instant
from tests.bench.filled_books import PLAYERS, TIER, fill, fill_up

TIMES = 200
FEW = 5
A_SECOND = 20
PERIODS: tuple[Period, ...] = ("all", "month", "week", "day")
OPTIONS = ("fsync=off", "max_wal_size=4GB")  # filling is not what is measured


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
            report(f"filled up to {given.games} games")
        asyncio.run(ask(books.url, games))


if __name__ == "__main__":
    main()
