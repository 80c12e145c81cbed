"""News of payments: whoever is paid is notified on whichever server they are."""

import asyncio
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Final

import orjson
import structlog

from protocol.to_client import Payout
from server.store import keys
from server.store.errors import StoreUnavailable
from server.store.subscription import Subscription

_RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class PayoutNews:
    """While open, calls `on_payout` with the player and the payment for each debt that is settled
    in any of the `tables`. News that is missed is not made up for: the books have it."""

    def __init__(
        self,
        subscription: Subscription,
        tables: Callable[[], Collection[str]],
        on_payout: Callable[[str, Payout], None],
    ) -> None:
        self._subscription = subscription
        self._tables = tables
        self._on_payout = on_payout
        self._open = False
        self._subscribed: set[str] = set()
        self._subscribing = asyncio.Lock()
        self._retrying: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Subscribe. Tables that do not answer are tried again."""
        self._open = True
        if not await self._subscribe():
            self._retry_soon()

    def close(self) -> None:
        """Unsubscribe."""
        self._open = False
        for table in self._subscribed:
            self._subscription.unsubscribe(keys.payouts(table))
        self._subscribed.clear()

    def tables_found(self) -> None:
        """There are more tables than before."""
        if self._open:
            self._retry_soon()

    def _retry_soon(self) -> None:
        if self._retrying is None:
            self._retrying = asyncio.create_task(self._retry())

    async def _retry(self) -> None:
        try:
            while self._open:
                if await self._subscribe():
                    break
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            self._retrying = None

    async def _subscribe(self) -> bool:
        """Whether the news of all tables comes."""
        # One at a time: who gives a channel up that another has subscribed meanwhile ends it for
        # both.
        async with self._subscribing:
            missing = set(self._tables()) - self._subscribed
            return all(await asyncio.gather(*map(self._subscribe_to, missing)))

    async def _subscribe_to(self, table: str) -> bool:
        try:
            await self._subscription.subscribe(keys.payouts(table), self._on_message)
        except StoreUnavailable as error:
            log.warning("payout_news_without_store", table=table, error=str(error))
            return False
        if self._open:
            self._subscribed.add(table)
        else:
            self._subscription.unsubscribe(keys.payouts(table))
        return True

    def _on_message(self, message: str) -> None:
        try:
            news = orjson.loads(message)
            amount = Decimal(news["amount"])
            payout = Payout(
                lobby_id=news["lobby_id"],
                amount=amount,
                status="settled",
                reference=news["reference"],
            )
            alien_id = str(news["alien_id"])
        except (ValueError, KeyError, TypeError, InvalidOperation) as error:
            log.warning("payout_news_not_understood", error=type(error).__name__)
            return
        self._on_payout(alien_id, payout)
