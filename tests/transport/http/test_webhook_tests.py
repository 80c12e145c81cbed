"""Test payments: not money, unless the invoice was made for them."""

from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.transport.http.payment_desk import (
    NO_INVOICE,
    PROCESSED,
    REFUND_OWED,
    PaymentDesk,
    assert_changes_nothing,
    not_processed,
    open_desk,
)


@pytest.mark.parametrize("test", [True, "true", "yes", "", "False"])
async def test_a_test_payment_of_a_real_invoice_changes_nothing(
    desk: PaymentDesk, test: Any
) -> None:
    payload = desk.payment(await desk.invoice("alice"), test=test)
    await assert_changes_nothing(desk, payload, not_processed("test_payment"))


async def test_a_test_that_failed_changes_nothing(desk: PaymentDesk) -> None:
    payload = desk.failure(await desk.invoice("alice")) | {"test": True}
    await assert_changes_nothing(desk, payload, not_processed("test_payment"))


async def test_a_test_payment_of_no_invoice_changes_nothing(desk: PaymentDesk) -> None:
    payload = desk.payment(NO_INVOICE, test=True)
    await assert_changes_nothing(desk, payload, not_processed("test_payment"))


@pytest.mark.parametrize("test", [False, "false"])
async def test_a_payment_marked_as_no_test_is_real(desk: PaymentDesk, test: Any) -> None:
    payload = desk.payment(await desk.invoice("alice"), test=test)
    assert await desk.deliver(payload) == PROCESSED
    assert all("test" not in entry for entry in await desk.ledger())


async def test_test_payments_count_where_they_are_allowed_and_the_ledger_marks_them(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with open_desk(store_url, issuer, provider, ALLOW_TEST_PAYMENTS="true") as desk:
        lobby_id = (await desk.server.join("alice"))["lobby_id"]
        test = desk.payment(await desk.invoice("alice"), test=True)
        assert await desk.deliver(test) == PROCESSED
        await desk.server.post(f"/api/game/{lobby_id}/leave", "alice")
        assert await desk.deliver(test | {"txHash": "another"}) == REFUND_OWED
        marks = [entry.get("test") for entry in await desk.ledger()]
        assert marks == ["true"] * 6


async def test_a_real_payment_of_an_invoice_that_takes_tests_is_not_marked(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with open_desk(store_url, issuer, provider, ALLOW_TEST_PAYMENTS="true") as desk:
        assert await desk.deliver(desk.payment(await desk.invoice("alice"))) == PROCESSED
        assert all("test" not in entry for entry in await desk.ledger())


async def test_an_invoice_made_for_tests_takes_them_also_when_new_ones_do_not(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with open_desk(store_url, issuer, provider, ALLOW_TEST_PAYMENTS="true") as desk:
        payload = desk.payment(await desk.invoice("alice"), test=True)
    async with open_desk(store_url, issuer, provider) as desk:
        assert await desk.deliver(payload) == PROCESSED
