"""The archive at work: table after table, again and again."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeVar

import structlog

from server.books.errors import BooksUnavailable
from server.services.archiving import Archive, OutOfStep
from server.services.operator_archive import OperatorArchive
from server.store.errors import StoreUnavailable

PAUSE_SECONDS: Final = 0.5
RETRY_SECONDS: Final = 2.0

_UNMATCHED: Final = "unmatched"
_OPERATOR_LOG: Final = "operator_log"
_Moved = TypeVar("_Moved")

log = structlog.get_logger(__name__)


class ArchiveLoop:
    """Moves what is over in all tables, whose names `tables` asks for, and copies what operators
    did; `moved` is called with how many more entries, games and invoices."""

    def __init__(
        self,
        archive: Archive,
        operator_archive: OperatorArchive,
        tables: Callable[[], Awaitable[Sequence[str]]],
        moved: Callable[[int], None] = lambda _number: None,
    ) -> None:
        self._archive = archive
        self._operator_archive = operator_archive
        self._tables = tables
        self._tell = moved
        self._stopped: set[str] = set()
        self._known: Sequence[str] = ()
        self._away: StoreUnavailable | None = None

    async def run(self, stop: asyncio.Event, *, until_done: bool = False) -> bool:
        """Move until `stop` is set or, with `until_done`, until nothing is left to be moved now.
        Returns whether all tables could be moved."""
        while not stop.is_set():
            pause_seconds = PAUSE_SECONDS
            try:
                if await self._pass(stop):
                    continue
                if until_done:
                    break
            except (StoreUnavailable, BooksUnavailable) as error:
                log.warning("archive_waits", error=str(error))
                pause_seconds = RETRY_SECONDS * (1 + secrets.randbelow(1000) / 1000)
            await _sleep(stop, pause_seconds)
        return not self._stopped and not self._archive.broken

    async def _pass(self, stop: asyncio.Event) -> bool:
        """Move some of each table; whether there may be more. In a cluster the primary of one may
        be away, and those of others there: raises StoreUnavailable only when nothing was moved."""
        self._away = None
        more = bool(await self._move(_UNMATCHED, self._archive.move_unmatched))
        more = bool(await self._move(_OPERATOR_LOG, self._operator_archive.move)) or more
        for table in await self._names():
            if stop.is_set():
                break
            moved = await self._move(table, partial(self._archive.move, table))
            if moved:
                self._tell(moved.entries + moved.games + moved.invoices)
                more = True
        if self._away is not None and not more:
            raise self._away
        return more

    async def _names(self) -> Sequence[str]:
        try:
            self._known = await self._tables()
        except StoreUnavailable as error:
            self._away = error
        return self._known

    async def _move(self, table: str, move: Callable[[], Awaitable[_Moved]]) -> _Moved | None:
        """Move some of one table. What stops it stops no other, and is logged once."""
        try:
            moved = await move()
        except BooksUnavailable:
            raise
        except StoreUnavailable as error:
            self._away = error
            return None
        except OutOfStep as error:
            if table not in self._stopped:
                log.error("archive_stopped", table=table, reason=str(error))
            self._stopped.add(table)
            return None
        except Exception:
            if table not in self._stopped:
                log.exception(
                    "archive_stopped", table=table, reason="an error of the archive's own"
                )
            self._stopped.add(table)
            return None
        self._stopped.discard(table)
        return moved


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
