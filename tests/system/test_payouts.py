"""`fair-bingo payouts` as a process: what is owed is paid by the operator's service, and what
operators do about it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from redis.asyncio import Redis

from server.dev.payout_service import DevPayoutService
from tests.support.payouts import owe, payout_service
from tests.support.process import StartProcess
from tests.support.wait import until
from tests.system.conftest import FAIR_BINGO, Run

pytestmark = pytest.mark.not_replayed


@pytest.fixture
async def service() -> DevPayoutService:
    """A payment service that pays at once."""
    return DevPayoutService(pays_after_seconds=0)


@pytest.fixture
async def paying(
    variables: dict[str, str], books_url: str, service: DevPayoutService
) -> AsyncIterator[dict[str, str]]:
    """The environment has books and a payment service."""
    async with payout_service(service) as settings:
        variables |= {"DATABASE_URL": books_url, **settings}
        yield variables


@pytest.fixture
async def redis(store_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(store_url, decode_responses=True) as client:
        yield client


async def listed(fair_bingo: Run, *options: str) -> list[dict[str, Any]]:
    code, output = await fair_bingo("payouts", "list", "--json", *options)
    assert code == 0, output
    return [json.loads(line) for line in output.splitlines()]


async def test_nobody_pays_without_what_it_takes(
    variables: dict[str, str], books_url: str, fair_bingo: Run
) -> None:
    needed = {
        "DATABASE_URL": books_url,
        "PAYOUT_URL": "http://127.0.0.1:1/payouts",
        "PAYOUT_KEY": "11" * 32,
    }
    for name, value in needed.items():
        assert await fair_bingo("payouts") == (2, f"{name}: is missing\n")
        if name == "DATABASE_URL":
            assert await fair_bingo("payouts", "list") == (2, f"{name}: is missing\n")
        variables[name] = value
    variables["PAYOUT_KEY"] = "1234"
    code, output = await fair_bingo("payouts")
    assert (code, "1234" in output) == (2, False)
    assert output.startswith("PAYOUT_KEY: must be")


async def test_what_is_owed_is_paid_and_operators_see_and_change_what_is_not(
    paying: dict[str, str],
    fair_bingo: Run,
    start_process: StartProcess,
    redis: Redis,
    service: DevPayoutService,
) -> None:
    _, settled, refused, held = [await owe(redis, n, str(7000 + n)) for n in range(4)]
    tested = await owe(redis, 9, test="true")
    code, output = await fair_bingo("archive", "--until-done")
    assert code == 0, output
    # Before anything is sent.
    entry = settled.removeprefix("po_").replace("_", ":", 1)
    assert (await fair_bingo("ledger", "settle", entry, "--reference", "hand"))[0] == 0
    denied = await fair_bingo("payouts", "refuse", refused, "--reason", "fraud", "--by", "ann")
    assert denied[0] == 0, denied
    code, output = await fair_bingo("payouts", "retry", tested, "--by", "ann")
    assert (code, output) == (1, f"{tested}: there is no such payout\n")
    assert (await fair_bingo("payouts", "list", "--status", "nonsense"))[0] == 2

    paying["PAYOUT_APPROVAL_COINS"] = "7002"
    worker = start_process(FAIR_BINGO, "payouts", **paying)

    async def are(*statuses: str) -> bool:
        async with await psycopg.AsyncConnection.connect(paying["DATABASE_URL"]) as connection:
            found = await connection.execute("SELECT status FROM payouts ORDER BY payout_id")
            return [row[0] for row in await found.fetchall()] == [*statuses]

    await until(lambda: are("settled", "settled", "refused", "held"))
    (row,) = await listed(fair_bingo, "--status", "held")
    assert (row["payout_id"], row["amount"], row["entry_id"]) == (
        held,
        7003,
        held.removeprefix("po_").replace("_", ":", 1),
    )
    for name in ("ann", "ann", "bob"):
        assert len(service.orders) == 1
        assert (await fair_bingo("payouts", "approve", held, "--by", name))[0] == 0
    await until(lambda: are("settled", "settled", "refused", "settled"))

    assert (await fair_bingo("payouts", "pause", "--by", "ann"))[0] == 0
    assert (await fair_bingo("payouts", "retry", refused, "--by", "ann"))[0] == 0
    await until(lambda: are("settled", "settled", "due", "settled"))
    assert (await fair_bingo("payouts", "resume", "--by", "ann"))[0] == 0
    await until(lambda: are("settled", "settled", "settled", "settled"))
    worker.terminate()
    assert await worker.wait() == 0, worker.output

    references = {row["payout_id"]: row["reference"] for row in await listed(fair_bingo)}
    assert references == {settled: "hand"} | {
        payout_id: order.reference for payout_id, order in service.orders.items()
    }
    assert len(service.orders) == 3
    code, output = await fair_bingo("audit")
    assert code == 0, output
