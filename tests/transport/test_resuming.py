"""Coming back to a lobby with `last_seq`, and asking it with `sync`."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until
from tests.system.game_server import GameServer, numbers, running_app, ticket

NOWHERE: list[Any] = [-1, 8, 10**30, 1.5, "1", True, None]
"""What no `last_seq` can be: negative, in the future, no integer."""


@pytest.fixture
async def game(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server where three fill a lobby."""
    async with running_app(store_url, issuer, provider, MAX_PLAYERS="3", MESSAGE_RATE="0") as game:
        yield game


async def changed_lobby(game: GameServer) -> str:
    """A lobby whose room has received seven events."""
    lobby_id = await game.ready("alice", "bob")
    assert (await game.join("carol"))["player_count"] == 3
    return lobby_id


@pytest.mark.parametrize("last_seq", [0, 1, 4, 6])
async def test_who_resumes_receives_exactly_what_was_missed_and_no_state(
    game: GameServer, last_seq: int
) -> None:
    lobby_id = await changed_lobby(game)
    async with game.visitor("dave") as first, game.visitor("dave") as back:
        await first.enter(lobby_id, last_seq=0)
        await back.enter(lobby_id, last_seq=last_seq)
        await game.post(f"/api/game/{lobby_id}/leave", "carol")
        await first.receives("player_left")
        await back.receives("player_left")
        assert first.seqs == [1, 2, 3, 4, 5, 6, 7, 8]
        assert back.received == first.received[last_seq:]


async def test_who_missed_nothing_receives_only_what_comes(game: GameServer) -> None:
    lobby_id = await changed_lobby(game)
    async with game.visitor("dave") as dave:
        await dave.enter(lobby_id, last_seq=7)
        await game.post(f"/api/game/{lobby_id}/leave", "carol")
        await dave.receives("player_left")
        assert dave.seqs == [8]
        assert dave.of("lobby_state") == []


@pytest.mark.parametrize("last_seq", NOWHERE)
async def test_a_last_seq_that_leads_nowhere_brings_the_whole_state(
    game: GameServer, last_seq: Any
) -> None:
    lobby_id = await changed_lobby(game)
    async with game.visitor("dave") as dave:
        await dave.enter(lobby_id, last_seq=last_seq)
        state = await dave.receives("lobby_state")
        answer = await dave.ask("sync", {"last_seq": last_seq})
    assert state["seq"] == 7
    assert answer == {"ok": True, "state": state}


async def test_sync_answers_the_missed_events_by_name_and_emits_nothing(game: GameServer) -> None:
    lobby_id = await changed_lobby(game)
    async with game.visitor("dave") as dave:
        await dave.enter(lobby_id, last_seq=0)
        await until(lambda: len(dave.received) == 7)
        received = [{"event": name, **data} for name, data in dave.received]
        for last_seq in (0, 3, 7):
            answer = await dave.ask("sync", {"last_seq": last_seq})
            you = {"role": "spectator"}
            assert answer == {"ok": True, "events": received[last_seq:], "you": you}
        assert len(dave.received) == 7


async def test_sync_answers_ones_own_part_with_the_missed_events(game: GameServer) -> None:
    lobby_id = await game.seat("alice")
    async with game.visitor("alice") as alice, game.visitor("alice") as other_tab:
        await alice.enter(lobby_id, last_seq=0)
        await other_tab.enter(lobby_id, last_seq=0)
        await alice.receives("player_paid")
        before = await alice.ask("sync", {"last_seq": 2})
        await other_tab.ask("arrange_grid", {"grid": ticket("alice")})
        ready = await alice.receives("player_ready")
        after = await alice.ask("sync", {"last_seq": 2})
        state = (await alice.ask("sync", {}))["state"]
    assert (before["events"], before["you"]["paid"], before["you"]["grid"]) == ([], True, None)
    assert after["events"] == [{"event": "player_ready", **ready}]
    assert (after["you"]["grid"], after["you"]["numbers"]) == (ticket("alice"), numbers("alice"))
    assert after["you"] == state["you"]


async def test_the_state_after_the_end_can_be_resumed_from_as_well(game: GameServer) -> None:
    lobby_id = await game.ready("alice", "bob", "carol")
    for name in ("alice", "bob", "carol"):
        await game.post(f"/api/game/{lobby_id}/leave", name)
    async with game.visitor("dave") as dave, game.visitor("dave") as back:
        await dave.enter(lobby_id)
        state = await dave.receives("lobby_state", status="finished", outcome="no_winner")
        await back.enter(lobby_id, last_seq=0)
        end = await back.receives("game_finished")
        assert back.seqs == list(range(1, state["seq"] + 1))
        assert (end["seq"], end["at"]) == (state["seq"], state["at"])
