"""Joining and invoices over HTTP."""

from typing import Any

import pytest

from tests.system.game_server import GameServer
from tests.system.shapes import HTTP_INVOICE, HTTP_JOINED
from tests.system.spec import assert_shape
from tests.transport.http.problems import assert_problem


async def test_join_answers_the_lobby_and_the_invoice(game: GameServer) -> None:
    request = {"buy_in_amount": 3500, "client_seed": "ü", "alien_id": "alice"}
    answer = await game.post("/api/game/join", "alice", request)
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert_shape(answer.body, HTTP_JOINED)
    assert (answer.body["player_count"], answer.body["pot"]) == (1, 0)
    assert answer.body["invoice"]["amount"] == "3500"
    assert answer.body["invoice"]["recipient"] == game.issuer.audience
    again = await game.post("/api/game/join", "alice", {"buy_in_amount": 3500})
    assert again.body == answer.body


async def test_join_refuses_a_tier_that_is_not_offered(game: GameServer) -> None:
    answer = await game.post("/api/game/join", "alice", {"buy_in_amount": 3501})
    assert_problem(answer, "unknown_tier")


@pytest.mark.parametrize("path", ["join", "{}/leave", "{}/claim", "{}/numbers/select"])
async def test_nobody_acts_for_somebody_else(game: GameServer, path: str) -> None:
    lobby_id = await game.seat("alice")
    body: dict[str, Any] = {"alien_id": "bob"}
    if path == "join":
        body["buy_in_amount"] = 3500
    elif path.endswith("select"):
        body["numbers"] = [1]
    answer = await game.post(f"/api/game/{path.format(lobby_id)}", "alice", body)
    assert_problem(answer, "identity_mismatch")


@pytest.mark.parametrize("name", ["", "not a name", "b\u00f6b", "bob\n"])
async def test_a_text_that_is_no_alien_id_is_somebody_else_too(game: GameServer, name: str) -> None:
    body = {"buy_in_amount": 3500, "alien_id": name}
    assert_problem(await game.post("/api/game/join", "alice", body), "identity_mismatch")


async def invoice(game: GameServer, name: str, lobby_id: str, buy_in_amount: int = 3500) -> Any:
    """The answer to a request for an invoice."""
    body = {"buy_in_amount": buy_in_amount, "lobby_id": lobby_id}
    return await game.post("/api/invoices", name, body)


async def test_an_invoice_of_a_seat_is_the_one_that_came_with_it(game: GameServer) -> None:
    joined = await game.join("alice")
    answer = await invoice(game, "alice", joined["lobby_id"])
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert_shape(answer.body, HTTP_INVOICE)
    assert answer.body == joined["invoice"]


async def test_an_invoice_in_a_lobby_with_room_takes_a_seat(game: GameServer) -> None:
    lobby_id = (await game.join("alice"))["lobby_id"]
    asked = await invoice(game, "bob", lobby_id)
    assert await game.pay(asked.body) == {"success": True, "processed": True}
    status = (await game.get(f"/api/game/{lobby_id}/status", "bob")).body
    assert status["you"]["paid"] is True
    assert status["you"]["invoice"] == asked.body | {"status": "paid"}


async def test_a_failed_invoice_is_followed_by_a_new_one(game: GameServer) -> None:
    joined = await game.join("alice")
    await game.pay(joined["invoice"], "failed")
    again = (await invoice(game, "alice", joined["lobby_id"])).body
    assert again["invoice_id"] != joined["invoice"]["invoice_id"]
    assert again["status"] == "pending"


async def test_a_full_lobby_and_one_that_no_longer_forms_give_no_invoice(game: GameServer) -> None:
    lobby_id = (await game.join("alice"))["lobby_id"]
    await game.join("bob")
    assert_problem(await invoice(game, "carol", lobby_id), "lobby_full")
    await game.seat("alice", "bob")
    assert_problem(await invoice(game, "carol", lobby_id), "lobby_closed")


async def test_an_invoice_needs_a_lobby_of_its_tier(game: GameServer) -> None:
    lobby_id = (await game.join("alice"))["lobby_id"]
    for unknown in ("", "x", lobby_id.upper(), "lobby_3500_0123456789ab", f"{lobby_id}\n"):
        assert_problem(await invoice(game, "bob", unknown), "unknown_lobby")
    assert_problem(await invoice(game, "bob", lobby_id, 7000), "unknown_lobby")
    assert_problem(await invoice(game, "bob", lobby_id, 1), "unknown_tier")
