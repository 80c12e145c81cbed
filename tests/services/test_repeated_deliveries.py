"""Deliveries that come again, at once, out of order, or while the store is away."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.payments import WebhookAnswer
from server.dev.store import EmbeddedStore
from server.rules.payments import Delivery
from server.store.errors import StoreUnavailable
from tests.services.money import (
    PROCESSED,
    REFUND_OWED,
    SEAT_PAID,
    ignored,
    invoice_now,
    is_paid,
    sums,
)
from tests.support.game import (
    BUY_IN,
    CLASSIC,
    TABLE,
    Node,
    StartNode,
    failed,
    paid,
    raw_body,
)
from tests.support.store_content import store_content
from tests.support.wait import TIMEOUT_SECONDS, until

DUEL = replace(CLASSIC, max_players=2)


# --- the same delivery again ------------------------------------------------------------------


FIRST_TIME: dict[str, dict[str, Any]] = {
    "paid": {},
    "failed": {"status": "failed"},
    "wrong recipient": {"recipient": "somebody"},
    "wrong amount": {"amount": "1"},
    "no amount": {"amount": None},
    "no transaction": {"txHash": None},
}


@pytest.mark.parametrize("kind", FIRST_TIME)
async def test_the_same_delivery_again_changes_nothing(kind: str, node: Node, redis: Redis) -> None:
    payment = paid(await node.sit("ann"), **FIRST_TIME[kind])
    await node.deliver(payment)
    before = await store_content(redis)
    assert await node.deliver(payment) == ignored("already_processed")
    assert await store_content(redis) == before


async def test_a_delivery_whose_payment_is_owed_back_is_recognised_as_well(
    node: Node, redis: Redis
) -> None:
    seated = await node.sit("ann")
    await node.seats.leave("ann", seated.lobby.lobby_id)
    assert await node.deliver(paid(seated)) == REFUND_OWED
    before = await store_content(redis)
    assert await node.deliver(paid(seated)) == ignored("already_processed")
    assert await store_content(redis) == before


async def test_the_same_transaction_in_another_status_is_another_delivery(node: Node) -> None:
    seated = await node.sit("ann")
    assert await node.deliver(paid(seated, status="failed", txHash="tx")) == PROCESSED
    assert await node.deliver(paid(seated, txHash="tx")) == PROCESSED
    assert await is_paid(node, seated)


async def test_without_a_transaction_another_body_is_another_delivery(
    node: Node, redis: Redis
) -> None:
    seated = await node.sit("ann")
    payment = paid(seated, txHash=None)
    assert await node.deliver(payment) == PROCESSED
    assert await node.deliver(payment, raw_body(payment) + b" ") == REFUND_OWED
    assert await sums(redis) == {"received": 7000, "pot": 3500, "refund_owed": 3500}


# --- failed -----------------------------------------------------------------------------------


async def test_a_failed_payment_fails_the_invoice_and_frees_the_seat(
    node: Node, redis: Redis
) -> None:
    seated = await node.sit("ann")
    assert await node.deliver(failed(seated)) == PROCESSED
    assert await invoice_now(node, seated) == ("failed", None)
    after = await node.store.load(seated.lobby.lobby_id)
    assert after.lobby is not None
    assert after.lobby.players == {}
    assert await node.directory.seat(TABLE, "ann") is None
    assert await sums(redis) == {}


@pytest.mark.parametrize("final", ["paid", "refund_owed"])
async def test_a_failure_after_a_final_state_changes_neither_seat_nor_invoice(
    final: str, node: Node
) -> None:
    seated = await node.sit("ann")
    await node.pay(seated)
    if final == "refund_owed":
        await node.seats.leave("ann", seated.lobby.lobby_id)
    before = await node.store.load(seated.lobby.lobby_id)
    assert await node.deliver(failed(seated)) == WebhookAnswer(processed=False)
    assert await node.store.load(seated.lobby.lobby_id) == before
    assert (await invoice_now(node, seated))[0] == final


# --- many at once -----------------------------------------------------------------------------


async def test_two_nodes_that_get_one_delivery_at_the_same_time_process_it_once(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    nodes = [await start_node(store_url) for _ in range(2)]
    for number in range(20):
        seated = await nodes[0].sit(f"player-{number}")
        answers = await asyncio.gather(*(node.deliver(paid(seated)) for node in nodes))
        assert sorted(map(repr, answers)) == sorted(
            map(repr, [PROCESSED, ignored("already_processed")])
        )
    assert await sums(redis) == {"received": 20 * BUY_IN, "pot": 20 * BUY_IN}


async def test_two_nodes_that_get_one_wrong_amount_at_the_same_time_owe_it_back_once(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    nodes = [await start_node(store_url) for _ in range(2)]
    for number in range(20):
        payment = paid(await nodes[0].sit(f"player-{number}"), amount="1")
        answers = await asyncio.gather(*(node.deliver(payment) for node in nodes))
        assert ignored("amount_mismatch") in answers
        assert ignored("already_processed") in answers
    assert await sums(redis) == {"received": 20, "refund_owed": 20}


async def test_a_thousand_deliveries_of_one_payment_among_failures_credit_it_once(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    nodes = [await start_node(store_url, tiers={BUY_IN: DUEL}) for _ in range(2)]
    seated = await nodes[0].sit("ann")
    deliveries = [failed(seated, txHash="f") if n % 3 == 0 else paid(seated) for n in range(1000)]
    answers = await asyncio.gather(
        *(nodes[number // 3 % 2].deliver(delivery) for number, delivery in enumerate(deliveries))
    )
    payments = [
        answer for answer, delivery in zip(answers, deliveries, strict=True) if delivery.amount
    ]
    assert payments.count(PROCESSED) == 1
    assert payments.count(ignored("already_processed")) == len(payments) - 1
    assert await sums(redis) == SEAT_PAID
    assert await is_paid(nodes[0], seated)

    await nodes[0].seat("bob")  # both leave the game that this begins: it is over
    for name in ("ann", "bob"):
        await nodes[1].seats.leave(name, seated.lobby.lobby_id)
    over = await sums(redis)
    assert over["house"] == 2 * BUY_IN
    again = await asyncio.gather(*(nodes[n % 2].deliver(paid(seated)) for n in range(20)))
    assert again == [ignored("already_processed")] * 20
    assert await sums(redis) == over


async def test_different_payments_of_one_seat_at_once_credit_one_and_owe_the_others_back(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    nodes = [await start_node(store_url) for _ in range(2)]
    seated = await nodes[0].sit("ann")
    answers = await asyncio.gather(
        *(nodes[n % 2].deliver(paid(seated, txHash=f"tx-{n}")) for n in range(30))
    )
    assert answers.count(PROCESSED) == 1
    assert answers.count(REFUND_OWED) == 29
    assert await sums(redis) == {"received": 105_000, "pot": 3_500, "refund_owed": 101_500}
    assert await invoice_now(nodes[0], seated) == ("paid", "101500")


async def test_more_payments_than_seats_at_once_fill_the_lobby_and_owe_the_rest_back(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    nodes = [await start_node(store_url, tiers={BUY_IN: DUEL}) for _ in range(2)]
    seats = []
    for number in range(6):
        seats.append(await nodes[0].sit(f"player-{number}"))
        await nodes[0].deliver(failed(seats[-1]))
    assert len({seated.lobby.lobby_id for seated in seats}) == 1
    answers = await asyncio.gather(*(nodes[n % 2].deliver(paid(s)) for n, s in enumerate(seats)))
    assert answers.count(PROCESSED) == 2
    assert answers.count(REFUND_OWED) == 4
    assert await sums(redis) == {"received": 21_000, "pot": 7_000, "refund_owed": 14_000}


# --- the store fails --------------------------------------------------------------------------


async def test_a_payment_that_the_store_did_not_take_counts_once_when_it_is_repeated(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url)
    seated = await node.sit("ann")
    own_store.kill()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        with pytest.raises(StoreUnavailable):
            await node.deliver(paid(seated))
    own_store.start()
    assert await node.deliver(paid(seated)) == PROCESSED
    assert await node.deliver(paid(seated)) == ignored("already_processed")


async def test_whatever_was_answered_is_there_after_the_store_was_killed(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url)
    seats = [await node.sit(f"player-{number}") for number in range(20)]
    answers = [asyncio.create_task(node.deliver(paid(seated))) for seated in seats]
    await until(lambda: any(answer.done() for answer in answers))
    own_store.kill()
    await asyncio.wait(answers)
    own_store.start()
    for number, (seated, answer) in enumerate(zip(seats, answers, strict=True)):
        if answer.exception() is None:
            assert answer.result() == PROCESSED
            assert await is_paid(node, seated, f"player-{number}")
            assert await node.deliver(paid(seated)) == ignored("already_processed")


async def test_a_delivery_in_the_form_of_another_provider_counts_once_too(
    node: Node, redis: Redis
) -> None:
    seated = await node.sit("ann")
    delivery = Delivery(
        invoice_id=seated.invoice.invoice_id,
        key="their name of it",
        status="finalized",
        tx="tx",
        test=False,
        units=int(seated.invoice.amount),
    )
    assert await node.payments.deliver(delivery, b"<paid/>") == PROCESSED
    assert await node.payments.deliver(delivery, b"<paid/>") == ignored("already_processed")
    assert await sums(redis) == {"received": 3500, "pot": 3500}
