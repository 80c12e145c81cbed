"""Payouts for development, where there are books: a payment service, and a worker that asks it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.assembly.app import App
from server.dev.http import serving
from server.dev.payout_service import PATH, DevPayoutService
from server.outside.payout_service import PayoutService


@asynccontextmanager
async def paying_out(app: App, service: DevPayoutService, port: int) -> AsyncIterator[None]:
    """Have `service`, on `port` of 127.0.0.1, pay what is owed for as long as the context lasts, if
    the server has books; else neither runs. Raises OSError if the port cannot be had."""
    if app.books is None:
        yield
        return
    async with serving(service.application(), port):
        client = PayoutService(
            f"http://127.0.0.1:{port}{PATH}",
            bytes.fromhex(service.key_hex),
            app.settings.payout_timeout_seconds,
            app.settings.payouts_at_once,
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(app.books.payout_worker(client).run(stop))
            try:
                yield
            finally:
                stop.set()
        await client.close()
