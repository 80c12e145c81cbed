"""Payments as asked, and attempts to pay that failed."""

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.transport.http.payment_desk import (
    FAILED_TOO_LATE,
    PROCESSED,
    REFUND_OWED,
    PaymentDesk,
    open_desk,
)


async def test_a_payment_pays_the_seat_and_the_pot_grows_by_the_buy_in(desk: PaymentDesk) -> None:
    joined = await desk.server.join("alice")
    payload = desk.payment(joined["invoice"])
    assert await desk.deliver(payload) == PROCESSED
    lobby = await desk.status(joined["lobby_id"], "alice")
    assert (lobby["pot"], lobby["you"]["paid"]) == (3500, True)
    assert lobby["you"]["invoice"]["status"] == "paid"
    assert await desk.sums() == {"received": 3500, "pot": 3500}
    received, pot = await desk.ledger()
    assert received["event"] == payload["txHash"]
    assert received["invoice_id"] == pot["invoice_id"] == payload["invoice"]
    assert "test" not in received


@pytest.mark.parametrize("absent", ["recipient", "network", "decimals", "token", "txHash"])
async def test_fields_that_a_payment_lacks_are_not_checked(desk: PaymentDesk, absent: str) -> None:
    invoice = await desk.invoice("alice")
    assert await desk.deliver(desk.payment(invoice, **{absent: None})) == PROCESSED


async def test_the_token_is_not_compared(desk: PaymentDesk) -> None:
    payload = desk.payment(await desk.invoice("alice"), token="native")
    assert await desk.deliver(payload) == PROCESSED


async def test_an_amount_may_begin_with_zeros(desk: PaymentDesk) -> None:
    payload = desk.payment(await desk.invoice("alice"), amount="0003500")
    assert await desk.deliver(payload) == PROCESSED


@pytest.mark.parametrize("decimals", [2, 18, 36])
async def test_an_amount_is_in_the_smallest_unit_of_the_token(
    store_url: str, issuer: DevIssuer, provider: DevProvider, decimals: int
) -> None:
    units = str(3500 * 10**decimals)
    async with open_desk(store_url, issuer, provider, COIN_DECIMALS=str(decimals)) as desk:
        joined = await desk.server.join("alice")
        invoice = joined["invoice"]
        assert invoice["amount"] == units
        assert await desk.deliver(desk.payment(invoice, decimals=decimals)) == PROCESSED
        answer = await desk.server.post(f"/api/game/{joined['lobby_id']}/leave", "alice")
        assert answer.status == 200
        assert await desk.sums() == {"received": 3500, "pot": 0, "refund_owed": 3500}
        assert await desk.own_invoice(joined["lobby_id"], "alice") == ("refund_owed", units)
        second = desk.payment(invoice, decimals=decimals)
        assert await desk.deliver(second) == REFUND_OWED
        twice = str(2 * int(units))
        assert await desk.own_invoice(joined["lobby_id"], "alice") == ("refund_owed", twice)


async def test_a_failure_frees_the_seat_and_joining_again_makes_a_new_invoice(
    desk: PaymentDesk,
) -> None:
    joined = await desk.server.join("alice")
    assert await desk.deliver(desk.failure(joined["invoice"])) == PROCESSED
    lobby = await desk.status(joined["lobby_id"], "bob")
    assert (lobby["player_count"], lobby["players"]) == (0, [])
    again = await desk.server.join("alice")
    assert again["lobby_id"] == joined["lobby_id"]
    assert again["invoice"]["invoice_id"] != joined["invoice"]["invoice_id"]
    assert again["invoice"]["status"] == "pending"
    assert await desk.sums() == {}


async def test_a_failure_of_an_earlier_invoice_leaves_the_seat_of_the_later(
    desk: PaymentDesk,
) -> None:
    first = await desk.invoice("alice")
    await desk.deliver(desk.failure(first))
    joined = await desk.server.join("alice")
    assert await desk.deliver(desk.failure(first)) == PROCESSED
    lobby = await desk.status(joined["lobby_id"], "alice")
    assert lobby["player_count"] == 1
    assert lobby["you"]["invoice"]["status"] == "pending"


async def test_a_failure_after_the_payment_changes_neither_seat_nor_money(
    desk: PaymentDesk,
) -> None:
    joined = await desk.server.join("alice")
    await desk.deliver(desk.payment(joined["invoice"]))
    before = await desk.status(joined["lobby_id"], "alice")
    assert await desk.deliver(desk.failure(joined["invoice"])) == FAILED_TOO_LATE
    after = await desk.status(joined["lobby_id"], "alice")
    assert after == before
    assert await desk.sums() == {"received": 3500, "pot": 3500}


async def test_a_failure_after_a_refund_changes_nothing_that_is_owed(desk: PaymentDesk) -> None:
    joined = await desk.server.join("alice")
    await desk.server.post(f"/api/game/{joined['lobby_id']}/leave", "alice")
    assert await desk.deliver(desk.payment(joined["invoice"])) == REFUND_OWED
    assert await desk.deliver(desk.failure(joined["invoice"])) == FAILED_TOO_LATE
    assert await desk.own_invoice(joined["lobby_id"], "alice") == ("refund_owed", "3500")


async def test_a_payment_after_a_failure_seats_the_player_again(desk: PaymentDesk) -> None:
    joined = await desk.server.join("alice")
    await desk.deliver(desk.failure(joined["invoice"]))
    assert await desk.deliver(desk.payment(joined["invoice"])) == PROCESSED
    lobby = await desk.status(joined["lobby_id"], "alice")
    assert (lobby["pot"], lobby["you"]["paid"]) == (3500, True)


async def test_the_earlier_invoice_may_pay_the_seat_of_the_later(desk: PaymentDesk) -> None:
    first = await desk.invoice("alice")
    await desk.deliver(desk.failure(first))
    joined = await desk.server.join("alice")
    assert await desk.deliver(desk.payment(first)) == PROCESSED
    assert await desk.deliver(desk.payment(joined["invoice"])) == REFUND_OWED
    lobby = await desk.status(joined["lobby_id"], "alice")
    assert (lobby["pot"], lobby["player_count"]) == (3500, 1)
    assert await desk.sums() == {"received": 7000, "pot": 3500, "refund_owed": 3500}
