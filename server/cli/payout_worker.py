"""The process of `fair-bingo payouts`, which pays what is owed."""

from server.cli.stopping import work_until_stopped
from server.runtime.settings import Settings


async def pay_until_stopped(settings: Settings) -> None:
    """Pay until SIGTERM. Raises BooksMissing and WeakDurability."""
    # Imported here: the other commands about payouts do not call the payment service.
    from server.outside.payout_service import PayoutService

    service = PayoutService(
        settings.payout_url or "",
        settings.payout_key or b"",
        settings.payout_timeout_seconds,
        settings.payouts_at_once,
    )
    try:
        await work_until_stopped(
            settings, lambda books, _stores, stop: books.payout_worker(service).run(stop)
        )
    finally:
        await service.close()
