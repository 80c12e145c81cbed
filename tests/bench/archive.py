"""Whether the archive keeps up, and whether the store forgets what was played.

    python -m tests.bench.archive [--first 1000] [--games 3000] [--seats 2] [--players 300]
                                  [--backlog-seconds 30]

One `fair-bingo serve` with a core to itself, and fast games by `fair-bingo load` with real tokens
and payments, which nobody claims, so that each lasts its 50 calls. The players, the store and
PostgreSQL (both on disk, each write synced), and one `fair-bingo archive` share the other core.

First the archive runs beside the games: the store's memory after the `--first` games and in the
end, each the mean while all players play two more games, and how long after its end each game was
in the books. Then the archive is killed and games go on: how many a second of processor time the
server produces. When all games are over, only the archive is left, with both cores: how long it
takes for what was produced meanwhile. Last what a game takes in the books.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from server.books.migrate import migrate
from server.dev.books import EmbeddedBooks
from server.dev.store import EmbeddedStore
from tests.bench.support.archived_games import RETENTION_SECONDS, ArchivedGames
from tests.bench.support.book_sizes import sizes_per_game
from tests.bench.support.cores import CORES, OTHER_CORE, move_to
from tests.bench.support.percentiles import p50_p99
from tests.bench.support.progress import report
from tests.bench.support.usage import cpu_seconds
from tests.support.wait import until
from tests.system.faults.servers import Server

_END_SECONDS: Final = 600
_QUIET_SECONDS: Final = 10
_SAMPLE_SECONDS: Final = 0.5
_SAMPLED_ROUNDS: Final = 2
"""All begin at once, so their games are of nearly the same age for long, and take least memory when
most have just begun: the mean over so many games of everybody is of all ages."""


@dataclass(frozen=True, slots=True)
class Size:
    """What is played: so many games, by so many players, so many of them in each. After the `first`
    games the store's memory is not to grow any more. For `backlog_seconds` games are played without
    an archive."""

    first: int
    games: int
    seats: int
    players: int
    call_interval_seconds: float
    backlog_seconds: float


class ArchiveBench:
    """A run on a store and books that are empty at first."""

    def __init__(self, size: Size, games: ArchivedGames) -> None:
        self._size = size
        self._games = games

    async def run(self) -> None:
        """Measure, and print what is found."""
        games = self._games
        async with games.played() as (server, load):
            archive = games.start_archive()
            await self._store_memory()
            archive.kill()
            self._archive_delays()
            games_per_cpu_second = await self._production(server)
            load.kill()
            await self._until_quiet()
        self._backlog(games_per_cpu_second)
        for line in sizes_per_game(games.books_url):
            report(line)

    async def _store_memory(self) -> None:
        """The store's memory after the first games and after all, as games go on."""
        size = self._size
        await self._until_archived(size.first)
        first_bytes, begun_s = await self._sampled_memory(), time.monotonic()
        games_before = self._games.archived()
        await self._until_archived(size.games - self._sampled_games)
        last_bytes = await self._sampled_memory()
        rate = (self._games.archived() - games_before) / (time.monotonic() - begun_s)
        report(f"{rate:.0f} games of {size.seats} a second, with the archive beside them")
        report(
            f"the store's memory: {_mean_and_range(first_bytes)} after {size.first} games,"
            f" {_mean_and_range(last_bytes)} after {size.games}:"
            f" {statistics.mean(last_bytes) / statistics.mean(first_bytes):.2f} times"
        )

    @property
    def _sampled_games(self) -> int:
        """How many games are played while the store's memory is sampled."""
        return _SAMPLED_ROUNDS * self._size.players // self._size.seats

    async def _until_archived(self, games: int) -> None:
        await until(lambda: self._games.archived() >= games, timeout_seconds=_END_SECONDS + games)

    async def _sampled_memory(self) -> list[int]:
        """Samples in bytes, while everybody plays some more games."""
        samples: list[int] = []
        enough = self._games.archived() + self._sampled_games
        while self._games.archived() < enough:
            samples.append(self._games.store_bytes())
            await asyncio.sleep(_SAMPLE_SECONDS)
        return samples

    def _archive_delays(self) -> None:
        """From the end of each game to the commit of its row, as PostgreSQL noted it."""
        seconds = self._games.delays_seconds()
        p50, p99 = p50_p99(seconds)
        report(
            f"from a game's end to its row: p50 {p50:.2f} s, p99 {p99:.2f} s,"
            f" at most {max(seconds):.2f} s"
        )

    async def _production(self, server: Server) -> float:
        """How many games the server produces in a second of its core."""
        games_before, used_before = self._games.unarchived(), cpu_seconds(server.process.pid)
        await asyncio.sleep(self._size.backlog_seconds)
        games = self._games.unarchived() - games_before
        used_seconds = cpu_seconds(server.process.pid) - used_before
        report(
            f"the server: {games} games in {self._size.backlog_seconds:.0f} s, with"
            f" {used_seconds:.1f} s of its core, so {games / used_seconds:.1f} a second of a full"
            " core"
        )
        return games / used_seconds

    async def _until_quiet(self) -> None:
        """Return when games that have begun have ended, as far as they do without players."""
        before = -1
        while (games := self._games.unarchived()) > before:
            before = games
            await asyncio.sleep(_QUIET_SECONDS)

    def _backlog(self, games_per_cpu_second: float) -> None:
        """How fast one archive moves what waits, beside what a full core produces."""
        os.sched_setaffinity(0, CORES)
        time.sleep(RETENTION_SECONDS)  # until no invoice is hot
        games = self._games.unarchived()
        whole = self._games.archive_all()
        start = self._games.archive_all()  # which finds nothing to move
        seconds = whole.elapsed_seconds - start.elapsed_seconds
        used_seconds = whole.cpu_seconds - start.cpu_seconds
        report(
            f"the archive: {games} games in {seconds:.1f} s ({used_seconds:.1f} s of CPU in its"
            f" process; start and end apart, {start.elapsed_seconds:.1f} s):"
            f" {games / seconds:.0f} a second,"
            f" {games / seconds / games_per_cpu_second:.1f} times what a full core produces"
        )


def _mean_and_range(sizes_bytes: Sequence[int]) -> str:
    mean, least, most = (
        size_bytes / 1e6
        for size_bytes in (statistics.mean(sizes_bytes), min(sizes_bytes), max(sizes_bytes))
    )
    return f"{mean:.1f} MB ({least:.1f} to {most:.1f})"


def main() -> None:
    """Measure, by default in some two minutes, and print each figure as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--games", type=int, default=3_000)
    parser.add_argument("--seats", type=int, default=2)
    parser.add_argument("--players", type=int, default=300)
    parser.add_argument("--call-interval-seconds", type=float, default=0.1)
    parser.add_argument("--backlog-seconds", type=float, default=30)
    size = Size(**vars(parser.parse_args()))
    move_to(OTHER_CORE)
    with (
        TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "store") as store,
        EmbeddedBooks(Path(directory) / "books", options=("track_commit_timestamp=on",)) as books,
    ):
        asyncio.run(migrate(books.url))
        games = ArchivedGames(
            *(store.url, books.url, Path(directory)),
            players=size.players,
            seats=size.seats,
            call_interval_seconds=size.call_interval_seconds,
        )
        asyncio.run(ArchiveBench(size, games).run())


if __name__ == "__main__":
    main()
