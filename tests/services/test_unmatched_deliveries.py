"""Deliveries that pay no seat: tests, unknown invoices, money that is not for us or too little."""

from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.errors import ErrorCode, Refused
from protocol.payments import PaymentDelivery
from server.store import keys
from tests.services.money import (
    OWED_BACK,
    PROCESSED,
    SEAT_PAID,
    ignored,
    invoice_now,
    is_gone,
    is_paid,
    sums,
    unmatched,
)
from tests.support.game import (
    TABLE,
    Node,
    StartNode,
    paid,
    raw_body,
)
from tests.support.store_content import ledger, store_content
from tests.support.wait import until

# --- test payments ----------------------------------------------------------------------------


@pytest.mark.parametrize("test", [True, "true", "yes", ""])
@pytest.mark.parametrize("status", ["finalized", "failed"])
async def test_a_test_payment_of_a_real_invoice_has_no_effect(
    test: bool | str, status: str, node: Node, redis: Redis
) -> None:
    delivery = paid(await node.sit("ann"), test=test, status=status)
    before = await store_content(redis)
    assert await node.deliver(delivery) == ignored("test_payment")
    assert await store_content(redis) == before


async def test_a_test_payment_of_an_unknown_invoice_has_no_effect(node: Node, redis: Redis) -> None:
    delivery = PaymentDelivery(invoice="unknown", status="finalized", test=True)
    assert await node.deliver(delivery) == ignored("test_payment")
    assert await store_content(redis) == {}


@pytest.mark.parametrize("test", [False, "false", None])
async def test_what_is_not_called_a_test_is_a_real_payment(
    test: bool | str | None, node: Node, redis: Redis
) -> None:
    assert await node.deliver(paid(await node.sit("ann"), test=test)) == PROCESSED
    assert all("test" not in entry for entry in await ledger(redis, TABLE))


async def test_a_test_payment_of_an_invoice_marked_as_one_counts_and_marks_every_entry(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, ALLOW_TEST_PAYMENTS="true")
    first, second = await node.sit("ann"), await node.sit("bob")
    assert await node.deliver(paid(first, test=True)) == PROCESSED
    assert await node.deliver(paid(second, test=True, amount="1")) == ignored("amount_mismatch")
    await node.seats.leave("ann", first.lobby.lobby_id)
    entries = await ledger(redis, TABLE)
    assert [entry["kind"] for entry in entries] == [
        *("received", "pot"),
        *("received", "refund_owed"),
        *("pot", "refund_owed"),
    ]
    assert all(entry["test"] == "true" for entry in entries)


async def test_a_real_payment_of_an_invoice_that_takes_tests_is_real(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, ALLOW_TEST_PAYMENTS="true")
    assert await node.deliver(paid(await node.sit("ann"))) == PROCESSED
    assert all("test" not in entry for entry in await ledger(redis, TABLE))


# --- unknown invoices -------------------------------------------------------------------------


@pytest.mark.parametrize("invoice", ["inv_3500_000000000000_0000000000000000", "INV-1", "", "é"])
async def test_a_payment_of_an_unknown_invoice_is_kept_raw_once_and_for_ever(
    invoice: str, node: Node, redis: Redis
) -> None:
    delivery = PaymentDelivery(invoice=invoice, status="finalized", txHash="tx", amount="3500")
    for _ in range(2):
        assert await node.deliver(delivery) == Refused(ErrorCode.UNKNOWN_INVOICE)
    assert await store_content(redis) == {
        keys.UNMATCHED: ({"tx": raw_body(delivery).decode()}, False)
    }


async def test_what_was_kept_first_of_a_transaction_stays(node: Node, redis: Redis) -> None:
    first = PaymentDelivery(invoice="one", status="finalized", txHash="tx")
    for delivery in (first, PaymentDelivery(invoice="two", status="finalized", txHash="tx")):
        await node.deliver(delivery)
    assert await unmatched(redis) == {"tx": raw_body(first).decode()}


async def test_the_raw_body_is_kept_as_it_came(node: Node, redis: Redis) -> None:
    body = b'{ "invoice":"x","status":"finalized",  "new":"\xc3\xa9" }'
    delivery = PaymentDelivery.model_validate_json(body)
    await node.deliver(delivery, body)
    assert [*(await unmatched(redis)).values()] == [body.decode()]


