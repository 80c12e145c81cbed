"""The invoice of a seat: which one a seat has when it is taken, lost, and taken again."""

import asyncio
from dataclasses import replace

from redis.asyncio import Redis

from protocol.ids import invoice_table
from protocol.payments import WebhookAnswer
from server.services.lobbies import Changed
from server.services.seats import Seated
from tests.support.game import BUY_IN, CLASSIC, TABLE, Node, StartNode, failed, paid

BRIEF = replace(CLASSIC, seat_ms=30)


async def status_of(node: Node, invoice_id: str) -> str:
    invoice = await node.billing.invoice(invoice_id)
    assert invoice is not None
    return invoice.status


async def test_an_invoice_has_what_to_pay_and_leads_to_its_table(node: Node) -> None:
    seated = await node.sit("ann")
    invoice = seated.invoice
    assert (invoice.amount, invoice.recipient) == ("3500", "provider")
    assert (invoice.token, invoice.network, invoice.status) == ("ALIEN", "alien", "pending")
    assert invoice.expires_at == seated.lobby.players["ann"].expires_at
    assert invoice_table(invoice.invoice_id) == TABLE


async def test_a_seat_that_lapsed_is_taken_anew_with_a_new_invoice(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: BRIEF})
    first = await node.sit("ann")
    await node.wait_until_past(first.invoice.expires_at)
    again = await node.sit("ann")
    assert again.lobby.lobby_id == first.lobby.lobby_id
    assert again.invoice.invoice_id != first.invoice.invoice_id
    assert await status_of(node, first.invoice.invoice_id) == "expired"
    assert await status_of(node, again.invoice.invoice_id) == "pending"


async def test_after_a_failed_payment_the_seat_is_taken_anew_with_a_new_invoice(
    node: Node,
) -> None:
    first = await node.sit("ann")
    await node.deliver(failed(first))
    again = await node.sit("ann")
    assert again.lobby.lobby_id == first.lobby.lobby_id
    assert again.invoice.invoice_id != first.invoice.invoice_id
    assert await status_of(node, first.invoice.invoice_id) == "failed"


async def test_who_left_unpaid_and_comes_back_to_the_lobby_gets_the_same_invoice(
    node: Node, redis: Redis
) -> None:
    first = await node.sit("ann")
    lobby_id = first.lobby.lobby_id
    for by_joining in (True, False, True):
        assert isinstance(await node.seats.leave("ann", lobby_id), Changed)
        assert await status_of(node, first.invoice.invoice_id) == "cancelled"
        again = await (node.sit("ann") if by_joining else node.seats.take("ann", BUY_IN, lobby_id))
        assert isinstance(again, Seated)
        assert again.lobby.lobby_id == lobby_id
        assert again.invoice.invoice_id == first.invoice.invoice_id
        assert again.invoice.status == "pending"
        assert again.invoice.expires_at == again.lobby.players["ann"].expires_at
    assert len(await redis.keys("invoice:*")) == 1
    await node.pay(first)  # as asked for before it was given up
    assert (await node.sit("ann")).invoice.status == "paid"


async def test_an_invoice_that_was_paid_after_the_player_left_serves_for_no_other_seat(
    node: Node,
) -> None:
    first = await node.sit("ann")
    await node.seats.leave("ann", first.lobby.lobby_id)
    assert (await node.deliver(paid(first))) == WebhookAnswer(processed=True, reason="refund_owed")
    for again in (
        await node.sit("ann"),
        await node.seats.take("ann", BUY_IN, first.lobby.lobby_id),
    ):
        assert isinstance(again, Seated)
        assert again.lobby.lobby_id == first.lobby.lobby_id
        assert again.invoice.invoice_id != first.invoice.invoice_id
    assert await status_of(node, first.invoice.invoice_id) == "refund_owed"


async def test_a_payment_in_the_instant_of_coming_back_is_owed_back_or_pays_the_seat(
    start_node: StartNode, store_url: str
) -> None:
    nodes = [await start_node(store_url) for _ in range(2)]
    for name in (f"player-{number}" for number in range(20)):
        first = await nodes[0].sit(name)
        await nodes[0].seats.leave(name, first.lobby.lobby_id)
        again, answer = await asyncio.gather(nodes[0].sit(name), nodes[1].deliver(paid(first)))
        if again.invoice.invoice_id == first.invoice.invoice_id:
            assert answer == WebhookAnswer(processed=True)
        else:
            assert answer == WebhookAnswer(processed=True, reason="refund_owed")
        await nodes[0].seats.leave(name, again.lobby.lobby_id)


async def test_an_invoice_for_real_money_does_not_become_one_for_tests(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url)
    first = await node.sit("ann")
    await node.seats.leave("ann", first.lobby.lobby_id)
    again = await (await start_node(store_url, ALLOW_TEST_PAYMENTS="true")).sit("ann")
    assert again.lobby.lobby_id == first.lobby.lobby_id
    assert again.invoice.invoice_id != first.invoice.invoice_id


async def test_the_invoice_of_a_new_seat_is_the_one_that_was_stored_with_it(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, COIN_DECIMALS="9")
    new = await node.sit("ann")
    assert new.invoice == await node.billing.invoice(new.invoice.invoice_id)
    assert new.invoice.amount == f"{BUY_IN}{9 * '0'}"
    # An invoice that was given up is used again, as it was issued.
    await node.seats.leave("ann", new.lobby.lobby_id)
    other = await start_node(store_url, COIN_DECIMALS="2", PAYMENT_TOKEN="OTHER")
    again = await other.sit("ann")
    assert again.lobby.lobby_id == new.lobby.lobby_id
    assert again.invoice.invoice_id == new.invoice.invoice_id
    assert (again.invoice.amount, again.invoice.token) == (new.invoice.amount, new.invoice.token)
    assert again.invoice == await other.billing.invoice(again.invoice.invoice_id)
