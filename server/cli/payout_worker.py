"""The process of `fair-bingo payouts`, which pays what is owed."""

import asyncio
import signal

from server.assembly.books import books_side
from server.assembly.stores import Stores
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings


async def pay_until_stopped(settings: Settings) -> None:
    """Pay until SIGTERM. Raises BooksMissing and WeakDurability."""
    # The other commands about payouts ask nobody.
    from server.outside.payout_service import PayoutService

    clock = StoreClock()
    stores = Stores(settings, clock, Metrics())
    books = books_side(settings, stores, clock)
    assert books is not None  # noqa: S101 - the settings name them
    service = PayoutService(
        settings.payout_url or "",
        settings.payout_key or b"",
        settings.payout_timeout_seconds,
        settings.payouts_at_once,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await books.check()
        usable = asyncio.create_task(stores.wait_until_usable())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([usable, stopping], return_when=asyncio.FIRST_COMPLETED)
        if usable.done():
            await usable
            await books.payout_worker(service).run(stop)
        usable.cancel()
        stopping.cancel()
    finally:
        await service.close()
        await books.close()
        await stores.close()
