"""The store and the books, opened for one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.assembly.books import BooksMissing, books_side
from server.assembly.stores import Stores
from server.cli.console import fail
from server.runtime.clock import StoreClock
from server.runtime.exit_codes import BAD_SETTINGS
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings
from server.services.operator_history import KeptEntries
from server.services.past import Past, WholeLedger

if TYPE_CHECKING:  # without the extra `books` it cannot be imported
    from server.services.payout_desk import PayoutDesk
    from server.services.suspects import Suspects


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command works on. `past`: what has left the store; `kept_actions`: what operators did;
    `payouts`: what they do about them; `suspects`: whom they look into; all None without books."""

    stores: Stores
    past: Past | None
    ledger: WholeLedger
    kept_actions: KeptEntries | None
    clock: StoreClock
    payouts: "PayoutDesk | None"
    suspects: "Suspects | None"


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Opened]:
    """The store and, if the settings name them, the books; ends the command where they cannot be
    used."""
    clock = StoreClock()
    stores = Stores(settings, clock, Metrics())
    try:
        books = books_side(settings, stores, clock)
    except BooksMissing as error:
        fail(str(error), BAD_SETTINGS)
    past = None if books is None else books.past
    kept = None if books is None else books.kept_actions
    try:
        if books is not None:
            await books.check()
        ledger = WholeLedger(stores.ledger, stores.past_ledger, past)
        payouts = None if books is None else books.payout_desk
        suspects = None if books is None else books.suspects
        yield Opened(stores, past, ledger, kept, clock, payouts, suspects)
    except BooksMissing as error:
        fail(str(error), BAD_SETTINGS)
    finally:
        if books is not None:
            await books.close()
        await stores.close()
