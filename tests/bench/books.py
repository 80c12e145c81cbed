"""How long the books take with very many rows: an audit of the ledger, and queries of players.

    python -m tests.bench.books [--audited-games 45000] [--games 1000000]

It fills embedded PostgreSQL with won games of ten (some 22 entries of the ledger each), chained as
the archive chains them, and measures the audit's time and peak memory as a process of its own, and
what a game takes on disk. Then it fills up to `--games` games, one a second up to now, the latest
50,000 with the entries that statements read, and measures each query of a player 200 times, 20
times a second. A leaderboard is mostly answered from memory then, so how long it takes to count one
anew is measured by itself. Of 20,000 players 1,000 are on the leaderboards at first, then all.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

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
from tests.bench.support.book_sizes import sizes_per_game
from tests.bench.support.filled_books import PLAYERS, TIER, fill, fill_up
from tests.bench.support.percentiles import summary
from tests.bench.support.progress import report
from tests.bench.support.usage import run
from tests.system.conftest import FAIR_BINGO

TIMES: Final = 200
FEW_TIMES: Final = 5
QUERIES_PER_SECOND: Final = 20
PERIODS: Final[tuple[Period, ...]] = ("all", "month", "week", "day")
OPTIONS: Final = ("fsync=off", "max_wal_size=4GB")  # filling is not what is measured

Query = Callable[[str], Awaitable[Any]]
"""Asks for a player."""


def audit(url: str, store_url: str) -> None:
    """Run `fair-bingo audit`, and print what it took and said."""
    done = run(
        [FAIR_BINGO, "audit"],
        {
            "REDIS_URL": store_url,
            "DATABASE_URL": url,
            "ALIEN_PROVIDER_ADDRESS": "0",
            "BUY_IN_TIERS": str(TIER),
            "WEBHOOK_PUBLIC_KEY": DevProvider().public_key_hex,
        },
    )
    report(
        f"audit: exit {done.exit_code}, {done.elapsed_seconds:.1f} s,"
        f" {done.cpu_seconds:.1f} s of its CPU, {done.peak_bytes / 1e6:.0f} MB at most"
    )
    report(done.output)


async def ask(url: str, audited_games: int) -> None:
    """Ask as players do, of the records of so many games, and print how long answers take."""
    books = Books(url)
    history = History(books, StoreClock())
    names = [f"player-{n * 97 % PLAYERS}" for n in range(TIMES)]
    queries: dict[str, Query] = {
        "games": lambda name: history.games(name, 20, None),
        "statement": lambda name: history.statement(name, None, None, None),
        "record": lambda name: _record(books, int(name.partition("-")[2]) % audited_games),
        "leaderboard of a tier": lambda _: history.leaderboard("all", TIER),
    }
    for period in PERIODS:
        queries[f"leaderboard, {period}"] = partial(_leaderboard, history, period)
    for name, query in queries.items():
        await _timed(name, query, names)
    for period in PERIODS:
        await _timed(f"counted anew, {period}", partial(_count, books, period), names[:FEW_TIMES])
    async with books.begin() as connection:
        await connection.execute(text("UPDATE profiles SET listed = true"))
    await _timed("counted anew, all listed", partial(_count, books, "all"), names[:FEW_TIMES])
    await books.close()


async def _leaderboard(history: History, period: Period, _name: str) -> None:
    await history.leaderboard(period, None)


async def _count(books: Books, period: Period, _name: str) -> None:
    since = first_instant(period, datetime.now(UTC))
    async with books.connect() as connection:
        await leaders(connection, None if since is None else since.date(), None)


async def _timed(name: str, query: Query, players: Sequence[str]) -> None:
    """Ask for each player at a steady rate, one after the other, and print the latencies."""
    latencies_ms, due_s = [], time.perf_counter()
    for player in players:
        due_s += 1 / QUERIES_PER_SECOND
        await asyncio.sleep(due_s - time.perf_counter())
        begun_s = time.perf_counter()
        await query(player)
        latencies_ms.append((time.perf_counter() - begun_s) * 1000)
    report(summary(name, "queries", latencies_ms))


async def _record(books: Books, game: int) -> None:
    async with books.connect() as connection:
        assert await reading.record_of(connection, f"lobby_3500_{game:012x}") is not None


def main() -> None:
    """Measure, and print each figure as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audited-games", type=int, default=45_000)
    parser.add_argument("--games", type=int, default=1_000_000)
    given = parser.parse_args()
    games: int = given.audited_games
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "store") as store,
        EmbeddedBooks(Path(directory) / "books", options=OPTIONS) as books,
    ):
        asyncio.run(migrate(books.url))
        begun_s = time.perf_counter()
        entries = fill(books.url, games)
        seconds = time.perf_counter() - begun_s
        report(f"{games} games, {entries} entries, filled in {seconds:.0f} s")
        with redis.Redis.from_url(store.url) as client:
            client.sadd("tables", str(TIER))
        for line in sizes_per_game(books.url):
            report(line)
        audit(books.url, store.url)
        if given.games > games:
            fill_up(books.url, given.games - games)
            report(f"filled up to {given.games} games")
        asyncio.run(ask(books.url, games))


if __name__ == "__main__":
    main()
