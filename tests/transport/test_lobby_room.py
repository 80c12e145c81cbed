"""What a lobby does for those who knock at `/<lobby_id>`: commands, refusals, and who sees what."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until
from tests.system.game_server import GameServer, has_pattern, numbers, running_app, ticket

INVALID = {"numbers": [1]}
WRONG_TYPES: list[Any] = [
    {},
    {"numbers": "123456789"},
    {"numbers": [1.0, 2, 3, 4, 5, 6, 7, 8, 9]},
    {"numbers": [True, 2, 3, 4, 5, 6, 7, 8, 9]},
    {"numbers": ["1", 2, 3, 4, 5, 6, 7, 8, 9]},
    {"numbers": [1, 2, 3, 4, 5, 6, 7, 8, 9], "more": 1},
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
]


@pytest.fixture
async def game(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server where three fill a lobby, and no number is called unless the test asks for it."""
    async with running_app(store_url, issuer, provider, MAX_PLAYERS="3", MESSAGE_RATE="0") as game:
        yield game


async def test_a_lobby_that_does_not_exist_refuses_the_connect(game: GameServer) -> None:
    async with game.visitor("alice") as alice:
        error = await alice.refused("lobby_3500_0123456789ab")
    assert set(error) == {"code", "message", "retry"}
    assert (error["code"], error["retry"]) == ("unknown_lobby", False)


async def test_wrong_types_are_refused_before_anything_else(game: GameServer) -> None:
    lobby_id = await game.seat("alice")
    async with game.visitor("carol") as spectator:
        await spectator.enter(lobby_id)
        for payload in WRONG_TYPES:
            assert await spectator.refusal("select_numbers", payload) == "invalid_message", payload
        assert await spectator.refusal("claim", {"pattern": "row_0"}) == "invalid_message"
        assert await spectator.refusal("arrange_grid", {"grid": [1, 2, 3]}) == "invalid_message"
        assert await spectator.refusal("nothing") == "unknown_command"
        assert await spectator.refusal("join", {"buy_in_amount": 3500}) == "unknown_command"


async def test_an_unpaid_seat_is_refused_the_phase_first_and_the_values_last(
    game: GameServer,
) -> None:
    lobby_id = (await game.join("alice"))["lobby_id"]
    async with game.visitor("alice") as alice:
        await alice.enter(lobby_id)
        assert await alice.refusal("claim") == "wrong_status"
        assert await alice.refusal("select_numbers", INVALID) == "not_paid"
        assert await alice.refusal("arrange_grid", {"grid": [[1]]}) == "not_paid"


async def test_refusals_of_an_active_game_come_in_their_order(game: GameServer) -> None:
    lobby_id = await game.ready("alice", "bob", "carol")
    async with (
        game.visitor("alice") as active,
        game.visitor("bob") as removed,
        game.visitor("carol") as left,
        game.visitor("dave") as spectator,
    ):
        for visitor in (active, removed, left, spectator):
            await visitor.enter(lobby_id)
        assert (await removed.ask("claim"))["missing_numbers"] == [10, 11, 12]
        await left.ask("leave")
        for visitor, code in (
            (spectator, "not_seated"),
            (removed, "removed_from_game"),
            (left, "not_active"),
        ):
            assert await visitor.refusal("select_numbers", INVALID) == code
            assert await visitor.refusal("arrange_grid", {"grid": [[1]]}) == code
            assert await visitor.refusal("claim") == code
            assert await visitor.refusal("leave") == code
        assert await active.refusal("select_numbers", INVALID) == "wrong_status"
        assert await active.refusal("arrange_grid", {"grid": [[1]]}) == "wrong_status"


async def test_numbers_may_be_chosen_again_until_the_grid_is_arranged(game: GameServer) -> None:
    lobby_id = await game.seat("alice")
    async with game.visitor("alice") as alice:
        await alice.enter(lobby_id)
        for chosen in (numbers("bob"), numbers("alice")):
            assert await alice.ask("select_numbers", {"numbers": chosen}) == {
                "ok": True,
                "numbers": chosen,
            }
        assert await alice.refusal("select_numbers", {"numbers": [*range(1, 9), 51]}) == (
            "invalid_numbers"
        )
        assert await alice.refusal("arrange_grid", {"grid": ticket("bob")}) == "not_your_numbers"
        assert await alice.refusal("arrange_grid", {"grid": [[1, 2, 3]]}) == "invalid_grid"
        await alice.ask("arrange_grid", {"grid": ticket("alice")})
        assert await alice.refusal("select_numbers", {"numbers": numbers("alice")}) == (
            "already_arranged"
        )


