"""Leaving a lobby, in each of its phases."""

from collections.abc import AsyncIterator

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.system.game_server import GameServer, running_app, ticket


@pytest.fixture
async def game(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server where three fill a lobby, and no number is called unless the test asks for it."""
    async with running_app(store_url, issuer, provider, MAX_PLAYERS="3", MESSAGE_RATE="0") as game:
        yield game


async def test_whoever_leaves_while_forming_is_gone_and_may_come_back(game: GameServer) -> None:
    lobby_id = await game.seat("alice", "bob")
    async with game.visitor("alice") as alice, game.visitor("bob") as bob:
        await alice.enter(lobby_id)
        await bob.enter(lobby_id)
        assert await bob.ask("leave") == {"ok": True}
        left = await alice.receives("player_left", alien_id="bob", reason="left")
        assert (left["player_count"], left["pot"]) == (1, 3500)
        assert await bob.refusal("leave") == "not_seated"
        you = (await bob.ask("sync"))["state"]["you"]
        assert (you["role"], you["invoice"]["owed"]) == ("spectator", "3500")
        assert (await game.join("bob"))["lobby_id"] == lobby_id
        assert (await alice.receives("player_joined", alien_id="bob"))["player_count"] == 2


async def test_whoever_leaves_while_arranging_stays_in_the_pot_and_holds_nobody_up(
    game: GameServer,
) -> None:
    lobby_id = await game.seat("alice", "bob", "carol")
    await game.arrange(lobby_id, "alice", "bob")
    async with game.visitor("alice") as alice, game.visitor("carol") as carol:
        await alice.enter(lobby_id)
        await carol.enter(lobby_id)
        assert await carol.ask("leave") == {"ok": True}
        left = await alice.receives("player_left", alien_id="carol")
        assert (left["player_count"], left["pot"]) == (3, 10_500)
        await alice.receives("status_changed", status="active", deadline=None)
        state = (await alice.ask("sync"))["state"]
    assert (state["player_count"], state["active_players"]) == (3, 2)
    assert state["players"][2] == {
        "alien_id": "carol",
        "paid": True,
        "ready": True,
        "active": False,
    }


async def test_the_house_keeps_the_pot_of_a_game_that_everyone_left(game: GameServer) -> None:
    lobby_id = await game.ready("alice", "bob", "carol")
    async with game.visitor("alice") as alice:
        await alice.enter(lobby_id)
        for name in ("bob", "carol"):
            assert (await game.post(f"/api/game/{lobby_id}/leave", name)).status == 200
        await alice.ask("leave")
        end = await alice.receives("game_finished")
        assert await alice.refusal("leave") == "not_active"
    assert (end["outcome"], end["winner"], end["pattern"]) == ("no_winner", None, None)
    assert (end["pot"], end["numbers_called"]) == (10_500, [])
    assert end["proof"]["players"] == [[n, "", ticket(n)] for n in ("alice", "bob", "carol")]
