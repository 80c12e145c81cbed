"""Whether the archive keeps up, and whether the store lets go of what was played.

    python -m tests.bench.archive [--games 3000] [--seats 2] [--players 300] [--backlog-seconds 30]

One `fair-bingo serve` with a core to itself, and fast games by `fair-bingo load` with real tokens
and payments, which nobody claims, so that each lasts its 50 calls. The players, the store and
PostgreSQL (both on disk, each write synced), and one `fair-bingo archive` share the other core.

First the archive runs along: the store's memory after 1,000 games and in the end, each the mean
while all players play two more games, and how long after its end each game was in the books. Then
it is killed and games go on: how many a second of processor time the server produces. When all
games are over, only the archive is left, with both cores: how long it takes for what was produced
meanwhile. Last what a game takes in the books.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
import redis

from server.books.migrate import migrate
from server.dev.books import EmbeddedBooks
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.store import keys
from tests.bench.usage import cpu_seconds
from tests.support.process import ChildProcess
from tests.support.wait import until
from tests.system.conftest import FAIR_BINGO
from tests.system.faults.servers import Server, ended
from tests.system.game_server import environment, published_keys

TIER: Final = "3500"
TTL_SECONDS: Final = 5
_SETTINGS: Final = {
    "BUY_IN_TIERS": TIER,
    "CONNECT_RATE": "0",
    "SOCKETS_PER_PLAYER": "0",
    "HTTP_RATE": "0",
    "MESSAGE_RATE": "0",
    "MAX_SOCKETS": "0",
    "FINISHED_TTL_SECONDS": str(TTL_SECONDS),
    "INVOICE_HOT_SECONDS": str(TTL_SECONDS),
}
_END_SECONDS: Final = 600
_STILL_SECONDS: Final = 10
_ROUNDS: Final = 2
"""All begin at once, so their games are of nearly the same age for long, and take least when most
have just begun: the mean over so many games of everybody is of all ages."""
_TABLES: Final = (
    *("games", "records", "seats", "ledger", "invoices", "payouts"),
    *("standings", "daily_standings"),
)


@dataclass(frozen=True, slots=True)
class Size:
    """What is played: until so many games, by so many players, so many of them in a game. After
    the `first` ones the store's memory is what it is to stay."""

    first: int
    games: int
    seats: int
    players: int
    call_interval_seconds: float
    backlog_seconds: float