async def test_a_grid_may_be_arranged_again_and_the_room_is_notified_once(
    game: GameServer,
) -> None:
    lobby_id = await game.seat("alice")
    again = ticket("alice")[::-1]
    async with game.visitor("alice") as alice:
        await alice.enter(lobby_id)
        await alice.ask("arrange_grid", {"grid": ticket("alice")})
        assert await alice.ask("arrange_grid", {"grid": again}) == {"ok": True, "grid": again}
        state = (await alice.ask("sync"))["state"]
        await game.join("bob")
        await alice.receives("player_joined", alien_id="bob")
        assert len(alice.of("player_ready")) == 1
    assert state["you"]["grid"] == again
    assert sorted(state["you"]["numbers"]) == numbers("alice")


async def test_a_spectator_sees_what_everyone_sees_and_a_player_their_own_part(
    game: GameServer,
) -> None:
    lobby_id = await game.ready("alice")
    async with game.visitor("alice") as alice, game.visitor("bob") as bob:
        await alice.enter(lobby_id)
        await bob.enter(lobby_id)
        own = await alice.receives("lobby_state")
        other = await bob.receives("lobby_state")
    assert own.pop("you") | {"invoice": None} == {
        "role": "player",
        "paid": True,
        "active": True,
        "numbers": numbers("alice"),
        "grid": ticket("alice"),
        "invoice": None,
    }
    assert other.pop("you") == {"role": "spectator"}
    assert own == other
    assert own["players"] == [{"alien_id": "alice", "paid": True, "ready": True, "active": True}]


async def test_the_server_arranges_for_the_rest_and_notifies_each_of_them(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with (
        running_app(store_url, issuer, provider, MAX_PLAYERS="3", ARRANGING_SECONDS="0.5") as game,
        game.visitor("alice") as arranged,
        game.visitor("bob") as chose,
        game.visitor("carol") as idle,
    ):
        lobby_id = await game.ready("alice")
        for visitor in (arranged, chose, idle):
            await visitor.enter(lobby_id)
        await game.seat("bob")
        await chose.ask("select_numbers", {"numbers": numbers("bob")})
        await game.seat("carol")
        for visitor in (chose, idle):
            await visitor.receives("lobby_state", status="active")
        await arranged.receives("status_changed", status="active")
        assert await arranged.refusal("arrange_grid", {"grid": ticket("alice")}) == "wrong_status"
        assert len(arranged.of("lobby_state")) == 1
        own = chose.of("lobby_state")[1]
        assert own["status"] == "active"
        assert own["seq"] == chose.seqs[-1]
        assert sorted(number for row in own["you"]["grid"] for number in row) == numbers("bob")
        picked = idle.of("lobby_state")[1]["you"]
        assert sorted(picked["numbers"]) == sorted(n for row in picked["grid"] for n in row)


async def test_the_grand_variant_is_played_beside_the_classic_one(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with (
        running_app(store_url, issuer, provider, GRAND_TIERS="50000") as game,
        game.visitor("alice") as alice,
    ):
        await game.seat("alice")
        lobby_id = await game.seat("alice", buy_in_amount=50_000)
        await alice.enter(lobby_id)
        grid = ticket("alice", side=5)
        assert await alice.refusal("select_numbers", {"numbers": numbers("alice")}) == (
            "invalid_numbers"
        )
        await alice.ask("select_numbers", {"numbers": [n for row in grid for n in row]})
        assert await alice.ask("arrange_grid", {"grid": grid}) == {"ok": True, "grid": grid}
        assert (await alice.ask("sync"))["state"]["buy_in_amount"] == 50_000


async def test_a_false_claim_removes_the_player_who_watches_on_to_the_end(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with (
        running_app(store_url, issuer, provider, CALL_INTERVAL_SECONDS="0.3") as game,
        game.visitor("alice") as alice,
        game.visitor("bob") as bob,
    ):
        lobby_id = await game.seat("alice", "bob")
        await alice.enter(lobby_id)
        await bob.enter(lobby_id)
        await game.arrange(lobby_id, "alice", "bob")
        await bob.receives("status_changed", status="active")
        missing = (await bob.ask("claim"))["missing_numbers"]
        assert set(missing) <= set(numbers("bob"))
        kicked = await alice.receives("player_kicked", alien_id="bob")
        assert kicked["active_players"] == 1
        await until(lambda: has_pattern(ticket("alice"), alice.called))
        won = await alice.ask("claim")
        end = await bob.receives("game_finished", outcome="won", winner="alice")
        assert (end["pattern"], end["pot"]) == (won["pattern"], 7000)
        assert bob.called == alice.called == set(end["numbers_called"])
        assert await bob.refusal("claim") == "removed_from_game"
        assert await alice.ask("claim") == won
        assert (await alice.ask("sync"))["state"]["winner"] == "alice"
