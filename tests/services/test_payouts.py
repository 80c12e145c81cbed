"""What is owed is paid, once, and settled with the reference of the payment."""

import asyncio
import json
from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.history import GamesPage
from server.dev.payout_service import DevPayoutService, Fault
from server.store.ledger import LedgerEntry
from tests.services.payout_world import PayoutWorld, payout_world
from tests.support.game import StartNode
from tests.support.wait import until


async def test_each_debt_is_one_payout_which_is_paid_and_settled_with_its_reference(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    won, refund = await world.owe(7000), await world.owe(3500, kind="refund_owed", invoice_id="i")
    await world.pay_all()
    assert [order.body["payout_id"] for order in service.orders.values()] == won + refund
    references = {name: [order.reference] for name, order in service.orders.items()}
    assert await world.settlements() == references
    for row in await world.rows():
        assert (row["status"], [row["reference"]]) == ("settled", references[row["payout_id"]])
        assert (row["attempts"], row["next_at"], row["by_hand"]) == (1, None, False)


async def test_an_order_has_all_fields_in_their_order(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    (payout_id,) = await world.owe("7000.25", kind="refund_owed", invoice_id="inv")
    await world.pay_all(COIN_DECIMALS="2", PAYMENT_TOKEN="T", PAYMENT_NETWORK="n")
    assert json.dumps(service.orders[payout_id].body) == json.dumps(
        {
            "payout_id": payout_id,
            "kind": "refund",
            "recipient": "player-1",
            "amount": "700025",
            "decimals": 2,
            "token": "T",
            "network": "n",
            "lobby_id": "lobby_3500_000000000001",
            "invoice_id": "inv",
        }
    )


async def test_what_is_no_real_money_is_never_paid(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    await world.owe(7000, test="true")
    await world.owe(7000)
    await world.pay_all()
    assert len(service.orders) == len(await world.rows()) == 1


async def test_what_was_settled_by_hand_is_not_sent(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    (payout_id,) = await world.owe(7000)
    entry = await world.ledger.entry(f"3500:{payout_id.rpartition('_')[2]}")
    assert isinstance(entry, LedgerEntry)
    assert await world.desk.settle(entry, "by hand") is None
    assert await world.desk.settle(entry, "again") == "it was settled before"
    await world.pay_all()
    await world.move()
    row = await world.row(payout_id)
    assert (row["status"], row["reference"], row["by_hand"]) == ("settled", "by hand", True)
    assert await world.settlements() == {payout_id: ["by hand"]}
    assert service.requests == []


async def test_a_settlement_of_a_version_that_knows_no_payouts_counts(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    (first, second) = await world.owe(7000, 8000)
    for payout_id, moves in ((first, True), (second, False)):
        entry = await world.ledger.entry(f"3500:{payout_id.rpartition('_')[2]}")
        assert isinstance(entry, LedgerEntry)
        await until(partial(settles, world, entry))
        if moves:
            await world.move()
            assert await world.are("settled", "due")
    await world.pay_all()
    assert await world.are("settled", "settled")
    assert [row["by_hand"] for row in await world.rows()] == [True, True]
    assert service.requests == []


async def settles(world: PayoutWorld, entry: LedgerEntry) -> bool:
    return await world.ledger.settle(entry, "by hand", world.node.clock.now_ms())


async def test_one_that_pays_by_hand_and_one_that_pays_by_the_service_exclude_each_other(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    ids = await world.owe(*range(1000, 1010))
    few_at_a_time = asyncio.Semaphore(2)

    async def by_hand(payout_id: str) -> None:
        async with few_at_a_time:
            entry = await world.ledger.entry(f"3500:{payout_id.rpartition('_')[2]}")
        assert isinstance(entry, LedgerEntry)

        async def is_settled() -> bool:
            async with few_at_a_time:
                refusal = await world.desk.settle(entry, "by hand")
            return refusal in (None, "it was settled before")

        await until(is_settled)

    async with world.paying(PAYOUTS_AT_ONCE="2"):
        await asyncio.gather(*map(by_hand, reversed(ids)))
        await until(world.nothing_waits)
    settled = await world.settlements()
    assert sorted(settled) == sorted(ids)
    for payout_id, references in settled.items():
        order = service.orders.get(payout_id)
        assert references == (["by hand"] if order is None else [order.reference])


ALWAYS: tuple[Fault, ...] = ("late", "half", "twice", "nonsense", "lost", "busy")


@pytest.mark.parametrize("fault", ALWAYS)
async def test_after_an_uncertain_answer_it_is_looked_up_and_not_sent_again(
    world: PayoutWorld, service: DevPayoutService, fault: Fault
) -> None:
    service.faults = (fault,)
    (payout_id,) = await world.owe(7000)
    async with world.paying(PAYOUT_TIMEOUT_SECONDS="0.5" if fault == "late" else "20"):
        await until(lambda: "POST" in (method for method, _ in service.requests))
        service.faults = ()
        await until(world.nothing_waits)
    methods = [method for method, _ in service.requests]
    methods = methods[methods.index("POST") :]  # a slow machine's first may be late on its way
    if fault == "twice":  # the first answer is one, and what follows on it is nobody's
        assert methods == ["POST"]
    elif fault == "busy":  # it never arrived
        assert methods[:3] == ["POST", "GET", "POST"]
    else:
        assert methods[:2] == ["POST", "GET"]
        assert Counter(methods)["POST"] == 1
    assert await world.settlements() == {payout_id: [service.orders[payout_id].reference]}


async def test_what_is_pending_is_asked_for_until_it_is_paid(
    start_node: StartNode, store_url: str, books_url: str, redis: Redis
) -> None:
    service = DevPayoutService(pays_after_seconds=600)
    async with payout_world(start_node, store_url, books_url, redis, service) as world:
        (payout_id,) = await world.owe(7000)
        async with world.paying():
            await until(lambda: world.are("sent"))
            service.orders[payout_id].paid_at_s = 0
            await until(lambda: world.are("settled"))
        assert Counter(method for method, _ in service.requests)["POST"] == 1
        assert (await world.settlements())[payout_id] == [service.orders[payout_id].reference]


async def test_what_is_refused_waits_for_an_operator_who_may_have_it_tried_again(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    service.faults = ("refused",)
    (payout_id,) = await world.owe(7000)
    await world.pay_all()
    row = await world.row(payout_id)
    assert (row["status"], row["reason"], row["next_at"]) == ("refused", "not today", None)
    service.faults = ()
    assert (await world.desk.retry(payout_id, "ann")).standing.status == "due"
    await world.pay_all()
    assert await world.are("settled")
    assert [method for method, _ in service.requests] == ["POST", "POST"]


async def test_an_amount_that_is_no_whole_number_of_units_waits_for_an_operator(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    await world.owe("3500.25")
    await world.pay_all()
    (row,) = await world.rows()
    assert (row["status"], row["amount"]) == ("refused", Decimal("3500.25"))
    assert service.requests == []


async def test_a_retry_sends_the_first_body_whatever_the_settings_are_by_now(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    service.faults = ("busy",)
    (payout_id,) = await world.owe(7000)
    async with world.paying():
        await until(lambda: world.are("unknown"))
    service.faults = ()
    await world.desk.retry(payout_id, "ann")
    await world.pay_all(COIN_DECIMALS="6", PAYMENT_NETWORK="another")
    body = service.orders[payout_id].body
    assert (body["amount"], body["decimals"], body["network"]) == ("7000", 0, "alien")


async def test_what_the_service_paid_and_the_store_did_not_take_is_settled_without_asking_again(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    (payout_id,) = await world.owe(7000)
    await world.execute(
        "UPDATE payouts SET status = 'sent', in_doubt = true, reference = 'tx-9', attempts = 1"
    )
    await world.pay_all()
    assert await world.settlements() == {payout_id: ["tx-9"]}
    assert service.requests == []


async def test_what_was_in_flight_when_a_worker_died_is_looked_up(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    await world.owe(7000)
    await world.execute("UPDATE payouts SET status = 'sending', in_doubt = true, attempts = 1")
    await world.pay_all()
    assert [method for method, _ in service.requests] == ["GET", "POST"]
    assert len(await world.settlements()) == 1


async def test_a_player_finds_how_far_a_payment_is_with_the_game(
    world: PayoutWorld, service: DevPayoutService
) -> None:
    await world.execute(
        "INSERT INTO games SELECT 'lobby_3500_00000000000' || n, '3500', 3500, 'classic', 'won',"
        " 'player-' || n, 'row_0', 7000, 2, 9, now(), now(), now(), 'h', 'h', null"
        " FROM generate_series(1, 2) AS n"
    )
    await world.execute(
        "INSERT INTO seats SELECT lobby_id, name, false, false, name = winner, 3500, 0, now()"
        " FROM games, unnest(ARRAY['player-1', 'player-2']) AS name"
    )

    async def shown(alien_id: str) -> list[Any]:
        page = await world.side.history.games(alien_id, 20, None)
        assert isinstance(page, GamesPage)
        games = sorted(page.games, key=lambda game: game.lobby_id)
        return [g.payout and (g.payout.amount, g.payout.status, g.payout.reference) for g in games]

    (first, _) = await world.owe(7000, "7000.5")
    await world.owe(
        3500, kind="refund_owed", alien_id="player-1", lobby_id="lobby_3500_000000000001"
    )
    assert await shown("player-1") == [(7000, "due", None), None]
    assert await shown("player-2") == [None, (Decimal("7000.5"), "due", None)]
    await world.pay_all(COIN_DECIMALS="1")
    assert await shown("player-1") == [(7000, "settled", service.orders[first].reference), None]
