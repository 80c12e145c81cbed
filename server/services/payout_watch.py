"""What is to be seen of payouts on every server: looked up every few seconds, where there are
books."""

import asyncio
from typing import Final

import structlog

from server.books.payout_control import Open
from server.rules.payouts import PAUSES, STATUSES
from server.runtime.clock import StoreClock
from server.runtime.metrics import Values
from server.runtime.tasks import end
from server.services.payout_desk import PayoutDesk
from server.store.errors import StoreUnavailable

REFRESH_SECONDS: Final = 4.0

log = structlog.get_logger(__name__)


class PayoutWatch:
    """The latest look at payouts. While the books are away it grows old, which its time shows."""

    def __init__(self, desk: PayoutDesk, clock: StoreClock) -> None:
        self._desk = desk
        self._clock = clock
        self._found: Open | None = None
        self._at_ms = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Look no more."""
        await end(self._task)

    def payouts(self) -> Values:
        """Payouts that are not settled, by status."""
        if self._found is None:
            return {}
        counts = self._found.counts
        return {(status,): counts.get(status, 0) for status in STATUSES if status != "settled"}

    def paused(self) -> Values:
        """1 for the reason why payouts pause."""
        if self._found is None:
            return {}
        return {(reason,): self._found.control.paused == reason for reason in PAUSES}

    def oldest_seconds(self) -> Values:
        """The age of the oldest payout that is not settled; 0 if there is none."""
        return {} if self._found is None else {(): self._found.oldest_seconds}

    def at_seconds(self) -> Values:
        """When that was looked up."""
        return {} if self._found is None else {(): self._at_ms / 1000}

    async def _run(self) -> None:
        while True:
            try:
                self._found = await self._desk.survey()
                self._at_ms = self._clock.now_ms()
            except StoreUnavailable as error:
                log.warning("payout_watch_without_books", error=str(error))
            await asyncio.sleep(REFRESH_SECONDS)
