"""Bots on a real server: they play by the public protocol alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from protocol.client import connect, enter_lobby
from protocol.views import LobbyView
from server.assembly.app import App
from server.dev.bots import Bot, keep_bots_waiting
from server.dev.compose import DevWorld
from server.rules.tickets import check_grid
from tests.support.wait import TIMEOUT_SECONDS, until

FAST = {
    "PORT": "0",
    "BUY_IN_TIERS": "3500",
    "GRAND_TIERS": "5000",
    "MAX_PLAYERS": "2",
    "FORMATION_SECONDS": "2",
    "CALL_INTERVAL_SECONDS": "0.02",
}
AT_ONCE = (0.0, 0.0)


@asynccontextmanager
async def running(world: DevWorld) -> AsyncIterator[App]:
    async with world.running() as app, asyncio.timeout(TIMEOUT_SECONDS):
        yield app


@pytest.fixture
def world(tmp_path: Path) -> DevWorld:
    return DevWorld(tmp_path, FAST)


async def forming(world: DevWorld) -> dict[int, LobbyView]:
    """The lobbies that form, by their tiers."""
    async with connect(world.url, world.access.token("eve")) as desk:
        return {lobby.buy_in_amount: lobby for lobby in await desk.list()}


@pytest.mark.parametrize("tier", [3500, 5000])
async def test_bots_play_a_game_of_either_variant_to_its_end(world: DevWorld, tier: int) -> None:
    variant = world.tiers[tier]
    async with running(world), asyncio.TaskGroup() as games:
        bots = [Bot(world.access, name, AT_ONCE) for name in ("ann", "bob")]
        for bot in bots:
            await bot.take_seat(tier)
        ends = [games.create_task(bot.play()) for bot in bots]
    winner = ends[0].result().winner
    (won,) = [bot for bot in bots if bot.alien_id == winner]
    assert [end.result().outcome for end in ends] == ["won", "won"]
    assert check_grid(won.grid, None, variant) is None
    assert won.marked <= {number for row in won.grid for number in row}


async def test_a_bot_that_comes_late_plays_with_the_grid_that_the_server_arranged(
    tmp_path: Path,
) -> None:
    world = DevWorld(tmp_path, FAST | {"ARRANGING_SECONDS": "0.01", "CALL_INTERVAL_SECONDS": "60"})
    async with running(world):
        ann, bob = [Bot(world.access, name, AT_ONCE) for name in ("ann", "bob")]
        await ann.take_seat(3500)
        await bob.take_seat(3500)
        async with enter_lobby(world.url, world.access.token("ann"), ann.lobby_id) as lobby:
            await anext(event async for event in lobby if lobby.view.status == "active")
            arranged = (await lobby.sync()).you.grid
        playing = asyncio.create_task(ann.play())
        await until(lambda: [list(row) for row in ann.grid] == arranged)
        await end(playing)


async def test_a_bot_waits_in_each_tier_and_in_the_next_lobby_when_a_game_begins(
    world: DevWorld,
) -> None:
    async with running(world):
        keeping = asyncio.create_task(keep_bots_waiting(world.access, world.tiers))
        await until(lambda: has_company(world))
        first = await forming(world)
        await Bot(world.access, "ann").take_seat(3500)
        await until(lambda: has_company(world))
        following = await forming(world)
        assert following[3500].lobby_id != first[3500].lobby_id
        assert following[5000].lobby_id == first[5000].lobby_id
        await end(keeping)


async def has_company(world: DevWorld) -> bool:
    """Whether one bot is ready in a lobby of each tier, and waits for others."""
    seats = [lobby.players for lobby in (await forming(world)).values()]
    return len(seats) == 2 and all(len(seat) == 1 and seat[0].ready for seat in seats)


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancel a task, which must not have failed before."""
    assert task.cancel()
    await asyncio.wait([task])
