"""What stops payouts: a service that refuses, limits, amounts that want approval, operators."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from server.books.engine import open_books
from server.dev.payout_service import DevPayoutService, Fault
from server.rules.payouts import NeverArrived, Paid
from server.services.payout_queue import PayoutAnswer, PayoutQueue
from server.services.payout_terms import PayoutTerms
from server.services.settling import Settling
from tests.services.payout_world import PayoutWorld
from tests.support.payouts import serving
from tests.support.wait import until


async def test_a_service_that_does_not_let_us_in_pauses_all_and_refuses_nothing(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    service.faults = ("unauthorized",)
    await world.owe(7000)
    async with world.paying():
        await until(lambda: is_paused(world, "not_admitted"))
        await world.owe(8000)
        service.faults = ()
        await until(lambda: world.are("due", "due"))  # the first was looked up: it never arrived
        assert service.orders == {}
        await world.desk.resume("ann")
        await until(world.nothing_waits)
    assert len(service.orders) == len(await world.settlements()) == 2


async def is_paused(world: PayoutWorld, reason: str | None) -> bool:
    paused = (await world.desk.survey()).control.paused
    return bool(paused == reason)


async def test_everything_refused_in_a_row_pauses(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    service.faults = ("refused",)
    await world.owe(*range(1000, 1100))
    async with world.paying(PAYOUTS_AT_ONCE="1"):
        await until(lambda: is_paused(world, "refusals"))
    counted = Counter(await world.statuses())
    assert counted["due"] >= 15, counted
    service.faults = ()
    await world.desk.resume("ann")
    async with world.paying():
        await until(world.nothing_waits)
    assert Counter(await world.statuses())["settled"] == counted["due"]


async def test_the_limit_of_an_hour_pauses_before_it_is_passed(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    await world.owe(7000, 3000, 1)
    async with world.paying(PAYOUT_LIMIT_COINS_PER_HOUR="10000"):
        await until(lambda: is_paused(world, "limit"))
        await until(lambda: world.are("settled", "settled", "due"))
        await world.desk.resume("ann")  # from now on the hour counts anew
        await until(lambda: world.are("settled", "settled", "settled"))
        await world.owe(9999, 1)
        await until(lambda: is_paused(world, "limit"))
        await until(lambda: world.are(*["settled"] * 4, "due"))
    assert sum(int(order.body["amount"]) for order in service.orders.values()) == 20000


async def test_what_is_above_an_amount_waits_for_two_different_operators(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    at, above = await world.owe(7000, 7001)
    async with world.paying(PAYOUT_APPROVAL_COINS="7000"):
        await until(lambda: world.are("settled", "held"))
        assert (await world.desk.approve(at, "ann")).reason
        assert (await world.desk.approve(above, "ann")).standing.status == "held"
        assert (await world.desk.approve(above, "ann")).already
        assert [*service.orders] == [at]
        assert (await world.desk.approve(above, "bob")).standing.status == "due"
        await until(lambda: world.are("settled", "settled"))
    assert (await world.row(above))["approved_by"] == ["ann", "bob"]


async def test_an_operator_pauses_refuses_and_resumes(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    first, second = await world.owe(7000, 8000)
    await world.desk.pause("ann", "the bank is closed")
    async with world.paying():
        assert (await world.desk.refuse(first, "fraud", "ann")).standing.reason == "fraud (ann)"
        assert (await world.desk.refuse(first, "fraud", "ann")).reason
        assert (await world.desk.refuse("po_3500_1-1", "fraud", "ann")).unknown
        await asyncio.sleep(1.2)  # more than two looks at the queue
        assert service.requests == []
        watch = world.side.payout_watch
        watch.start()
        await until(lambda: watch.paused().get(("operator",)) == 1)
        assert watch.payouts()["refused",] == watch.payouts()["due",] == 1
        assert watch.oldest_seconds()[()] > 3600
        await watch.stop()
        await world.desk.resume("ann")
        await until(lambda: world.are("refused", "settled"))
    assert [*service.orders] == [second]


@pytest.fixture
async def queue(world: PayoutWorld) -> AsyncIterator[PayoutQueue]:
    """The queue of a worker that does nothing by itself."""
    settling = Settling(world.node.stores.ledger, world.node.clock)
    async with open_books(world.url) as books:
        yield PayoutQueue(books, settling, PayoutTerms("ALIEN", "alien", 0), 10)


IN_DOUBT = "UPDATE payouts SET status = 'unknown', in_doubt = true"


async def test_what_an_operator_refuses_while_it_is_looked_up_is_not_sent_again(
    world: PayoutWorld, queue: PayoutQueue
) -> None:
    (payout_id,) = await world.owe(7000)
    await world.execute(IN_DOUBT)
    ((step, payout),) = await queue.take(1)
    assert step == "look"
    await world.desk.refuse(payout_id, "not theirs", "ann")
    await queue.note([PayoutAnswer(payout, step, NeverArrived())])
    assert await world.are("refused")
    await queue.note([PayoutAnswer(payout, step, Paid("tx"))])  # it is so whatever was said
    assert await world.are("settled")


@pytest.mark.parametrize(("fault", "becomes"), [("lost", "settled"), ("busy", "refused")])
async def test_what_may_have_been_paid_before_it_is_refused_is_looked_up_and_never_sent_again(
    world: PayoutWorld, service: DevPayoutService, fault: Fault, becomes: str
) -> None:
    service.faults = (fault,)
    (payout_id,) = await world.owe(7000)
    async with world.paying():
        await until(lambda: world.are("unknown"))
    refused = await world.desk.refuse(payout_id, "not theirs", "ann")
    assert (refused.standing.status, refused.standing.in_doubt) == ("refused", True)
    service.faults = ()
    orders = service.requests.count(("POST", payout_id))

    async def is_known() -> bool:
        return not (await world.row(payout_id))["in_doubt"]

    async with world.paying():
        await until(is_known)
    row = await world.row(payout_id)
    assert row["status"] == becomes
    assert becomes == "settled" or row["reason"] == "not theirs (ann)"
    assert service.requests.count(("POST", payout_id)) == orders


async def test_an_answer_to_a_look_up_does_not_undo_a_retry_that_came_meanwhile(
    world: PayoutWorld, queue: PayoutQueue
) -> None:
    (payout_id,) = await world.owe(7000)
    await world.execute(IN_DOUBT)
    await world.desk.refuse(payout_id, "not theirs", "ann")
    ((step, payout),) = await queue.take(1)
    assert (step, payout.standing.status) == ("look", "refused")
    await world.desk.retry(payout_id, "ann")
    await queue.note([PayoutAnswer(payout, step, NeverArrived())])
    assert await world.are("unknown")
    ((step, payout),) = await queue.take(1)
    await queue.note([PayoutAnswer(payout, step, NeverArrived())])
    assert await world.are("due")


async def test_no_more_are_asked_for_at_the_same_time_than_the_setting_says(
    world: PayoutWorld,
) -> None:
    asked = most = 0

    async def answer(_request: web.Request) -> web.Response:
        nonlocal asked, most
        asked += 1
        most = max(most, asked)
        await asyncio.sleep(0.05)  # so that others may come
        asked -= 1
        return web.json_response({"status": "sent", "reference": "r"})

    application = web.Application()
    application.router.add_post("/", answer)
    await world.owe(*range(1000, 1010))
    async with serving(application) as url:
        await world.pay_all(PAYOUT_URL=url + "/", PAYOUTS_AT_ONCE="2")
    assert 1 <= most <= 2
    assert await world.are(*["settled"] * 10)
