"""The client against a real server, store, issuer and payment provider."""

import asyncio

import pytest

from protocol.client import (
    CommandRefused,
    ConnectionLost,
    Event,
    connect,
    enter_lobby,
    verify,
)
from protocol.errors import ErrorCode
from protocol.to_client import ClaimFalse, ClaimWon, GameFinished
from server.assembly.app import App
from server.dev.compose import DevWorld
from server.dev.ports import free_port
from tests.protocol.playing import GRIDS, begin_game, cut, take_seat, win
from tests.support.wait import until
from tests.system.game_server import has_pattern


async def test_a_player_gets_a_seat_an_invoice_and_a_place_in_the_list(
    world: DevWorld, app: App
) -> None:
    async with connect(world.url, world.access.token("ann")) as desk:
        joined = await desk.join(3500, client_seed="lucky")
        (listed,) = await desk.list(3500)
        assert await desk.list(7000) == []
    assert (joined.invoice.amount, joined.invoice.status) == ("3500", "pending")
    assert [player.alien_id for player in joined.lobby.players] == ["ann"]
    assert listed == joined.lobby


async def test_the_front_desk_knows_what_forms_now(world: DevWorld, app: App) -> None:
    lobby_id = await take_seat(world, "ann")
    async with connect(world.url, world.access.token("eve")) as desk:
        (first,) = desk.lobbies
        assert (first.lobby_id, first.player_count) == (lobby_id, 1)
        cut(app)
        await take_seat(world, "bob")
        await until(lambda: desk.lobbies == [])


async def test_a_game_is_played_with_nothing_but_what_the_package_promises(
    world: DevWorld, app: App
) -> None:
    answers: list[ClaimWon | ClaimFalse] = []

    async def play(player: str) -> list[Event]:
        desk = await connect(url=world.url, token=lambda: world.access.token(player))
        joined = await desk.join(3500, client_seed=f"the luck of {player}")
        await world.access.pay(joined.invoice)
        room = await desk.enter(joined.lobby.lobby_id)
        await room.select_numbers([n for row in GRIDS[player] for n in row])
        await room.arrange_grid(GRIDS[player])
        called: set[int] = set()
        received: list[Event] = []
        async for event in room:
            received.append(event)
            if event.event == "number_called":
                called.add(event.number)
                if player == "ann" and not answers and has_pattern(GRIDS[player], called):
                    answers.append(await room.claim())
        await desk.close()
        return received

    received = await asyncio.gather(play("ann"), play("bob"))
    assert [answer.valid for answer in answers] == [True]
    for events in received:
        assert [e.seq for e in events] == list(range(events[0].seq, events[-1].seq + 1))
        end = events[-1]
        assert isinstance(end, GameFinished)
        assert end.proof is not None
        proof = end.proof.model_dump(mode="json")
        assert verify(end.proof)
        assert verify(proof)
        assert not verify(proof | {"entropy": "00" * 32})


@pytest.mark.parametrize("value", [None, b"{}", object(), {"players": {1, 2}}, {1: 2}, [[]], ()])
def test_what_is_no_proof_does_not_hold(value: object) -> None:
    assert verify(value) is False


async def test_a_game_is_played_and_its_view_is_what_the_server_shows(
    world: DevWorld, app: App
) -> None:
    lobby_id = await begin_game(world)
    token = world.access.token("ann")
    async with enter_lobby(world.url, token, lobby_id, last_seq=0) as ann:
        won = await win(ann, GRIDS["ann"])
        shown = await ann.sync()
        assert ann.view.model_dump() == shown.model_dump(exclude={"event", "patterns", "you", "at"})
        assert (ann.view.rules.variant, len(ann.patterns)) == ("classic", 8)
    assert isinstance(won, ClaimWon)
    assert (ann.view.outcome, ann.view.winner, won.pot) == ("won", "ann", 7000)


@pytest.mark.parametrize("world", ["600"], indirect=True, ids=["before any call"])
async def test_a_false_claim_is_answered_with_what_was_missing(world: DevWorld, app: App) -> None:
    lobby_id = await begin_game(world)
    async with enter_lobby(world.url, world.access.token("ann"), lobby_id) as ann:
        answer = await ann.claim()
    assert isinstance(answer, ClaimFalse)
    assert set(answer.missing_numbers) <= set(range(1, 10))


async def test_a_refused_command_is_raised_with_its_code(world: DevWorld, app: App) -> None:
    lobby_id = await take_seat(world, "ann")
    async with enter_lobby(world.url, world.access.token("ann"), lobby_id) as ann:
        with pytest.raises(CommandRefused) as refused:
            await ann.select_numbers([1, 2, 3])
    assert refused.value.code is ErrorCode.INVALID_NUMBERS
    assert not refused.value.retry
    assert refused.value.details == {"count": 9, "highest": 50}


async def test_a_refused_connection_is_raised_with_its_code(world: DevWorld, app: App) -> None:
    token = world.access.token("ann")
    with pytest.raises(CommandRefused, match=ErrorCode.UNKNOWN_LOBBY):
        async with enter_lobby(world.url, token, "lobby_3500_000000000000"):
            pass
    with pytest.raises(CommandRefused, match=ErrorCode.UNAUTHORIZED):
        async with connect(world.url, "no token"):
            pass


async def test_a_server_that_is_not_there_raises_connection_lost() -> None:
    with pytest.raises(ConnectionLost):
        async with connect(f"http://127.0.0.1:{free_port()}", "token"):
            pass


async def test_who_leaves_has_no_seat_any_more(world: DevWorld, app: App) -> None:
    lobby_id = await take_seat(world, "ann")
    async with enter_lobby(world.url, world.access.token("ann"), lobby_id) as ann:
        assert ann.you.role == "player"
        await ann.leave()
        assert (await ann.sync()).you.role == "spectator"
