"""Games on one server, and the archive that moves them from the store into the books."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import psycopg
import redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.store import keys
from tests.bench.support.cores import SERVER_CORE
from tests.bench.support.load_tool import load_tool
from tests.bench.support.serving import serving
from tests.bench.support.usage import FinishedRun, run
from tests.support.process import ChildProcess
from tests.system.conftest import FAIR_BINGO
from tests.system.faults.servers import Server
from tests.system.game_server import environment, published_keys

RETENTION_SECONDS: Final = 5
"""Games and invoices stay in the store for so long after they are over."""
_TIER: Final = "3500"
_SETTINGS: Final = {
    "BUY_IN_TIERS": _TIER,
    "CONNECT_RATE": "0",
    "SOCKETS_PER_PLAYER": "0",
    "HTTP_RATE": "0",
    "MESSAGE_RATE": "0",
    "MAX_SOCKETS": "0",
    "FINISHED_TTL_SECONDS": str(RETENTION_SECONDS),
    "INVOICE_HOT_SECONDS": str(RETENTION_SECONDS),
}
_LOAD_SECONDS: Final = 3600  # longer than any run; a token is to last so long


class ArchivedGames:
    """Games of so many seats, by so many players, on a store and books that are empty at first. All
    that is started leaves its output and its keys in the directory."""

    def __init__(
        self,
        store_url: str,
        books_url: str,
        directory: Path,
        *,
        players: int,
        seats: int,
        call_interval_seconds: float,
    ) -> None:
        self.books_url = books_url
        self._store_url = store_url
        self._store = redis.Redis.from_url(store_url, decode_responses=True)
        self._books = psycopg.connect(books_url, autocommit=True)
        self._directory = directory
        self._players = players
        self._call_interval_seconds = call_interval_seconds
        self._variables: Mapping[str, str] = {
            **_SETTINGS,
            "MAX_PLAYERS": str(seats),
            "CALL_INTERVAL_SECONDS": str(call_interval_seconds),
            "DATABASE_URL": books_url,
        }

    @asynccontextmanager
    async def played(self) -> AsyncIterator[tuple[Server, ChildProcess]]:
        """A server on a core of its own, and players who do not stop until they are killed."""
        directory = self._directory
        issuer = DevIssuer("https://issuer.test", "archive", directory)
        provider = DevProvider(directory)
        async with AsyncExitStack() as stack:
            jwks_url = await stack.enter_async_context(published_keys(issuer))
            trusted = environment(self._store_url, jwks_url, issuer, provider)
            self._variables = {**trusted, **self._variables}
            server = await stack.enter_async_context(serving(self._variables, SERVER_CORE))
            load = load_tool(
                server.url,
                issuer,
                directory,
                directory / "load.log",
                players=self._players,
                tiers=_TIER,
                ramp_seconds=5,
                duration_seconds=_LOAD_SECONDS,
                call_interval_seconds=self._call_interval_seconds,
            )
            stack.callback(load.kill)
            yield server, load

    def start_archive(self) -> ChildProcess:
        """An archive beside the games, which have to have begun."""
        return ChildProcess(
            [FAIR_BINGO, "archive"], self._variables, self._directory / "archive.log"
        )

    def archive_all(self) -> FinishedRun:
        """Have an archive move all that may be moved. Raises AssertionError if it fails."""
        done = run([FAIR_BINGO, "archive", "--until-done"], self._variables)
        assert done.exit_code == 0, done.output
        return done

    def unarchived(self) -> int:
        """How many games have ended and are still in the store."""
        return int(self._store.zcard(keys.ended(_TIER)))

    def archived(self) -> int:
        """How many games are in the books."""
        row = self._books.execute("SELECT count(*) FROM games").fetchone()
        assert row is not None
        return int(row[0])

    def delays_seconds(self) -> list[float]:
        """From the end of each game to the commit of its row, as PostgreSQL noted it: it has to be
        started with `track_commit_timestamp=on`."""
        rows = self._books.execute(
            "SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - finished_at) FROM games"
        ).fetchall()
        return [float(row[0]) for row in rows]

    def store_bytes(self) -> int:
        """The memory that the store uses for its content."""
        return int(self._store.info("memory")["used_memory"])
