"""Everything of the books, built once, by name, from the settings; None without `DATABASE_URL`.

What knows SQL is imported here, and only when it is wanted: without the extra `books` the server
runs as it does without the setting.
"""

from typing import TYPE_CHECKING, Final

from server.assembly.stores import Stores
from server.books.patience import PATIENCE_SECONDS
from server.rules.operator_chain import Action
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings

if TYPE_CHECKING:  # without the extra `books` the worker cannot be imported; few need the service
    from server.outside.payout_service import PayoutService
    from server.services.payouts import PayoutWorker


PAYOUTS: Final = (
    "fair_bingo_payouts",
    "Payouts that are not settled, by status, the same on every node.",
    ("status",),
)
PAUSED: Final = (
    "fair_bingo_payouts_paused",
    "1 for the reason why payouts pause, the same on every node.",
    ("reason",),
)
OLDEST: Final = (
    "fair_bingo_oldest_payout_age_seconds",
    "Age of the oldest payout that is not settled, the same on every node.",
    (),
)
LOOKED_UP: Final = (
    "fair_bingo_payouts_timestamp_seconds",
    "When payouts were last looked up, in Unix time.",
    (),
)


class BooksMissing(Exception):
    """The books cannot be used. The text is one line for the operator."""


class BooksSide:
    """The services on the books of one process."""

    def __init__(
        self,
        url: str,
        settings: Settings,
        stores: Stores,
        clock: StoreClock,
        patience_seconds: int = PATIENCE_SECONDS,
    ) -> None:
        from server.books.engine import Books
        from server.services.address_book import AddressBook
        from server.services.archiving import Archive
        from server.services.history import History
        from server.services.operator_archive import ActionsInBooks, OperatorArchive
        from server.services.past_in_books import PastInBooks
        from server.services.payout_desk import PayoutDesk
        from server.services.payout_watch import PayoutWatch
        from server.services.settling import Settling
        from server.services.suspects import Suspects

        self._url = url
        self._patience_seconds = patience_seconds
        self._books = Books(url, patience_seconds=patience_seconds)
        self._settings = settings
        self.past: PastInBooks = PastInBooks(self._books, stores.past_ledger)

        async def record(by: str, action: str, target: str, reason: str) -> None:
            at_ms = int(clock.now_ms())
            await stores.operator_log.write_down(
                Action(operator=by, action=action, target=target, reason=reason, at=at_ms)
            )

        self._settling = Settling(stores.ledger, clock)
        self.payout_desk: PayoutDesk = PayoutDesk(self._books, self._settling, record)
        self.payout_watch: PayoutWatch = PayoutWatch(self.payout_desk, clock)
        self.history: History = History(self._books, clock)
        self.archive: Archive = Archive(
            stores.past_ledger,
            stores.past_games,
            stores.lobbies,
            self._books,
            clock,
            finished_seconds=settings.finished_ttl_seconds,
            invoice_hot_seconds=settings.invoice_hot_seconds,
        )
        self.operator_archive: OperatorArchive = OperatorArchive(stores.operator_log, self._books)
        self.kept_actions: ActionsInBooks = ActionsInBooks(self._books)
        self.address_book: AddressBook = AddressBook(self._books, settings.address_days)
        self.suspects: Suspects = Suspects(self._books)

    async def check(self) -> None:
        """Raises BooksMissing if their schema is not the one that this version knows; books that
        do not answer are no reason not to play."""
        from server.books.errors import BooksUnavailable, WrongSchema
        from server.books.revisions import check_schema

        try:
            await check_schema(self._url, self._patience_seconds)
        except WrongSchema as error:
            raise BooksMissing(str(error)) from None
        except BooksUnavailable:
            return

    def watch(self, metrics: Metrics) -> None:
        """Publish the gauges of payouts."""
        watch = self.payout_watch
        metrics.watch(*PAYOUTS, watch.payouts, across="max")
        metrics.watch(*PAUSED, watch.paused, across="max")
        metrics.watch(*OLDEST, watch.oldest_seconds, across="max")
        metrics.watch(*LOOKED_UP, watch.at_seconds, across="min")

    def payout_worker(self, service: "PayoutService") -> "PayoutWorker":
        """The worker that pays by that service, as the settings say."""
        from server.services.payout_queue import PayoutQueue
        from server.services.payout_terms import PayoutTerms
        from server.services.payouts import PayoutWorker

        settings = self._settings
        terms = PayoutTerms(
            token=settings.payment_token,
            network=settings.payment_network,
            decimals=settings.coin_decimals,
            limit_coins_per_hour=settings.payout_limit_coins_per_hour,
            approval_coins=settings.payout_approval_coins,
        )
        timeout_seconds = settings.payout_timeout_seconds
        queue = PayoutQueue(self._books, self._settling, terms, timeout_seconds)
        return PayoutWorker(queue, service, at_once=settings.payouts_at_once)

    async def close(self) -> None:
        """Close the connections."""
        await self._books.close()


def watch_no_books(metrics: Metrics) -> None:
    """The metrics of payouts are there without books too, and have no value."""
    for name, text, labels in (PAYOUTS, PAUSED, OLDEST, LOOKED_UP):
        metrics.watch(name, text, labels, dict)


def books_side(
    settings: Settings,
    stores: Stores,
    clock: StoreClock,
    patience_seconds: int = PATIENCE_SECONDS,
) -> BooksSide | None:
    """The books that the settings name; see `Books` for the patience. Raises BooksMissing without
    what is needed to use them."""
    if settings.database_url is None:
        return None
    try:
        return BooksSide(settings.database_url, settings, stores, clock, patience_seconds)
    except ImportError as error:
        raise BooksMissing(f"DATABASE_URL needs fair-bingo[books]: {error}") from None
