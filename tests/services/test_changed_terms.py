"""An invoice is paid as its player was asked to: to whom, in what and over what, whatever the
settings say by now."""

import pytest
from redis.asyncio import Redis

from server.rules.payments import Terms
from server.store import keys
from tests.services.money import PROCESSED, SEAT_PAID, ignored, is_paid, sums, unmatched
from tests.support.game import TERMS, Node, StartNode, failed, paid
from tests.support.store_content import command

NOW = Terms(recipient="provider-2", token="OTHER", network="solana")
NOW_SETTINGS = {
    "ALIEN_PROVIDER_ADDRESS": NOW.recipient,
    "PAYMENT_TOKEN": NOW.token,
    "PAYMENT_NETWORK": NOW.network,
}


async def terms_of(node: Node, invoice_id: str) -> Terms:
    """How the players are asked to pay."""
    invoice = await node.billing.invoice(invoice_id)
    assert invoice is not None
    return Terms(recipient=invoice.recipient, token=invoice.token, network=invoice.network)


async def test_an_invoice_keeps_the_terms_that_it_was_issued_with(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    seated = await (await start_node(store_url)).sit("ann")
    node = await start_node(store_url, **NOW_SETTINGS)
    assert await terms_of(node, seated.invoice.invoice_id) == TERMS
    terms = {"recipient": TERMS.recipient, "network": TERMS.network}
    wrong = {"recipient": NOW.recipient, "network": NOW.network}
    mismatches = {"recipient": "recipient_mismatch", "network": "network_mismatch"}
    for name, mismatch in mismatches.items():
        delivery = paid(seated, txHash=name, **terms | {name: wrong[name]})
        assert await node.deliver(delivery) == ignored(mismatch)
    assert set(await unmatched(redis)) == set(mismatches)
    assert await node.deliver(paid(seated, **terms)) == PROCESSED
    assert await is_paid(node, seated)
    assert await sums(redis) == SEAT_PAID
    assert await terms_of(node, (await node.sit("bob")).invoice.invoice_id) == NOW


async def test_a_seat_that_is_taken_again_by_an_old_invoice_is_paid_as_that_asked(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    before = await start_node(store_url)
    seated = await before.sit("ann")
    assert await before.deliver(failed(seated)) == PROCESSED
    node = await start_node(store_url, **NOW_SETTINGS)
    assert await node.deliver(paid(seated, recipient=TERMS.recipient)) == PROCESSED
    assert await terms_of(node, seated.invoice.invoice_id) == TERMS
    assert await sums(redis) == SEAT_PAID


@pytest.mark.parametrize("name", ["recipient", "token", "network"])
async def test_an_invoice_without_terms_has_those_of_today(
    name: str, start_node: StartNode, store_url: str, redis: Redis
) -> None:
    """So it was issued by the version before."""
    node = await start_node(store_url, **NOW_SETTINGS)
    seated = await node.sit("ann")
    key = keys.invoice(seated.invoice.invoice_id)
    assert await command(redis, "HDEL", key, name) == 1
    assert await terms_of(node, seated.invoice.invoice_id) == NOW
    delivery = paid(seated, recipient=NOW.recipient, network=NOW.network)
    assert await node.deliver(delivery) == PROCESSED
