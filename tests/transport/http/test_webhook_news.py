"""What players see of a delivery, wherever they are connected: it comes in at another server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until
from tests.system.game_server import GameServer, running_app
from tests.system.visitor import Visitor
from tests.transport.http.payment_desk import PaymentDesk, open_desk


@pytest.fixture
async def desk(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[PaymentDesk]:
    """Where the deliveries come in."""
    async with open_desk(store_url, issuer, provider, MAX_PLAYERS="3") as desk:
        yield desk


@pytest.fixture
async def elsewhere(
    desk: PaymentDesk, store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """Where the players are connected."""
    async with running_app(store_url, issuer, provider, MAX_PLAYERS="3") as server:
        yield server


async def second_state(visitor: Visitor) -> Any:
    """The state after the one that everybody gets at first."""
    await until(lambda: len(visitor.of("lobby_state")) == 2)
    return visitor.of("lobby_state")[1]


async def test_a_payment_is_published_to_the_room(desk: PaymentDesk, elsewhere: GameServer) -> None:
    joined = await desk.server.join("alice")
    async with elsewhere.visitor("bob") as bob:
        await bob.enter(joined["lobby_id"])
        await desk.deliver(desk.payment(joined["invoice"]))
        paid = await bob.receives("player_paid", alien_id="alice")
        assert (paid["player_count"], paid["pot"]) == (1, 3500)


async def test_a_wrong_amount_is_sent_to_its_player_at_once_and_to_nobody_else(
    desk: PaymentDesk, elsewhere: GameServer
) -> None:
    joined = await desk.server.join("alice")
    async with elsewhere.visitor("alice") as alice, elsewhere.visitor("bob") as bob:
        await alice.enter(joined["lobby_id"])
        await bob.enter(joined["lobby_id"])
        await desk.deliver(desk.payment(joined["invoice"], amount="3000"))
        after = await second_state(alice)
        before = alice.of("lobby_state")[0]
        assert (after["seq"], after["you"]["paid"]) == (before["seq"], False)
        invoice = after["you"]["invoice"]
        assert invoice == before["you"]["invoice"] | {"owed": "3000"}
        assert (await alice.ask("sync"))["state"]["you"]["invoice"] == invoice
        assert (await bob.ask("sync"))["state"]["you"] == {"role": "spectator"}
        assert len(bob.of("lobby_state")) == 1


async def test_all_connections_of_a_player_are_notified(
    desk: PaymentDesk, elsewhere: GameServer
) -> None:
    joined = await desk.server.join("alice")
    await desk.deliver(desk.payment(joined["invoice"]))
    async with (
        desk.server.visitor("alice") as here,
        elsewhere.visitor("alice") as there,
        elsewhere.visitor("alice") as there_too,
    ):
        for alice in (here, there, there_too):
            await alice.enter(joined["lobby_id"])
        await desk.deliver(desk.payment(joined["invoice"]))
        for alice in (here, there, there_too):
            invoice = (await second_state(alice))["you"]["invoice"]
            assert (invoice["status"], invoice["owed"]) == ("paid", "3500")


async def test_a_late_payment_is_sent_to_the_one_who_lost_the_seat(
    desk: PaymentDesk, elsewhere: GameServer
) -> None:
    joined = await desk.server.join("alice")
    await desk.deliver(desk.failure(joined["invoice"]))
    await desk.server.seat("bob", "carol", "dave")
    async with elsewhere.visitor("alice") as alice:
        await alice.enter(joined["lobby_id"])
        await desk.deliver(desk.payment(joined["invoice"]))
        after = await second_state(alice)
        before = alice.of("lobby_state")[0]
        assert before["you"]["invoice"]["status"] == "failed"
        invoice = after["you"]["invoice"]
        assert (invoice["status"], invoice["owed"]) == ("refund_owed", "3500")


async def test_a_repeated_delivery_is_no_news(desk: PaymentDesk, elsewhere: GameServer) -> None:
    joined = await desk.server.join("alice")
    payload = desk.payment(joined["invoice"], amount="1")
    await desk.deliver(payload)
    async with elsewhere.visitor("alice") as alice:
        await alice.enter(joined["lobby_id"])
        await desk.deliver(payload)
        await desk.deliver(desk.payment(joined["invoice"]))
        await alice.receives("player_paid")
        assert len(alice.of("lobby_state")) == 1


async def test_after_a_failure_the_invoice_shows_it_and_a_new_one_is_had_by_either_way(
    desk: PaymentDesk, elsewhere: GameServer
) -> None:
    joined = await desk.server.join("alice")
    wanted = {"buy_in_amount": 3500, "lobby_id": joined["lobby_id"]}
    async with elsewhere.visitor("alice") as alice:
        await alice.enter(joined["lobby_id"])
        await desk.deliver(desk.failure(joined["invoice"]))
        left = await alice.receives("player_left", alien_id="alice")
        assert left["reason"] == "payment_failed"
        assert (await alice.ask("sync"))["state"]["you"]["invoice"]["status"] == "failed"

        answer = await elsewhere.post("/api/invoices", "alice", wanted)
        assert (answer.status, answer.body["status"]) == (200, "pending")
        assert answer.body["invoice_id"] != joined["invoice"]["invoice_id"]
        await desk.deliver(desk.failure(answer.body))
        again = await elsewhere.join("alice")
        assert again["lobby_id"] == joined["lobby_id"]
        assert again["invoice"]["invoice_id"] != answer.body["invoice_id"]
        await desk.deliver(desk.payment(again["invoice"]))
        await alice.receives("player_paid", alien_id="alice")
        assert (await alice.ask("sync"))["state"]["you"]["invoice"]["status"] == "paid"
