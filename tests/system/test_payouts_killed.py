"""Workers that are killed at random, and a payment service that answers everything wrong: each
debt is paid once, and settled with its reference."""

import asyncio
import os
import random
from itertools import pairwise

import psycopg
import pytest
from redis.asyncio import Redis

from server.dev.payout_service import DevPayoutService
from tests.support.payouts import owe, payout_service
from tests.support.process import ChildProcess, StartProcess
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.system.conftest import FAIR_BINGO, Run

SECONDS = float(os.environ.get("FAULT_SECONDS", "10"))
WORKERS = 3
DEBTS_A_SECOND = 5
QUICK = {"PAYOUT_TIMEOUT_SECONDS": "0.5", "PAYOUTS_AT_ONCE": "4"}


@pytest.mark.not_replayed
@pytest.mark.timeout(1200 + 3 * SECONDS)
async def test_workers_that_are_killed_at_random_pay_each_debt_once(
    variables: dict[str, str],
    books_url: str,
    store_url: str,
    start_process: StartProcess,
    fair_bingo: Run,
) -> None:
    service = DevPayoutService(pays_after_seconds=0.2, late_seconds=0.8)
    service.faults = ("late", "half", "twice", "nonsense", "lost", "busy")
    async with payout_service(service) as settings:
        variables |= {"DATABASE_URL": books_url, **settings, **QUICK}
        async with Redis.from_url(
            store_url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS
        ) as redis:
            debts = [await owe(redis, n) for n in range(int(SECONDS * DEBTS_A_SECOND))]
        assert (await fair_bingo("archive", "--until-done"))[0] == 0
        await keep_killing(variables, start_process, service, len(debts))

        service.faults = ()
        last = start_process(FAIR_BINGO, "payouts", **variables)
        assert (await fair_bingo("payouts", "resume", "--by", "test"))[0] == 0
        try:
            await until(lambda: settled(books_url, len(debts)))
        except AssertionError as error:
            error.add_note(last.output)
            raise
    for debt in debts:  # never one after the other without a look
        methods = [method for method, name in service.requests if name == debt]
        assert ("POST", "POST") not in pairwise(methods)
    assert service.orders.keys() == set(debts)
    with psycopg.connect(books_url) as connection:
        rows = connection.execute("SELECT payout_id, reference FROM payouts").fetchall()
    references = {name: order.reference for name, order in service.orders.items()}
    assert dict(rows) == references
    code, output = await fair_bingo("audit")
    assert code == 0, output
    code, output = await fair_bingo("ledger", "list", "--owed")
    assert (code, output) == (0, "")


async def keep_killing(
    variables: dict[str, str],
    start_process: StartProcess,
    service: DevPayoutService,
    debts: int,
) -> None:
    """Kill workers and start others, until the time is up or there is nothing to be paid."""
    workers: list[ChildProcess] = []
    # A worker has to live to be killed at work, however slow the machine is.
    deadline = asyncio.get_running_loop().time() + SECONDS
    while asyncio.get_running_loop().time() < deadline or not service.orders:
        workers = [worker for worker in workers if worker.exit_code is None]
        while len(workers) < WORKERS:
            workers.append(start_process(FAIR_BINGO, "payouts", **variables))
        asked = len(service.requests)
        await until(lambda asked=asked: len(service.requests) > asked or not debts)  # type: ignore[misc]
        await asyncio.sleep(random.uniform(0, 0.5))
        random.choice(workers).kill()
    for worker in workers:
        worker.kill()


async def settled(books_url: str, payouts: int) -> bool:
    async with await psycopg.AsyncConnection.connect(books_url) as connection:
        found = await connection.execute(
            "SELECT count(*) FROM payouts WHERE status = 'settled' AND next_at IS NULL"
        )
        return await found.fetchone() == (payouts,)
