"""What a delivery that is understood does: row by row, the first that fits decides."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.support.wait import until
from tests.transport.http.payment_desk import (
    FAILED_TOO_LATE,
    PROCESSED,
    REFUND_OWED,
    PaymentDesk,
    not_processed,
    open_desk,
)

INVOICE = {
    "invoice_id": "inv_3500_000000000001_0000000000000001",
    "recipient": "00000001000000000000000000000000",
    "amount": "3500",
    "token": "ALIEN",
    "network": "alien",
}
ALREADY = not_processed("already_processed")
UNKNOWN_IDS = ["", INVOICE["invoice_id"], "unmatched", "x" * 60_000, "\x00é\n"]


@pytest.fixture
async def desk(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[PaymentDesk]:
    async with open_desk(store_url, issuer, provider) as desk:
        yield desk


async def assert_changes_nothing(desk: PaymentDesk, payload: Any, answer: Any) -> None:
    before = await desk.content()
    assert await desk.deliver(payload) == answer
    assert await desk.content() == before


# A payment as asked


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
async def test_what_a_payment_does_not_say_is_not_held_against_it(
    desk: PaymentDesk, absent: str
) -> None:
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


# Test payments


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
    payload = desk.payment(INVOICE, test=True)
    await assert_changes_nothing(desk, payload, not_processed("test_payment"))


@pytest.mark.parametrize("test", [False, "false"])
async def test_a_payment_that_says_it_is_no_test_is_real(desk: PaymentDesk, test: Any) -> None:
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


# Unknown invoices


@pytest.mark.parametrize("invoice_id", UNKNOWN_IDS, ids=lambda text: text[:20].encode().hex())
async def test_a_payment_of_no_invoice_is_kept_once_and_for_ever(
    desk: PaymentDesk, invoice_id: str
) -> None:
    payload = desk.server.provider.payload(INVOICE | {"invoice_id": invoice_id})
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
    bodies = [json.dumps(desk.payment(INVOICE, txHash="t", memo=memo)).encode() for memo in "ab"]
    for body in bodies:
        assert (await desk.send(body)).status == 404
    assert await desk.unmatched() == {"t": bodies[0].decode()}


async def test_a_payment_of_an_invoice_that_its_seat_outlived_is_unmatched(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    lifetimes = {"INVOICE_TTL_SECONDS": "0.5", "SEAT_SECONDS": "0.8"}
    async with open_desk(store_url, issuer, provider, **lifetimes) as desk:
        joined = await desk.server.join("alice")

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
    async with open_desk(store_url, issuer, provider, INVOICE_TTL_SECONDS="0.2") as desk:
        payload = desk.payment(await desk.invoice("alice"))
        await until(lambda: desk.has_forgotten(payload["invoice"]))
        assert (await desk.send(json.dumps(payload).encode())).status == 404
        assert list(await desk.unmatched()) == [payload["txHash"]]


# The same delivery again


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
    await assert_changes_nothing(desk, payload, ALREADY)


async def test_the_same_delivery_is_the_same_in_other_bytes(desk: PaymentDesk) -> None:
    payload = desk.payment(await desk.invoice("alice"))
    await desk.deliver(payload)
    await assert_changes_nothing(desk, payload | {"memo": "again", "amount": "1"}, ALREADY)


async def test_the_same_delivery_is_known_after_a_restart(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with open_desk(store_url, issuer, provider) as desk:
        with_tx = desk.payment(await desk.invoice("alice"))
        without = desk.payment(await desk.invoice("bob"), txHash=None)
        assert [await desk.deliver(with_tx), await desk.deliver(without)] == [PROCESSED] * 2
    async with open_desk(store_url, issuer, provider) as desk:
        await assert_changes_nothing(desk, with_tx, ALREADY)
        await assert_changes_nothing(desk, without, ALREADY)


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


# Failures


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


# Mismatches

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
    assert await desk.sums() == {"received": int(amount), "refund_owed": int(amount)}
    await assert_changes_nothing(desk, payload, ALREADY)
    assert await desk.deliver(desk.payment(joined["invoice"])) == PROCESSED
    assert await desk.own_invoice(joined["lobby_id"], "alice") == ("paid", owed)


async def test_wrong_amounts_add_up(desk: PaymentDesk) -> None:
    joined = await desk.server.join("alice")
    for amount in ("1000", "2500"):
        await desk.deliver(desk.payment(joined["invoice"], amount=amount))
    assert await desk.own_invoice(joined["lobby_id"], "alice") == ("pending", "3500")


# A store that takes nothing


@pytest.mark.parametrize("setting", [{"maxmemory": "1"}, {"min-replicas-to-write": "1"}])
async def test_what_the_store_refuses_to_write_is_unavailable_and_the_repeat_counts_once(
    own_store: EmbeddedStore, issuer: DevIssuer, provider: DevProvider, setting: dict[str, str]
) -> None:
    async with (
        Redis.from_url(own_store.url) as redis,
        open_desk(own_store.url, issuer, provider) as desk,
    ):
        body = json.dumps(desk.payment(await desk.invoice("alice"))).encode()
        before = await desk.content()
        for name, value in setting.items():
            await redis.config_set(name, value)
        answer = await desk.send(body)
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        assert await desk.content() == before
        for name in setting:
            await redis.config_set(name, "0")
        assert (await desk.send(body)).body == PROCESSED
        assert (await desk.send(body)).body == ALREADY
        assert await desk.sums() == {"received": 3500, "pot": 3500}


async def test_a_store_that_died_is_unavailable_until_it_is_back(
    own_store: EmbeddedStore, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with open_desk(own_store.url, issuer, provider) as desk:
        body = json.dumps(desk.payment(await desk.invoice("alice"))).encode()
        own_store.kill()
        answer = await desk.send(body)
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        own_store.start()
        assert (await desk.send(body)).body == PROCESSED
        assert await desk.sums() == {"received": 3500, "pot": 3500}
