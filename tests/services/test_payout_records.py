"""Payouts against the ledger, and against the provider's statement: every difference is
reported."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from server.dev.payout_service import DevPayoutService
from server.services.audit import Audit
from server.services.payout_statement import BadStatement, differences, read_statement
from server.store.ledger import LedgerEntry
from tests.services.payout_world import PayoutWorld, payout_world
from tests.support.game import TABLE, StartNode

HEADER = "payout_id,amount,reference"


@pytest.fixture
def service() -> DevPayoutService:
    return DevPayoutService(pays_after_seconds=0)


@pytest.fixture
async def world(
    start_node: StartNode,
    store_url: str,
    books_url: str,
    redis: Redis,
    service: DevPayoutService,
) -> AsyncIterator[PayoutWorld]:
    settings = {"COIN_DECIMALS": "2"}
    async with payout_world(start_node, store_url, books_url, redis, service, **settings) as made:
        yield made


async def audit(world: PayoutWorld) -> list[str]:
    node = world.node
    report = await Audit(world.ledger, node.store, node.directory).run([TABLE])
    return sorted(report.problems)


async def settle_by_hand(world: PayoutWorld, payout_id: str, reference: str = "hand") -> None:
    entry = await world.ledger.entry(payout_id.removeprefix("po_").replace("_", ":", 1))
    assert isinstance(entry, LedgerEntry)
    assert await world.desk.settle(entry, reference) is None


async def test_payouts_and_ledger_that_agree_are_no_problem(world: PayoutWorld) -> None:
    await world.owe(1, test="true")
    await settle_by_hand(world, (await world.owe(2))[0])
    await world.owe(3)
    await world.pay_all()
    await world.owe(4)
    assert await audit(world) == []
    await world.move()
    assert await audit(world) == []


async def test_each_contradiction_of_payouts_and_ledger_is_named(world: PayoutWorld) -> None:
    ids = await world.owe(1, 2, 3, 4, 5, 6)
    await settle_by_hand(world, ids[0])
    await world.pay_all()
    await world.move()
    references = {name: found[0] for name, found in (await world.settlements()).items()}
    waiting, vanished = await world.owe(7, 8)
    for statement, payout_id in (
        ("UPDATE payouts SET reference = 'another' WHERE payout_id = %s", ids[0]),
        ("UPDATE payouts SET reference = 'another' WHERE payout_id = %s", ids[1]),
        ("UPDATE payouts SET amount = 30 WHERE payout_id = %s", ids[2]),
        ("UPDATE payouts SET entry_id = '3500:9-9' WHERE payout_id = %s", ids[3]),
        ("UPDATE payouts SET status = 'settled', reference = 'r' WHERE payout_id = %s", waiting),
        ("DELETE FROM payouts WHERE payout_id = %s", vanished),
    ):
        await world.execute(statement, payout_id)
    entries = {name: name.removeprefix("po_").replace("_", ":", 1) for name in (*ids, vanished)}
    assert await audit(world) == sorted(
        [
            f"{ids[0]}: it is paid by another, but settled by hand",
            f"{ids[1]}: it is paid by another, but settled by {references[ids[1]]}",
            f"{ids[2]}: it is not what {entries[ids[2]]} owes",
            f"{ids[3]}: it is of a debt that the books do not have",
            f"{entries[ids[3]]}: it is owed, but there is no payout of it",
            f"{ids[3]}: it is paid by {references[ids[3]]}, but not settled",
            f"{waiting}: it is paid by r, but not settled",
            f"{entries[vanished]}: it is owed, but there is no payout of it",
        ]
    )


async def test_a_statement_that_agrees_has_no_differences_and_each_difference_is_reported(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    hand, *paid = await world.owe(1, 2, 3, 4)
    await settle_by_hand(world, hand)
    await world.pay_all()
    (due,) = await world.owe(9)
    references = {name: order.reference for name, order in service.orders.items()}
    good = [f"{name},{(place + 2) * 100},{references[name]}" for place, name in enumerate(paid)]
    lines = read_statement([HEADER, *good])
    assert await differences(lines, world.desk.each()) == []

    wrong = [
        f"{paid[0]},199,{references[paid[0]]}",
        f"{paid[1]},300,another",
        f"{hand},100,bank",
        f"{due},900,early",
        "po_3500_1-1,5,r",
        "po_3500_1-1,5,r2",
    ]
    lines = read_statement(["reference,payout_id,amount,date", *map(turned, wrong)])
    assert await differences(lines, world.desk.each()) == [
        "po_3500_1-1: it is in the statement twice, by r and by r2",
        f"{hand}: it was settled by hand with hand, and paid by bank too",
        f"{paid[0]}: we had 200 paid, the statement says 199",
        f"{paid[1]}: we have it paid by {references[paid[1]]}, the statement by another",
        f"{paid[2]}: we have it paid by {references[paid[2]]}, the statement does not have it",
        f"{due}: the statement has it paid by early, with us it is due",
        "po_3500_1-1: it is in the statement, but we owe no such payout",
    ]


def turned(line: str) -> str:
    payout_id, amount, reference = line.split(",")
    return f"{reference},{payout_id},{amount},2026-01-01"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "no column"),
        (["payout_id,amount"], "no column reference"),
        ([HEADER, "po,1.5,r"], "line 2"),
        ([HEADER, 'po,1,"r'], "no CSV"),
        ([HEADER, "po"], "line 2"),
    ],
)
def test_what_is_no_statement_is_reported_in_a_line(lines: list[str], says: str) -> None:
    with pytest.raises(BadStatement, match=says):
        read_statement(lines)
