"""From which addresses players come, in the books, where operators want that kept."""

import asyncio
from typing import Final

import structlog

from server.books import suspects
from server.books.engine import Books
from server.books.errors import BooksUnavailable
from server.runtime.tasks import end

WRITE_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 3600.0
_MOST: Final = 100_000

log = structlog.get_logger(__name__)


class AddressBook:
    """Keeps addresses for `days` days; None: keeps none, and lets go of those that were kept. What
    the books do not take is forgotten: nothing waits for this, and nothing depends on it."""

    def __init__(self, books: Books, days: int | None) -> None:
        self._books = books
        self._days = days
        self._noted: set[tuple[str, str]] = set()
        self._fresh: set[tuple[str, str]] = set()
        self._task: asyncio.Task[None] | None = None

    def note(self, alien_id: str, address: str) -> None:
        """The player has shown a token from there."""
        seen = alien_id, address
        if self._days and address and seen not in self._noted and len(self._noted) < _MOST:
            self._noted.add(seen)
            self._fresh.add(seen)

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write no more."""
        await end(self._task)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        forget_at = loop.time()
        while True:
            try:
                if self._fresh:
                    await self._write()
                if loop.time() >= forget_at:
                    forget_at = loop.time() + _AGAIN_SECONDS
                    self._noted.clear()  # so that `last_at` is right to the hour
                    async with self._books.begin() as connection:
                        await suspects.forget_addresses(connection)
            except BooksUnavailable as error:
                log.warning("addresses_not_kept", error=str(error))
            await asyncio.sleep(WRITE_SECONDS)

    async def _write(self) -> None:
        seen, self._fresh = self._fresh, set()
        async with self._books.begin() as connection:
            await suspects.note_addresses(connection, seen, self._days or 0)
