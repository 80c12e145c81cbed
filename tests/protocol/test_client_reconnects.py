"""The client when connections break, are refused, or are closed."""

import asyncio
from itertools import count

import pytest

from protocol.client import (
    CommandRefused,
    ConnectionLost,
    Event,
    connect,
    enter_lobby,
)
from protocol.errors import ErrorCode
from protocol.to_client import LobbyState
from server.assembly.app import App
from server.dev.compose import DevWorld
from server.transport.close_notification import RETRY_AFTER_MS
from tests.protocol.playing import GRIDS, begin_game, cut, take_seat
from tests.support.wait import TIMEOUT_SECONDS, until


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
