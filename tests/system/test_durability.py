"""What was acknowledged to the payment provider is in the ledger, once, whatever dies."""

import asyncio
import os

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.support.process import StartProcess
from tests.support.replays import replay_all
from tests.support.store_content import ledger
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.system.cashiers import Cashiers, TornStore
from tests.system.conftest import FAIR_BINGO, StartServe
from tests.system.crashes import Faults

FAULT_SECONDS = float(os.environ.get("FAULT_SECONDS", "10"))
CASHIERS = 16
FAST_GAMES = {
    "HTTP_RATE": "0",
    "JOIN_RATE": "0",
    "SOCKETS_PER_PLAYER": "0",
    "MAX_PLAYERS": "4",
    "SEAT_SECONDS": "1",
    "FORMATION_SECONDS": "1",
    "LOBBY_TTL_SECONDS": "3",
    "ARRANGING_SECONDS": "0.1",
    "CALL_INTERVAL_SECONDS": "0.02",
}


@pytest.mark.timeout(1200 + 2 * FAULT_SECONDS)
async def test_every_acknowledged_payment_is_in_the_ledger_once_whatever_dies(
    own_store: EmbeddedStore,
    start_serve: StartServe,
    start_process: StartProcess,
    variables: dict[str, str],
    issuer: DevIssuer,
    provider: DevProvider,
) -> None:
    variables |= FAST_GAMES | {"REDIS_URL": own_store.url}
    ports = [free_port(), free_port()]
    torn = TornStore(own_store)
    faults = Faults(torn, start_serve, ports)
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    cashiers = Cashiers(urls, issuer, provider, torn)
    async with asyncio.TaskGroup() as working:
        for number in range(CASHIERS):
            working.create_task(cashiers.work(number))
        await faults.work(FAULT_SECONDS)
        await until(lambda: len(paid(cashiers)) > CASHIERS)
        cashiers.stopping = True
    await faults.end()

    print(  # noqa: T201 - shown by `pytest -s`
        f"\n{len(cashiers.acknowledged)} acknowledged, {cashiers.repeats} repeated; {faults}"
    )
    assert cashiers.repeats > 0
    await assert_counted_once(own_store.url, cashiers)
    assert await replay_all(own_store.url)
    audit = start_process(FAIR_BINGO, "audit", **variables)
    assert await audit.wait() == 0, audit.output


async def assert_counted_once(store_url: str, cashiers: Cashiers) -> None:
    """Every acknowledged payment was received once, with its amount, and nothing else was."""
    async with Redis.from_url(
        store_url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS
    ) as redis:
        entries = await ledger(redis, "3500")
    received = [
        (entry["event"], entry["amount"]) for entry in entries if entry["kind"] == "received"
    ]
    assert sorted(received) == sorted(paid(cashiers))


def paid(cashiers: Cashiers) -> list[tuple[str, str]]:
    """The acknowledged payments, each with its amount."""
    return [
        (tx, payload["amount"])
        for tx, payload in cashiers.acknowledged.items()
        if payload["status"] == "finalized"
    ]
