"""What brakes payouts: the limit of an hour, and operators, who are distinguished by their
names."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from server.books import payout_control
from server.books.engine import Books, open_books
from server.rules.payouts import NeverArrived
from server.services.payout_queue import PayoutAnswer, PayoutQueue
from server.services.payout_terms import PayoutTerms
from server.services.settling import Settling
from tests.services.payout_world import PayoutWorld, payout_world
from tests.support.game import StartNode
from tests.support.wait import until

TERMS = PayoutTerms("ALIEN", "alien", 0, limit_coins_per_hour=10_000)
LATER = "UPDATE payout_minutes SET minute = minute - interval '62 minutes'"
COUNTED_EARLIER = "UPDATE payouts SET counted_at = counted_at - interval '62 minutes'"


@pytest.fixture
async def world(
    start_node: StartNode, store_url: str, books_url: str, redis: Redis
) -> AsyncIterator[PayoutWorld]:
    async with payout_world(start_node, store_url, books_url, redis) as made:
        yield made


@pytest.fixture
async def books(world: PayoutWorld) -> AsyncIterator[Books]:
    async with open_books(world.url) as books:
        yield books


@pytest.fixture
def queue(world: PayoutWorld, books: Books) -> PayoutQueue:
    settling = Settling(world.node.stores.ledger, world.node.clock)
    return PayoutQueue(books, settling, TERMS, 10)


async def sent(queue: PayoutQueue) -> list[str]:
    """Send what may be sent, none of which arrives."""
    taken = await queue.take(100)
    assert {step for step, _ in taken} <= {"send"}
    await queue.note([PayoutAnswer(payout, step, NeverArrived()) for step, payout in taken])
    return sorted(payout.payout_id for _, payout in taken)


async def test_what_is_sent_again_within_the_hour_counts_once(
    world: PayoutWorld, queue: PayoutQueue
) -> None:
    both = sorted(await world.owe(7000, 3000))
    for _ in range(3):
        assert await sent(queue) == both
    assert (await world.desk.survey()).control.paused is None


@pytest.mark.parametrize("since", ["an hour went by", "the hour counts anew"])
async def test_what_is_sent_again_in_another_hour_counts_anew(
    world: PayoutWorld, queue: PayoutQueue, since: str
) -> None:
    both = sorted(await world.owe(7000, 3000))
    assert await sent(queue) == both
    if since == "an hour went by":
        await world.execute(LATER)
        await world.execute(COUNTED_EARLIER)
    else:
        await world.desk.resume("ann")
    await world.owe(1)
    assert await sent(queue) == both
    assert (await world.desk.survey()).control.paused == "limit"


async def test_to_resume_while_answers_are_noted_is_no_deadlock(
    world: PayoutWorld, books: Books
) -> None:
    high, low = sorted(await world.owe(1, 2), reverse=True)
    # The other way round in the table than by their ids.
    await world.execute("UPDATE payouts SET status = 'unknown', next_at = now() + interval '1 h'")
    await world.execute("UPDATE payouts SET attempts = 1 WHERE payout_id = %s", low)
    lock = "SELECT FROM payouts WHERE payout_id = '{}' FOR UPDATE"
    async with books.begin() as noting:
        await noting.exec_driver_sql(lock.format(low))
        resuming = asyncio.create_task(world.desk.resume("ann"))

        async def waits() -> bool:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            async with books.connect() as connection:
                return bool((await connection.exec_driver_sql(waiting)).scalar_one())

        await until(waits)
        await noting.exec_driver_sql(lock.format(high))
    await resuming
    async with books.begin() as connection:
        assert (await payout_control.lock_control(connection)).paused is None


async def test_nobody_becomes_two_operators_by_another_spelling(world: PayoutWorld) -> None:
    (payout_id,) = await world.owe(7000)
    await world.execute("UPDATE payouts SET status = 'held', next_at = NULL")
    approved = await world.desk.approve(payout_id, "Ann", "checked")
    assert (approved.standing.status, approved.approved_by) == ("held", ("Ann",))
    for name in ("ann", "ANN"):
        assert (await world.desk.approve(payout_id, name, "checked")).already
    both = await asyncio.gather(*(world.desk.approve(payout_id, name) for name in ("bob", "Bob")))
    (payout,) = [done for done in both if hasattr(done, "standing")]  # the other came too late
    assert (payout.standing.status, len(payout.approved_by)) == ("due", 2)
    entries = await world.node.stores.operator_log.entries()
    assert [(e.operator.casefold(), e.reason) for e in entries] == [("ann", "checked"), ("bob", "")]
