"""Payments to the last unit, and invoices that are older than the setting of their decimals."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from server.rules.coins import read_coins
from server.rules.commands import Tick
from tests.services.money import (
    OWED_BACK,
    PROCESSED,
    REFUND_OWED,
    SEAT_PAID,
    ignored,
    invoice_now,
    is_paid,
    sums,
)
from tests.support.game import BRISK, BUY_IN, TABLE, Node, StartNode, failed, paid
from tests.support.store_content import ledger

MISMATCH = ignored("amount_mismatch")
HASTY = replace(BRISK, lobby_ttl_ms=400)


@pytest.mark.parametrize(
    ("units", "coins"),
    [("3499999999", "3499.999999"), ("999999", "0.999999"), ("1", "0.000001"), ("1000000", "1")],
)
async def test_a_wrong_amount_is_booked_and_owed_to_its_last_unit(
    start_node: StartNode, store_url: str, redis: Redis, units: str, coins: str
) -> None:
    node = await start_node(store_url, COIN_DECIMALS="6")
    seated = await node.sit("ann")
    assert await node.deliver(paid(seated, amount=units, decimals=6)) == MISMATCH
    booked = [(entry["kind"], entry["amount"]) for entry in await ledger(redis, TABLE)]
    assert booked == [("received", coins), ("refund_owed", coins)]
    assert await invoice_now(node, seated) == ("pending", units)


async def test_an_amount_of_40_digits_is_booked_to_its_last_unit(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, COIN_DECIMALS="36")
    seated = await node.sit("ann")
    units = "1234567890" * 7
    assert await node.deliver(paid(seated, amount=units)) == MISMATCH
    coins = f"{units[:-36]}.{units[-36:]}".rstrip("0")
    assert await sums(redis) == {"received": read_coins(coins), "refund_owed": read_coins(coins)}
    assert {entry["amount"] for entry in await ledger(redis, TABLE)} == {coins}


async def test_a_payment_of_nothing_is_not_booked(node: Node, redis: Redis) -> None:
    seated = await node.sit("ann")
    assert await node.deliver(paid(seated, amount="0")) == MISMATCH
    assert await node.deliver(paid(seated, amount="0")) == ignored("already_processed")
    assert await ledger(redis, TABLE) == []
    assert await invoice_now(node, seated) == ("pending", None)


@pytest.mark.parametrize(("before", "now"), [(0, 6), (6, 0), (18, 36)])
async def test_an_invoice_keeps_the_decimals_that_it_was_issued_with(
    start_node: StartNode, store_url: str, redis: Redis, before: int, now: int
) -> None:
    seated = await (await start_node(store_url, COIN_DECIMALS=str(before))).sit("ann")
    node = await start_node(store_url, COIN_DECIMALS=str(now))
    asked = seated.invoice.amount
    wrong = ignored("decimals_mismatch")
    assert await node.deliver(paid(seated, txHash="wrong", decimals=now)) == wrong
    assert await node.deliver(paid(seated, decimals=before)) == PROCESSED
    assert await sums(redis) == SEAT_PAID
    await node.seats.leave("ann", seated.lobby.lobby_id)
    assert await invoice_now(node, seated) == ("refund_owed", asked)
    assert await sums(redis) == OWED_BACK
    assert await node.deliver(paid(seated, txHash="again")) == REFUND_OWED
    assert await invoice_now(node, seated) == ("refund_owed", str(2 * int(asked)))
    assert await sums(redis) == {"received": 2 * BUY_IN, "refund_owed": 2 * BUY_IN}


async def test_a_cancelled_lobby_owes_what_its_invoices_asked_for(
    start_node: StartNode, store_url: str
) -> None:
    variant = {BUY_IN: HASTY}
    before = await start_node(store_url, tiers=variant)
    seated = await before.sit("ann")
    await before.pay(seated)
    node = await start_node(store_url, tiers=variant, COIN_DECIMALS="6")
    await node.wait_until_past(seated.lobby.created_at + HASTY.lobby_ttl_ms)
    await node.lobbies.carry_out(seated.lobby.lobby_id, Tick())
    assert await invoice_now(node, seated) == ("refund_owed", "3500")


async def test_a_seat_that_is_taken_again_by_an_old_invoice_costs_what_that_asked_for(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    before = await start_node(store_url)
    seated = await before.sit("ann")
    assert await before.deliver(failed(seated)) == PROCESSED
    node = await start_node(store_url, COIN_DECIMALS="6")
    assert await node.deliver(paid(seated)) == PROCESSED
    assert await is_paid(node, seated)
    invoice = await node.billing.invoice(seated.invoice.invoice_id)
    assert invoice is not None
    assert (invoice.amount, invoice.status, invoice.owed) == ("3500", "paid", None)
    assert await sums(redis) == SEAT_PAID