class Bench:
    """A run on a store and books that are empty, with `cores` for the server and for all else."""

    def __init__(
        self, size: Size, store: EmbeddedStore, books: EmbeddedBooks, directory: Path
    ) -> None:
        self._size = size
        self._store = redis.Redis.from_url(store.url, decode_responses=True)
        self._books = psycopg.connect(books.url, autocommit=True)
        self._directory = directory
        self._urls = {"REDIS_URL": store.url, "DATABASE_URL": books.url}
        self._variables: Mapping[str, str] = {}

    async def run(self, cores: Sequence[int]) -> None:
        """Measure, and print what is found."""
        async with self._playing(cores) as (server, load):
            archive = self._archive("archive-along")
            await self._memory()
            archive.kill()
            self._delays()
            a_second = await self._production(server)
            load.kill()
            await self._all_over()
        self._capacity(a_second, cores)
        self._growth()

    @asynccontextmanager
    async def _playing(self, cores: Sequence[int]) -> AsyncIterator[tuple[Server, ChildProcess]]:
        """A server on the first of the cores, and players who never stop."""
        size, directory = self._size, self._directory
        issuer, provider = (
            DevIssuer("https://issuer.test", "archive", directory),
            DevProvider(directory),
        )
        async with AsyncExitStack() as stack:
            jwks_url = await stack.enter_async_context(published_keys(issuer))
            trusted = environment(self._urls["REDIS_URL"], jwks_url, issuer, provider)
            self._variables = (
                trusted
                | self._urls
                | _SETTINGS
                | {
                    "MAX_PLAYERS": str(size.seats),
                    "CALL_INTERVAL_SECONDS": str(size.call_interval_seconds),
                }
            )
            (server,) = stack.enter_context(ended(Server(self._variables, directory)))
            os.sched_setaffinity(server.process.pid, cores[:1])
            await server.wait_until_ready()
            given = {
                "token-key": directory / "issuer-ed25519.pem",
                "webhook-key": directory / "provider-ed25519.pem",
                "issuer": issuer.issuer,
                "audience": issuer.audience,
                "kid": issuer.keys["EdDSA"].kid,
                "players": size.players,
                "tiers": TIER,
                "ramp-seconds": 5,
                "duration-seconds": 3600,  # longer than any run; a token is to last so long
                "call-interval-seconds": size.call_interval_seconds,
            }
            options = [f"--{name}={value}" for name, value in given.items()]
            load = ChildProcess(
                [FAIR_BINGO, "load", server.url, "--no-claims", *options],
                {},
                directory / "load.log",
            )
            stack.callback(load.kill)
            yield server, load

    def _archive(self, name: str) -> ChildProcess:
        return ChildProcess([FAIR_BINGO, "archive"], self._variables, self._directory / name)

    async def _memory(self) -> None:
        """The store's memory after the first games and after all, as games go on."""
        await self._until_games(self._size.first)
        first, began = await self._used_memory(), time.monotonic()
        there = self._games()
        await self._until_games(self._size.games - self._round)
        last = await self._used_memory()
        rate = (self._games() - there) / (time.monotonic() - began)
        report(f"{rate:.0f} games of {self._size.seats} a second, with the archive beside them")
        report(
            f"the store's memory: {_shown(first)} after {self._size.first} games,"
            f" {_shown(last)} after {self._size.games}:"
            f" {statistics.mean(last) / statistics.mean(first):.2f} times"
        )

    @property
    def _round(self) -> int:
        """How many games it is until everybody has played some more."""
        return _ROUNDS * self._size.players // self._size.seats

    async def _until_games(self, games: int) -> None:
        async def are_there() -> bool:
            return self._games() >= games

        await until(are_there, timeout_seconds=_END_SECONDS + games)

    async def _used_memory(self) -> list[int]:
        """Twice a second, until everybody has played some more games."""
        samples: list[int] = []
        enough = self._games() + self._round
        while self._games() < enough:
            samples.append(self._store.info("memory")["used_memory"])
            await asyncio.sleep(0.5)
        return samples

    def _delays(self) -> None:
        """From the end of each game to the commit of its row, by PostgreSQL's own note of it."""
        found = self._books.execute(
            "SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - finished_at) FROM games"
        ).fetchall()
        seconds = sorted(float(row[0]) for row in found)
        shown = [seconds[round(share * (len(seconds) - 1))] for share in (0.5, 0.99, 1)]
        report(
            "from a game's end to its row: p50 {:.2f} s, p99 {:.2f} s, at most {:.2f} s".format(
                *shown
            )
        )

    async def _production(self, server: Server) -> float:
        """How many games the server produces in a second of its core."""
        began, used = self._waiting(), cpu_seconds(server.process.pid)
        await asyncio.sleep(self._size.backlog_seconds)
        games = self._waiting() - began
        used = cpu_seconds(server.process.pid) - used
        report(
            f"the server: {games} games in {self._size.backlog_seconds:.0f} s, with {used:.1f} s of"
            f" its core, so {games / used:.1f} a second of a full core"
        )
        return games / used

    async def _all_over(self) -> None:
        """Return when games that have begun have ended, as far as they do without players."""
        before = -1
        while (games := self._waiting()) > before:
            before = games
            await asyncio.sleep(_STILL_SECONDS)

    def _capacity(self, produced: float, cores: Sequence[int]) -> None:
        """How fast one archive moves what waits, its start apart."""
        os.sched_setaffinity(0, cores)
        time.sleep(TTL_SECONDS)  # until no invoice is hot
        games = self._waiting()
        whole, start = self._moved(), self._moved()
        seconds, used = (a - b for a, b in zip(whole, start, strict=True))
        report(
            f"the archive: {games} games in {seconds:.1f} s ({used:.1f} s of CPU in its process;"
            f" start and end apart, {start[0]:.1f} s): {games / seconds:.0f} a second,"
            f" {games / seconds / produced:.1f} times what a full core produces"
        )

    def _moved(self) -> tuple[float, float]:
        """Move until all is done. Seconds on the clock, and of CPU in the archive's process."""
        before, began = os.times(), time.monotonic()
        subprocess.run(
            [FAIR_BINGO, "archive", "--until-done"],
            env={"PATH": os.environ["PATH"], **self._variables},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        seconds, after = time.monotonic() - began, os.times()
        used = after.children_user - before.children_user
        return seconds, used + after.children_system - before.children_system

    def _waiting(self) -> int:
        return int(self._store.zcard(keys.ended(TIER)))

    def _growth(self) -> None:
        """What a game takes on disk, with its indexes."""
        self._books.execute("VACUUM ANALYZE")
        games = self._games()
        for table in _TABLES:
            size = self._number(f"SELECT pg_total_relation_size('{table}')")
            entries = self._number(f"SELECT count(*) FROM {table}")  # noqa: S608 - of constants
            report(f"{table}: {entries / games:.1f} rows and {size / games:.0f} bytes a game")

    def _games(self) -> int:
        return self._number("SELECT count(*) FROM games")

    def _number(self, query: str) -> int:
        row = self._books.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])


def _shown(memory: Sequence[int]) -> str:
    mean, least, most = (n / 1e6 for n in (statistics.mean(memory), min(memory), max(memory)))
    return f"{mean:.1f} MB ({least:.1f} to {most:.1f})"


def report(line: str) -> None:
    """Print it at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do all of it, by default in some two minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--games", type=int, default=3_000)
    parser.add_argument("--seats", type=int, default=2)
    parser.add_argument("--players", type=int, default=300)
    parser.add_argument("--call-interval-seconds", type=float, default=0.1)
    parser.add_argument("--backlog-seconds", type=float, default=30)
    size = Size(**vars(parser.parse_args()))
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-1:])
    with (
        TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "store") as store,
        EmbeddedBooks(Path(directory) / "books", options=("track_commit_timestamp=on",)) as books,
    ):
        asyncio.run(migrate(books.url))
        asyncio.run(Bench(size, store, books, Path(directory)).run(cores))


if __name__ == "__main__":
    main()
