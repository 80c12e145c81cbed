"""The same delivery again: it counts once."""

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.transport.http.payment_desk import (
    ALREADY_PROCESSED,
    PROCESSED,
    PaymentDesk,
    assert_changes_nothing,
    open_desk,
)


@pytest.mark.parametrize("kind", ["paid", "failed", "wrong recipient", "wrong amount"])
@pytest.mark.parametrize("transaction", ["tx-1", None])
async def test_the_same_delivery_again_changes_nothing(
    desk: PaymentDesk, kind: str, transaction: str | None
) -> None:
    invoice = await desk.invoice("alice")
    payload = {
        "paid": desk.payment(invoice),
        "failed": desk.failure(invoice),
        "wrong recipient": desk.payment(invoice, recipient="somebody"),
        "wrong amount": desk.payment(invoice, amount="1"),
    }[kind] | {"txHash": transaction}
    await desk.deliver(payload)
    await assert_changes_nothing(desk, payload, ALREADY_PROCESSED)


async def test_the_same_delivery_is_the_same_in_other_bytes(desk: PaymentDesk) -> None:
    payload = desk.payment(await desk.invoice("alice"))
    await desk.deliver(payload)
    await assert_changes_nothing(
        desk, payload | {"memo": "again", "amount": "1"}, ALREADY_PROCESSED
    )


async def test_the_same_delivery_is_known_after_a_restart(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with open_desk(store_url, issuer, provider) as desk:
        with_tx = desk.payment(await desk.invoice("alice"))
        without = desk.payment(await desk.invoice("bob"), txHash=None)
        assert [await desk.deliver(with_tx), await desk.deliver(without)] == [PROCESSED] * 2
    async with open_desk(store_url, issuer, provider) as desk:
        await assert_changes_nothing(desk, with_tx, ALREADY_PROCESSED)
        await assert_changes_nothing(desk, without, ALREADY_PROCESSED)


async def test_a_failure_and_a_payment_of_one_transaction_are_two_deliveries(
    desk: PaymentDesk,
) -> None:
    invoice = await desk.invoice("alice")
    assert await desk.deliver(desk.failure(invoice) | {"txHash": "tx-1"}) == PROCESSED
    assert await desk.deliver(desk.payment(invoice, txHash="tx-1")) == PROCESSED


async def test_one_transaction_may_pay_two_invoices(desk: PaymentDesk) -> None:
    for name in ("alice", "bob"):
        payload = desk.payment(await desk.invoice(name), txHash="tx-1")
        assert await desk.deliver(payload) == PROCESSED
