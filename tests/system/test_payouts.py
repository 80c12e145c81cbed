"""`fair-bingo payouts` as a process: what is owed is paid by the operator's service, and what
operators do about it."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

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


_EACH = """
import json, sys
from typer.testing import CliRunner
from server.cli.main import whole

for arguments in json.loads(sys.argv[1]):
    done = CliRunner().invoke(whole(), arguments)
    print(json.dumps([done.exit_code, done.output]), flush=True)
"""


async def each(
    start_process: StartProcess, variables: dict[str, str], *commands: str
) -> list[tuple[int, str]]:
    """Run commands one after another, in one process, which reads the program once: what each of
    them came to, as if it had been alone."""
    asked = json.dumps([command.split() for command in commands])
    process = start_process(sys.executable, "-c", _EACH, asked, **variables)
    assert await process.wait() == 0, process.output
    lines = [line for line in process.output.splitlines() if line.startswith("[")]
    return [(code, output) for code, output in map(json.loads, lines)]


async def test_nobody_pays_without_what_it_takes(
    variables: dict[str, str], books_url: str, fair_bingo: Run, start_process: StartProcess
) -> None:
    needed = {
        "DATABASE_URL": books_url,
        "PAYOUT_URL": "http://127.0.0.1:1/payouts",
        "PAYOUT_KEY": "11" * 32,
    }
    for name, value in needed.items():
        found = await each(start_process, variables, "payouts", "payouts list")
        assert found[0] == (2, f"{name}: is missing\n")
        assert name != "DATABASE_URL" or found[1] == found[0]
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
    tmp_path: Path,
) -> None:
    _, settled, refused, held = [await owe(redis, n, str(7000 + n)) for n in range(4)]
    tested = await owe(redis, 9, test="true")
    code, output = await fair_bingo("archive", "--until-done")
    assert code == 0, output
    # Before anything is sent.
    entry = settled.removeprefix("po_").replace("_", ":", 1)
    by_hand, denied, retried, nonsense = await each(
        start_process,
        paying,
        f"ledger settle {entry} --reference hand",
        f"payouts refuse {refused} --reason fraud --by ann",
        f"payouts retry {tested} --by ann",
        "payouts list --status nonsense",
    )
    assert (by_hand[0], denied[0], nonsense[0]) == (0, 0, 2), (by_hand, denied)
    assert retried == (1, f"{tested}: there is no such payout\n")

    paying["PAYOUT_APPROVAL_COINS"] = "7002"
    worker = start_process(FAIR_BINGO, "payouts", **paying)

    async def are(*statuses: str) -> bool:
        async with await psycopg.AsyncConnection.connect(paying["DATABASE_URL"]) as connection:
            found = await connection.execute("SELECT status FROM payouts ORDER BY payout_id")
            return [row[0] for row in await found.fetchall()] == [*statuses]

    await until(lambda: are("settled", "settled", "refused", "held"))
    once, again, shown = await each(
        start_process,
        paying,
        f"payouts approve {held} --by ann",
        f"payouts approve {held} --by ann",
        "payouts list --status held --json",
    )
    assert (once[0], again[0]) == (0, 0), (once, again)
    row = json.loads(shown[1])
    entry = held.removeprefix("po_").replace("_", ":", 1)
    assert (row["payout_id"], row["amount"], row["entry_id"]) == (held, 7003, entry)
    assert (row["approved_by"], len(service.orders)) == (["ann"], 1)
    assert (await fair_bingo("payouts", "approve", held, "--by", "bob"))[0] == 0
    await until(lambda: are("settled", "settled", "refused", "settled"))

    paused, resent = await each(
        start_process, paying, "payouts pause --by ann", f"payouts retry {refused} --by ann"
    )
    assert (paused[0], resent[0]) == (0, 0), (paused, resent)
    await until(lambda: are("settled", "settled", "due", "settled"))
    assert (await fair_bingo("payouts", "resume", "--by", "ann"))[0] == 0
    await until(lambda: are("settled", "settled", "settled", "settled"))
    worker.terminate()
    assert await worker.wait() == 0, worker.output

    lines = [f"{n},{order.body['amount']},{order.reference}" for n, order in service.orders.items()]
    statement, short = tmp_path / "statement.csv", tmp_path / "short.csv"
    statement.write_text("\n".join(["payout_id,amount,reference", *lines]))
    short.write_text("\n".join(["payout_id,amount,reference", *lines[:-1]]))
    whole, audit, agrees, differs, unread = await each(
        start_process,
        paying,
        "payouts list --json",
        "audit",
        f"payouts reconcile {statement}",
        f"payouts reconcile {short}",
        f"payouts reconcile {tmp_path / 'none.csv'}",
    )
    assert audit[0] == 0, audit
    assert agrees == (0, "The statement's 3 payments are ours.\n")
    name, _, reference = lines[-1].split(",")
    missing = f"{name}: we have it paid by {reference}, the statement does not have it\n"
    assert differs == (1, missing)
    assert unread[0] == 1, unread
    rows = [json.loads(line) for line in whole[1].splitlines()]
    assert {row["payout_id"]: row["reference"] for row in rows} == {settled: "hand"} | {
        payout_id: order.reference for payout_id, order in service.orders.items()
    }
    assert len(service.orders) == 3
