"""Payments that take a seat, and those that come too late for one."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from server.rules.commands import Tick
from server.services.seats import Seated
from server.store import keys
from tests.services.listener import Listener
from tests.services.money import (
    OWED_BACK,
    PROCESSED,
    REFUND_OWED,
    SEAT_PAID,
    invoice_now,
    is_gone,
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
)
from tests.support.store_content import ledger
from tests.support.wait import until

DUEL = replace(CLASSIC, max_players=2)


async def transaction(redis: Redis, seated: Seated) -> object:
    """What another program reads as the transaction of an invoice."""
    return await redis.hget(keys.invoice(seated.invoice.invoice_id), "tx_hash")


# --- payments that take a seat ----------------------------------------------------------------


async def test_a_payment_pays_the_seat_and_fills_the_pot_in_one_step(
    node: Node, redis: Redis
) -> None:
    seated = await node.sit("ann")
    assert await transaction(redis, seated) == ""
    assert await node.deliver(paid(seated)) == PROCESSED
    after = await node.store.load(seated.lobby.lobby_id)
    assert after.lobby is not None
    assert (after.lobby.players["ann"].paid, after.lobby.pot) == (True, BUY_IN)
    assert await transaction(redis, seated) == f"tx-{seated.invoice.invoice_id}"
    received, pot = await ledger(redis, TABLE)
    at = float(received["at"])
    shared = {
        "amount": "3500",
        "lobby_id": seated.lobby.lobby_id,
        "invoice_id": seated.invoice.invoice_id,
        "alien_id": "ann",
        "at": repr(at),
    }
    assert received == {"kind": "received", "event": f"tx-{seated.invoice.invoice_id}", **shared}
    assert pot == {"kind": "pot", "event": after.position.id, **shared}
    assert at == after.position.at_ms


async def test_a_payment_seats_again_whose_seat_had_lapsed(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: replace(CLASSIC, seat_ms=1)})
    seated = await node.sit("ann")
    await node.wait_until_past(seated.invoice.expires_at)
    await node.lobbies.carry_out(seated.lobby.lobby_id, Tick())
    assert (await invoice_now(node, seated))[0] == "expired"
    issued = await node.invoices.load(seated.invoice.invoice_id)
    assert await node.deliver(paid(seated)) == PROCESSED
    assert await is_paid(node, seated)
    assert await invoice_now(node, seated) == ("paid", None)
    assert await sums(redis) == SEAT_PAID
    now = await node.invoices.load(seated.invoice.invoice_id)
    assert issued is not None
    assert now is not None
    assert (now.created_at, now.expires_at) == (issued.created_at, issued.expires_at)


async def test_a_payment_seats_again_whose_payment_had_failed(node: Node) -> None:
    seated = await node.sit("ann")
    await node.deliver(failed(seated))
    assert await node.deliver(paid(seated)) == PROCESSED
    assert await is_paid(node, seated)


async def test_a_late_payment_voids_the_newer_invoice_which_shows_no_transaction(
    node: Node, redis: Redis
) -> None:
    old = await node.sit("ann")
    await node.deliver(failed(old))
    new = await node.sit("ann")
    assert await node.deliver(paid(old)) == PROCESSED
    assert await invoice_now(node, old) == ("paid", None)
    assert await invoice_now(node, new) == ("cancelled", None)
    assert await transaction(redis, new) == ""
    assert await node.deliver(paid(new)) == REFUND_OWED


# --- payments that are owed back --------------------------------------------------------------


async def lobby_full(node: Node) -> Seated:
    seated = await node.sit("ann")
    await node.deliver(failed(seated))
    await node.sit("bob")
    await node.sit("cy")
    return seated


async def lobby_started(node: Node) -> Seated:
    seated = await node.sit("ann")
    await node.deliver(failed(seated))
    await node.seat("bob", "cy")
    return seated


async def lobby_finished(node: Node) -> Seated:
    seated = await lobby_started(node)
    for player in ("bob", "cy"):
        await node.seats.leave(player, seated.lobby.lobby_id)
    return seated


async def player_left(node: Node) -> Seated:
    seated = await node.sit("ann")
    await node.seats.leave("ann", seated.lobby.lobby_id)
    return seated


@pytest.mark.parametrize("state", [lobby_full, lobby_started, lobby_finished, player_left])
async def test_a_payment_that_can_take_no_seat_is_owed_back(
    state: Any, start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: DUEL})
    seated = await state(node)
    before, lobby = await sums(redis), await node.store.load(seated.lobby.lobby_id)
    assert await node.deliver(paid(seated)) == REFUND_OWED
    after = await sums(redis)
    assert Counter(after) - Counter(before) == Counter(OWED_BACK)
    assert await invoice_now(node, seated) == ("refund_owed", "3500")
    assert await transaction(redis, seated) == f"tx-{seated.invoice.invoice_id}"
    assert await node.store.load(seated.lobby.lobby_id) == lobby


async def cancelled(node: Node) -> Seated:
    seated = await node.sit("ann")
    await node.wait_until_past(seated.lobby.closes_at)
    await node.lobbies.carry_out(seated.lobby.lobby_id, Tick())
    return seated


@pytest.mark.parametrize("finished_seconds", [600, 0.001])
async def test_a_payment_into_a_cancelled_lobby_is_owed_back_even_when_it_is_gone(
    finished_seconds: float, start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(
        store_url,
        tiers={BUY_IN: replace(CLASSIC, lobby_ttl_ms=1)},
        FINISHED_TTL_SECONDS=str(finished_seconds),
    )
    seated = await cancelled(node)
    if finished_seconds < 1:
        await until(lambda: is_gone(redis, keys.lobby(seated.lobby.lobby_id)))
    assert await node.deliver(paid(seated)) == REFUND_OWED
    assert await sums(redis) == OWED_BACK
    assert await invoice_now(node, seated) == ("refund_owed", "3500")


async def test_a_second_payment_of_one_invoice_is_owed_back_and_the_seat_stays_paid(
    node: Node, redis: Redis
) -> None:
    seated = await node.sit("ann")
    await node.pay(seated)
    assert await node.deliver(paid(seated, txHash="second")) == REFUND_OWED
    assert await sums(redis) == {"received": 7000, "pot": 3500, "refund_owed": 3500}
    assert await invoice_now(node, seated) == ("paid", "3500")
    assert await is_paid(node, seated)


async def test_listeners_to_the_lobby_are_notified_of_an_invoice_that_changed_alone(
    start_node: StartNode, store_url: str
) -> None:
    nodes = [await start_node(store_url) for _ in range(2)]
    seated = await player_left(nodes[0])
    listener = Listener()
    nodes[1].replicas.listener = listener
    assert await nodes[1].replicas.acquire(seated.lobby.lobby_id)
    await nodes[0].deliver(paid(seated))
    await until(lambda: listener.invoices == ["ann"])
    assert listener.records == []