async def test_a_failure_of_an_unknown_invoice_has_no_effect(node: Node, redis: Redis) -> None:
    delivery = PaymentDelivery(invoice="unknown", status="failed")
    assert await node.deliver(delivery) == Refused(ErrorCode.UNKNOWN_INVOICE)
    assert await store_content(redis) == {}


async def test_an_invoice_that_was_kept_long_enough_is_unknown(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, INVOICE_TTL_SECONDS="600")
    seated = await node.sit("ann")
    key = keys.invoice(seated.invoice.invoice_id)
    assert 0 < await redis.pttl(key) <= 600_000
    await redis.pexpire(key, 1)  # its time is over
    await until(lambda: is_gone(redis, key))
    assert await node.deliver(paid(seated)) == Refused(ErrorCode.UNKNOWN_INVOICE)
    assert len(await unmatched(redis)) == 1


async def test_a_body_that_is_no_text_is_kept_as_well(node: Node, redis: Redis) -> None:
    """Of a provider that sends no JSON."""
    delivery = PaymentDelivery(invoice="unknown", status="finalized", txHash="tx")
    assert await node.deliver(delivery, b"invoice=\xe9") == Refused(ErrorCode.UNKNOWN_INVOICE)
    assert await unmatched(redis) == {"tx": "invoice=\\xe9"}


# --- payments that do not match ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"recipient": "somebody"}, "recipient_mismatch"),
        ({"network": "another"}, "network_mismatch"),
        ({"decimals": 1}, "decimals_mismatch"),
        ({"amount": None}, "amount_missing"),
        ({"recipient": "somebody", "amount": "1"}, "recipient_mismatch"),
    ],
)
async def test_what_did_not_come_in_to_us_is_kept_aside_and_pays_nothing(
    changes: dict[str, Any], reason: str, node: Node, redis: Redis
) -> None:
    seated = await node.sit("ann")
    delivery = paid(seated, **changes)
    assert await node.deliver(delivery) == ignored(reason)
    assert await unmatched(redis) == {delivery.txHash: raw_body(delivery).decode()}
    assert await redis.pttl(keys.UNMATCHED) == -1
    assert await sums(redis) == {}
    assert not await is_paid(node, seated)
    assert await node.deliver(paid(seated, txHash="right")) == PROCESSED


@pytest.mark.parametrize(
    "changes", [{"recipient": "provider"}, {"network": "alien"}, {"decimals": 0}]
)
async def test_what_matches_is_no_mismatch(changes: dict[str, Any], node: Node) -> None:
    assert await node.deliver(paid(await node.sit("ann"), **changes)) == PROCESSED


@pytest.mark.parametrize("amount", ["3499", "3501", "0", "9" * 30])
async def test_a_wrong_amount_is_owed_back_and_the_seat_stays_unpaid(
    amount: str, node: Node, redis: Redis
) -> None:
    seated = await node.sit("ann")
    assert await node.deliver(paid(seated, amount=amount)) == ignored("amount_mismatch")
    owed = None if amount == "0" else amount
    assert await invoice_now(node, seated) == ("pending", owed)
    kinds = ("received", "refund_owed") if owed else ()
    assert [(e["kind"], e["amount"], e["event"]) for e in await ledger(redis, TABLE)] == [
        (kind, amount, f"tx-{seated.invoice.invoice_id}") for kind in kinds
    ]
    assert await unmatched(redis) == {}
    assert await node.deliver(paid(seated, txHash="right")) == PROCESSED
    assert await invoice_now(node, seated) == ("paid", owed)


async def test_with_decimals_the_smallest_unit_is_asked_for_and_the_ledger_counts_coins(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, COIN_DECIMALS="18")
    seated = await node.sit("ann")
    assert seated.invoice.amount == "3500" + 18 * "0"
    assert await node.deliver(paid(seated, decimals=18)) == PROCESSED
    assert await sums(redis) == SEAT_PAID
    await node.seats.leave("ann", seated.lobby.lobby_id)
    assert await invoice_now(node, seated) == ("refund_owed", seated.invoice.amount)
    assert await sums(redis) == OWED_BACK
