"""The client against a real server, store, issuer and payment provider."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from protocol.client import (
    CommandRefused,
    ConnectionLost,
    Event,
    Room,
    connect,
    enter_lobby,
    verify,
)
from protocol.errors import ErrorCode
from protocol.to_client import ClaimFalse, ClaimWon, GameFinished, LobbyState, NumberCalled
from server.assembly.app import App
from server.dev.compose import DevWorld
from server.dev.ports import free_port
from server.transport.close_notification import RETRY_AFTER_MS
from server.transport.close_reason import CloseReason
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.system.game_server import has_line

GRIDS = {
    "ann": [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
    "bob": [[11, 12, 13], [14, 15, 16], [17, 18, 19]],
}


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> DevWorld:
    """A world of fast games for two, in which any message rate will do. The parameter, if there is
    one, is the seconds between two calls."""
    interval = getattr(request, "param", "0.02")
    settings = {"PORT": "0", "MAX_PLAYERS": "2", "CALL_INTERVAL_SECONDS": interval}
    return DevWorld(tmp_path, settings | {"MESSAGE_RATE": "0"})


@pytest.fixture
async def app(world: DevWorld) -> AsyncIterator[App]:
    """The server, running."""
    async with world.running() as app:
        yield app


async def take_seat(world: DevWorld, player: str) -> str:
    """The lobby in which `player` now has a paid seat."""
    async with connect(world.url, world.access.token(player)) as desk:
        joined = await desk.join(3500)
    await world.access.pay(joined.invoice)
    return joined.lobby.lobby_id


async def begin_game(world: DevWorld) -> str:
    """The lobby in which Ann and Bob play with their grids."""
    for player, grid in GRIDS.items():
        lobby_id = await take_seat(world, player)
        async with enter_lobby(world.url, world.access.token(player), lobby_id) as lobby:
            assert await lobby.arrange_grid(grid) == grid
    return lobby_id


async def win(lobby: Room, grid: list[list[int]]) -> ClaimWon | ClaimFalse:
    """Claim as soon as a line has been called, and receive the rest."""
    called: set[int] = set()
    answer = None
    async for event in lobby:
        if isinstance(event, NumberCalled):
            called.add(event.number)
            if answer is None and has_line(grid, called):
                answer = await lobby.claim()
    assert answer is not None
    return answer


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
                if player == "ann" and not answers and has_line(GRIDS[player], called):
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


# --- connections that break --------------------------------------------------------------------


def cut(app: App) -> int:
    """End every connection; how many there were."""
    sessions = list(app.sockets.gateway.eio.sockets.values())
    for session in sessions:
        session.close(CloseReason.DRAINING)
    return len(sessions)


def is_in(app: App) -> bool:
    """Whether somebody is in a namespace."""
    return any(session.members for session in app.sockets.gateway.eio.sockets.values())


async def test_each_event_comes_once_and_in_order_however_often_the_connection_breaks(
    world: DevWorld, app: App
) -> None:
    lobby_id = await begin_game(world)
    seqs: list[int] = []
    cuts = 0
    async with enter_lobby(world.url, world.access.token("eve"), lobby_id, last_seq=0) as eve:
        async for event in eve:
            seqs.append(event.seq)
            if event.seq % 10 == 0:
                cuts += cut(app)
        assert cuts > 1
        assert seqs == list(range(1, eve.view.seq + 1))
        assert eve.view.status == "finished"


async def test_ones_own_part_is_known_though_another_connection_has_changed_it(
    world: DevWorld, app: App
) -> None:
    lobby_id = await take_seat(world, "ann")
    token = world.access.token("ann")
    numbers = list(range(1, 10))
    async with (
        enter_lobby(world.url, token, lobby_id) as ann,
        enter_lobby(world.url, token, lobby_id) as other,
    ):
        events = aiter(ann)

        async def receive() -> Event:
            return await anext(events)

        assert isinstance(await receive(), LobbyState)
        await other.select_numbers(numbers)  # which is in no event
        cut(app)
        listening = asyncio.create_task(receive())
        await until(lambda: ann.you.numbers == numbers)
        async with enter_lobby(world.url, token, lobby_id) as other_again:
            await other_again.arrange_grid(GRIDS["ann"])
        ready = await listening
        assert ready.event == "player_ready"
        assert ann.you.grid == GRIDS["ann"]


async def test_a_client_reconnects_when_the_server_asked_it_to(world: DevWorld, app: App) -> None:
    lobby_id = await take_seat(world, "ann")
    now = asyncio.get_running_loop().time
    waited: list[float] = []
    async with enter_lobby(world.url, world.access.token("ann"), lobby_id):
        for _ in range(4):  # by chance it would come back late enough once or twice
            start = now()
            assert cut(app) == 1
            await until(lambda: app.sockets.gateway.eio.sockets == {})
            await until(lambda: len(app.sockets.gateway.eio.sockets) == 1)
            waited.append(now() - start)
            await until(lambda: is_in(app))
    assert min(waited) >= RETRY_AFTER_MS.start / 1000


async def test_without_a_last_event_the_whole_state_comes_first(world: DevWorld, app: App) -> None:
    lobby_id = await take_seat(world, "ann")
    async with enter_lobby(world.url, world.access.token("ann"), lobby_id) as ann:
        first = await anext(aiter(ann))
    assert isinstance(first, LobbyState)
    assert first.you.paid


async def test_a_command_on_a_connection_that_ends_is_carried_out_on_the_next(
    world: DevWorld, app: App
) -> None:
    lobby_id = await take_seat(world, "ann")
    async with enter_lobby(world.url, world.access.token("ann"), lobby_id) as ann:
        cut(app)
        assert await ann.arrange_grid(GRIDS["ann"]) == GRIDS["ann"]


async def test_a_command_after_the_end_is_refused_at_once(world: DevWorld, app: App) -> None:
    lobby_id = await take_seat(world, "ann")
    async with enter_lobby(world.url, world.access.token("ann"), lobby_id) as ann:
        await ann.close()
        with pytest.raises(ConnectionLost) as lost:
            await ann.sync()
    assert lost.value.code == "no_answer"


async def test_nobody_goes_into_a_lobby_from_a_desk_that_was_closed(
    world: DevWorld, app: App
) -> None:
    desk = await connect(world.url, world.access.token("ann"))
    joined = await desk.join(3500)
    await desk.close()
    with pytest.raises(ConnectionLost):
        await desk.enter(joined.lobby.lobby_id)


async def test_a_refused_reconnect_is_raised_where_the_client_iterates(
    world: DevWorld, app: App
) -> None:
    lobby_id = await take_seat(world, "ann")
    tokens = iter([world.access.token("ann")] * 2)
    async with enter_lobby(world.url, lambda: next(tokens, "none"), lobby_id) as ann:
        cut(app)
        with pytest.raises(CommandRefused, match=ErrorCode.UNAUTHORIZED):
            async for _ in ann:
                pass
        assert [event async for event in ann] == []


async def test_closing_ends_the_events(world: DevWorld, app: App) -> None:
    lobby_id = await take_seat(world, "ann")
    received: list[Event] = []
    async with enter_lobby(world.url, world.access.token("ann"), lobby_id) as ann:

        async def listen() -> None:
            received.extend([event async for event in ann])

        listening = asyncio.create_task(listen())
        await ann.sync()  # so that it has begun to listen
        await ann.close()
        await listening
    assert [event.event for event in received] == ["lobby_state"]


async def test_one_game_after_the_other_needs_no_closing(world: DevWorld, app: App) -> None:
    games = 9  # one more than a player may have connections
    bob = world.access.token("bob")
    async with connect(world.url, world.access.token("ann")) as desk:
        for _ in range(games):
            joined = await desk.join(3500)
            await world.access.pay(joined.invoice)
            room = await desk.enter(joined.lobby.lobby_id)
            assert await take_seat(world, "bob") == room.lobby_id
            async with enter_lobby(world.url, bob, room.lobby_id) as other:
                await other.leave()
            await room.leave()
            *_, last = [event async for event in room]
            assert last.event == "game_finished"


async def test_whoever_is_cancelled_while_they_connect_does_not_go_on(
    world: DevWorld, app: App
) -> None:
    async def come() -> None:
        async with connect(world.url, world.access.token("ann")):
            came.set()
            await asyncio.Event().wait()

    for passes in count():  # of the loop, until the cancellation: one of them is the worst
        came = asyncio.Event()
        coming = asyncio.create_task(come())
        for _ in range(passes):
            await asyncio.sleep(0)
        was_there = came.is_set()
        coming.cancel()
        await asyncio.wait([coming], timeout=TIMEOUT_SECONDS)
        assert coming.cancelled()
        if was_there:
            break
