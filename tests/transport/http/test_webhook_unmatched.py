"""Payments that are none of ours, as far as we know."""

import hashlib
import json
from typing import Any

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.store import keys
from tests.support.wait import until
from tests.transport.http.payment_desk import (
    ALREADY_PROCESSED,
    NO_INVOICE,
    PROCESSED,
    PaymentDesk,
    assert_changes_nothing,
    not_processed,
    open_desk,
)

UNKNOWN_IDS = ["", NO_INVOICE["invoice_id"], "unmatched", "x" * 60_000, "\x00é\n"]


@pytest.mark.parametrize("invoice_id", UNKNOWN_IDS, ids=lambda text: text[:20].encode().hex())
async def test_a_payment_of_no_invoice_is_kept_once_and_for_ever(
    desk: PaymentDesk, invoice_id: str
) -> None:
    payload = desk.server.provider.payload(NO_INVOICE | {"invoice_id": invoice_id})
    body = json.dumps(payload, ensure_ascii=False).encode()
    for _ in range(2):
        answer = await desk.send(body)
        assert (answer.status, answer.body["code"]) == (404, "unknown_invoice")
        assert await desk.content() == {"unmatched": ({payload["txHash"]: body.decode()}, False)}


async def test_a_payment_of_no_invoice_without_a_transaction_is_kept_by_its_digest(
    desk: PaymentDesk,
) -> None:
    body = b'{"invoice": "unknown", "status": "finalized"}'
    assert (await desk.send(body)).status == 404
    digest = hashlib.sha256(body).hexdigest()
    assert await desk.unmatched() == {digest: body.decode()}


async def test_a_failure_of_no_invoice_is_not_kept(desk: PaymentDesk) -> None:
    answer = await desk.send(b'{"invoice": "unknown", "status": "failed", "txHash": "t"}')
    assert (answer.status, answer.body["code"]) == (404, "unknown_invoice")
    assert await desk.content() == {}


async def test_of_two_payments_of_one_transaction_and_no_invoice_the_first_is_kept(
    desk: PaymentDesk,
) -> None:
    bodies = [json.dumps(desk.payment(NO_INVOICE, txHash="t", memo=memo)).encode() for memo in "ab"]
    for body in bodies:
        assert (await desk.send(body)).status == 404
    assert await desk.unmatched() == {"t": bodies[0].decode()}


async def test_a_payment_of_an_invoice_that_its_seat_outlived_is_unmatched(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    retention = {"INVOICE_TTL_SECONDS": "0.8", "SEAT_SECONDS": "0.8"}
    async with open_desk(store_url, issuer, provider, **retention) as desk:
        joined = await desk.server.join("alice")
        async with Redis.from_url(store_url) as redis:
            await redis.delete(keys.invoice(joined["invoice"]["invoice_id"]))

        async def lapsed() -> bool:
            lobby = await desk.status(joined["lobby_id"], "bob")
            return bool(lobby["player_count"] == 0)

        await until(lapsed)
        payload = desk.payment(joined["invoice"])
        assert (await desk.send(json.dumps(payload).encode())).status == 404
        assert list(await desk.unmatched()) == [payload["txHash"]]
        await until(lambda: desk.has_forgotten(payload["invoice"]))


async def test_a_payment_of_a_forgotten_invoice_is_unmatched(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    retention = {"INVOICE_TTL_SECONDS": "0.2", "SEAT_SECONDS": "0.2"}
    async with open_desk(store_url, issuer, provider, **retention) as desk:
        payload = desk.payment(await desk.invoice("alice"))
        await until(lambda: desk.has_forgotten(payload["invoice"]))
        assert (await desk.send(json.dumps(payload).encode())).status == 404
        assert list(await desk.unmatched()) == [payload["txHash"]]


MISMATCHES: dict[str, dict[str, Any]] = {
    "recipient_mismatch": {"recipient": "somebody else"},
    "network_mismatch": {"network": "solana"},
    "decimals_mismatch": {"decimals": 9},
    "amount_missing": {"amount": None},
}


@pytest.mark.parametrize("reason", MISMATCHES)
async def test_what_did_not_come_in_to_us_is_kept_as_unmatched(
    desk: PaymentDesk, reason: str
) -> None:
    joined = await desk.server.join("alice")
    payload = desk.payment(joined["invoice"], **MISMATCHES[reason])
    assert await desk.deliver(payload) == not_processed(reason)
    assert await desk.unmatched() == {payload["txHash"]: json.dumps(payload)}
    assert await desk.ledger() == []
    assert not (await desk.status(joined["lobby_id"], "alice"))["you"]["paid"]
    assert await desk.deliver(desk.payment(joined["invoice"])) == PROCESSED


@pytest.mark.parametrize("index", range(len(MISMATCHES)))
async def test_of_several_mismatches_the_first_is_named(desk: PaymentDesk, index: int) -> None:
    wrong = [*MISMATCHES.items()][index:]
    changes = {field: value for _, change in wrong for field, value in change.items()}
    payload = desk.payment(await desk.invoice("alice"), **changes)
    assert await desk.deliver(payload) == not_processed(wrong[0][0])


@pytest.mark.parametrize("amount", ["0", "1", "3499", "3501", "35000", "9" * 78])
async def test_a_wrong_amount_is_owed_back_to_the_last_unit_and_the_seat_stays_unpaid(
    desk: PaymentDesk, amount: str
) -> None:
    joined = await desk.server.join("alice")
    payload = desk.payment(joined["invoice"], amount=amount)
    assert await desk.deliver(payload) == not_processed("amount_mismatch")
    lobby = await desk.status(joined["lobby_id"], "alice")
    assert (lobby["pot"], lobby["you"]["paid"]) == (0, False)
    owed = None if amount == "0" else amount
    assert await desk.own_invoice(joined["lobby_id"], "alice") == ("pending", owed)
    came_in = {"received": int(amount), "refund_owed": int(amount)}
    assert await desk.sums() == (came_in if owed else {})
    await assert_changes_nothing(desk, payload, ALREADY_PROCESSED)
    assert await desk.deliver(desk.payment(joined["invoice"])) == PROCESSED
    assert await desk.own_invoice(joined["lobby_id"], "alice") == ("paid", owed)


async def test_wrong_amounts_add_up(desk: PaymentDesk) -> None:
    joined = await desk.server.join("alice")
    for amount in ("1000", "2500"):
        await desk.deliver(desk.payment(joined["invoice"], amount=amount))
    assert await desk.own_invoice(joined["lobby_id"], "alice") == ("pending", "3500")
