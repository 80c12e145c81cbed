"""Payments that come when there is no seat to pay: received, and owed back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until
from tests.transport.http.payment_desk import (
    PROCESSED,
    REFUND_OWED,
    PaymentDesk,
    not_processed,
    open_desk,
)


async def give_up(desk: PaymentDesk) -> Any:
    """alice takes a seat and loses it: her payment failed."""
    joined = await desk.server.join("alice")
    await desk.deliver(desk.failure(joined["invoice"]))
    return joined


async def until_it_is(desk: PaymentDesk, lobby_id: str, status: str) -> None:
    async def is_so() -> bool:
        return bool((await desk.status(lobby_id, "bob"))["status"] == status)

    await until(is_so)


async def full(desk: PaymentDesk) -> Any:
    joined = await give_up(desk)
    for name in ("bob", "carol"):
        await desk.server.join(name)
    return joined


async def arranging(desk: PaymentDesk) -> Any:
    joined = await give_up(desk)
    assert await desk.server.seat("bob", "carol") == joined["lobby_id"]
    await until_it_is(desk, joined["lobby_id"], "arranging")
    return joined


async def active(desk: PaymentDesk) -> Any:
    joined = await arranging(desk)
    await desk.server.arrange(joined["lobby_id"], "bob", "carol")
    await until_it_is(desk, joined["lobby_id"], "active")
    return joined


async def finished(desk: PaymentDesk) -> Any:
    joined = await active(desk)
    for name in ("bob", "carol"):
        await desk.server.post(f"/api/game/{joined['lobby_id']}/claim", name)
    await until_it_is(desk, joined["lobby_id"], "finished")
    return joined


async def left(desk: PaymentDesk) -> Any:
    joined = await desk.server.join("alice")
    await desk.server.post(f"/api/game/{joined['lobby_id']}/leave", "alice")
    return joined


async def paid_and_left(desk: PaymentDesk) -> Any:
    joined = await desk.server.join("alice")
    await desk.deliver(desk.payment(joined["invoice"]))
    await desk.server.post(f"/api/game/{joined['lobby_id']}/leave", "alice")
    return joined


async def cancelled(desk: PaymentDesk) -> Any:
    joined = await desk.server.join("alice")
    await until_it_is(desk, joined["lobby_id"], "finished")
    return joined


async def gone(desk: PaymentDesk) -> Any:
    joined = await desk.server.join("alice")

    async def is_gone() -> bool:
        answer = await desk.server.get(f"/api/game/{joined['lobby_id']}/status", "bob")
        return answer.status == 404

    await until(is_gone)
    return joined


Case = Callable[[PaymentDesk], Awaitable[Any]]
CASES: Mapping[Case, Mapping[str, str]] = {
    full: {},
    arranging: {},
    active: {},
    finished: {},
    left: {},
    paid_and_left: {},
    cancelled: {"LOBBY_TTL_SECONDS": "0.2"},
    gone: {"LOBBY_TTL_SECONDS": "0.2", "FINISHED_TTL_SECONDS": "0.2"},
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_a_payment_without_a_seat_to_pay_is_owed_back(
    store_url: str, issuer: DevIssuer, provider: DevProvider, case: Case
) -> None:
    async with open_desk(store_url, issuer, provider, **CASES[case]) as desk:
        joined = await case(desk)
        before = await desk.sums()
        payload = desk.payment(joined["invoice"])
        assert await desk.deliver(payload) == REFUND_OWED
        after = await desk.sums()
        for kind in ("received", "refund_owed"):
            assert after[kind] == before.get(kind, 0) + 3500
        for kind in ("pot", "house", "payout_owed"):
            assert after.get(kind) == before.get(kind)
        content = await desk.content()
        assert await desk.deliver(payload) == not_processed("already_processed")
        assert await desk.content() == content


async def test_a_second_payment_of_one_invoice_is_owed_back_and_the_seat_stays_paid(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with open_desk(store_url, issuer, provider) as desk:
        joined = await desk.server.join("alice")
        assert await desk.deliver(desk.payment(joined["invoice"])) == PROCESSED
        assert await desk.deliver(desk.payment(joined["invoice"])) == REFUND_OWED
        assert await desk.own_invoice(joined["lobby_id"], "alice") == ("paid", "3500")
        assert (await desk.status(joined["lobby_id"], "alice"))["pot"] == 3500


async def test_a_payment_for_a_lapsed_seat_takes_it_again_while_there_is_room(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with open_desk(store_url, issuer, provider, SEAT_SECONDS="0.1") as desk:
        joined = await desk.server.join("alice")

        async def lapsed() -> bool:
            lobby = await desk.status(joined["lobby_id"], "bob")
            return bool(lobby["player_count"] == 0)

        await until(lapsed)
        assert await desk.deliver(desk.payment(joined["invoice"])) == PROCESSED
        lobby = await desk.status(joined["lobby_id"], "alice")
        assert (lobby["pot"], lobby["you"]["paid"]) == (3500, True)


async def test_a_cancelled_lobby_owes_every_payment_back(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    changes = {"LOBBY_TTL_SECONDS": "10", "MAX_PLAYERS": "3"}
    async with open_desk(store_url, issuer, provider, **changes) as desk:
        joined = await desk.server.join("alice")
        await desk.deliver(desk.payment(joined["invoice"]))
        await until_it_is(desk, joined["lobby_id"], "finished")
        assert await desk.own_invoice(joined["lobby_id"], "alice") == ("refund_owed", "3500")
        assert await desk.sums() == {"received": 3500, "pot": 0, "refund_owed": 3500}
