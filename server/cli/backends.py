"""The store and the books, opened for one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from server.assembly.books import BooksMissing, BooksSide, books_side
from server.assembly.stores import Stores
from server.books.patience import PATIENCE_OF_WORK_SECONDS
from server.cli.console import fail
from server.runtime.clock import StoreClock
from server.runtime.exit_codes import BAD_SETTINGS
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings
from server.services.past import Past, WholeLedger
from server.store.timings import PATIENT


@dataclass(frozen=True, slots=True)
class Backends:
    """What a command works on. `books` is None if the settings do not name them; `ledger` is read
    from both."""

    stores: Stores
    books: BooksSide | None
    ledger: WholeLedger
    clock: StoreClock

    @property
    def past(self) -> Past | None:
        """What has left the store; None without books."""
        return None if self.books is None else self.books.past

    @property
    def named_books(self) -> BooksSide:
        """The books, for a command that ends without them: see `url_of_books`."""
        assert self.books is not None  # noqa: S101 - the settings name them
        return self.books


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Backends]:
    """The store and, if the settings name them, the books; ends the command where they cannot be
    used."""
    clock = StoreClock()
    stores = Stores(settings, clock, Metrics(), PATIENT)
    try:
        books = books_side(settings, stores, clock, PATIENCE_OF_WORK_SECONDS)
    except BooksMissing as error:
        fail(str(error), BAD_SETTINGS)
    past = None if books is None else books.past
    ledger = WholeLedger(stores.ledger, stores.past_ledger, past)
    try:
        if books is not None:
            await books.check()
        yield Backends(stores, books, ledger, clock)
    except BooksMissing as error:
        fail(str(error), BAD_SETTINGS)
    finally:
        if books is not None:
            await books.close()
        await stores.close()
