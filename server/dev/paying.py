"""Payouts for development, where there are books: a payment service, and a worker that asks it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from server.assembly.app import App
from server.dev.payout_service import PATH, DevPayoutService
from server.outside.payout_service import PayoutService


@asynccontextmanager
async def paying(app: App, service: DevPayoutService, port: int) -> AsyncIterator[None]:
    """What is owed is paid by that service, if the server has books, for as long as the context
    lasts; the service answers on `port`."""
    if app.books is None:
        yield
        return
    runner = web.AppRunner(service.application(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
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
    finally:
        await runner.cleanup()
