"""Debts to be paid, and the payment service that is asked to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from server.dev.payout_service import PATH, DevPayoutService
from server.store import keys
from tests.support.game import TABLE


@asynccontextmanager
async def serving(application: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Run `application` in aiohttp's own server, as other people do, on a port of 127.0.0.1 (0: a
    free one), and give its URL."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def payout_service(service: DevPayoutService) -> AsyncIterator[dict[str, str]]:
    """Run a payment service, and give the settings with which it is asked."""
    async with serving(service.application()) as url:
        yield {"PAYOUT_URL": url + PATH, "PAYOUT_KEY": service.key_hex}


async def owe(
    redis: Redis, number: int, amount: str = "7000", *, table: str = TABLE, **fields: Any
) -> str:
    """Add to a table's ledger what a won game leaves there whose lobby is long gone: `number` makes
    the lobby's and the player's id, `amount` is in coins, `fields` change the owed entry. Returns
    the payout's id."""
    lobby = {"lobby_id": f"lobby_{table}_{number:012x}", "at": "1700000000000.0", "event": "e"}
    owed = {"kind": "payout_owed", "alien_id": f"player-{number}", "amount": amount} | fields
    test = {"test": "true"} if "test" in fields else {}
    pot = {"kind": "pot", "amount": f"-{amount}"}
    for entry in (
        {"kind": "received", "amount": amount, "alien_id": f"player-{number}"},
        {"kind": "pot", "amount": amount},
        pot,
        owed,
    ):
        fields_: Any = {**lobby, **entry, **test}
        stream_id: Any = await redis.xadd(keys.ledger(table), fields_)
    await redis.sadd(keys.TABLES, table)
    return f"po_{table}_{stream_id}"
