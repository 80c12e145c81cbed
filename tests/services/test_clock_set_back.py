"""The store's clock is set by an hour while games are played."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from server.rules.events import NumberCalled
from server.store.log import LogPosition
from tests.support.game import BRISK, CLASSIC, Node
from tests.support.store_content import command
from tests.support.wait import until

HOUR_SECONDS = 3_600
TIERS = {
    3500: replace(CLASSIC, max_players=2, arranging_ms=200, call_interval_ms=100),
    7000: replace(BRISK, formation_ms=500, seat_ms=500),
}
TIME = "redis.call('TIME')"
SHIFTED = """(function()
    local time = redis.call('TIME')
    return {tonumber(time[1]) + tonumber(redis.call('GET', 'clock') or 0), time[2]}
end)()"""


@asynccontextmanager
async def node_with_a_clock_that_can_be_set(url: str) -> AsyncIterator[Node]:
    """A node whose scripts take the store's time to be `clock` seconds later than it is."""
    node = Node(url, TIERS)
    for script in (node.timers._script, node.commits._script, node.store._load):
        assert TIME in script.source
        script.source = script.source.replace(TIME, SHIFTED)
    await node.start()
    node.scheduler.start()
    try:
        yield node
    finally:
        await node.scheduler.stop()
        await node.close()


async def begun(node: Node) -> str:
    """A game of which some numbers have been called."""
    lobby_id = (await node.seat("ann", "bob"))[0].lobby.lobby_id
    await until(lambda: has_called(node, lobby_id, 3))
    return lobby_id


async def has_called(node: Node, lobby_id: str, at_least: int) -> bool:
    lobby = (await node.store.load(lobby_id)).lobby
    return lobby is not None and len(lobby.called) >= at_least


async def is_finished(node: Node, lobby_id: str) -> bool:
    lobby = (await node.store.load(lobby_id)).lobby
    return lobby is not None and lobby.status == "finished"


async def assert_called_in_order(node: Node, lobby_id: str) -> None:
    lobby = (await node.store.load(lobby_id)).lobby
    assert lobby is not None
    records = await node.store.records_from(lobby_id, LogPosition(), 1_000)
    called = [r.event.number for r in records if isinstance(r.event, NumberCalled)]
    assert called == [*lobby.called] == [*lobby.order]


@pytest.mark.parametrize("seconds", [-HOUR_SECONDS, -30, HOUR_SECONDS])
async def test_calling_goes_on_when_the_clock_is_set(
    seconds: int, store_url: str, redis: Redis
) -> None:
    async with node_with_a_clock_that_can_be_set(store_url) as node:
        lobby_id = await begun(node)
        await redis.set("clock", seconds)
        await until(lambda: is_finished(node, lobby_id))
        await assert_called_in_order(node, lobby_id)


async def test_calling_goes_on_when_the_clock_was_set_back_while_no_server_ran(
    store_url: str, redis: Redis
) -> None:
    async with node_with_a_clock_that_can_be_set(store_url) as before:
        lobby_id = await begun(before)
    await redis.set("clock", -HOUR_SECONDS)
    async with node_with_a_clock_that_can_be_set(store_url) as after:
        await until(lambda: is_finished(after, lobby_id))
        await assert_called_in_order(after, lobby_id)


async def test_players_are_seated_and_forming_ends_after_the_clock_was_set_back(
    store_url: str, redis: Redis
) -> None:
    async with node_with_a_clock_that_can_be_set(store_url) as node:
        seats = [await node.sit(player, 7000) for player in ("ann", "bob", "carol")]
        lobby_id = seats[0].lobby.lobby_id
        for seated in seats[:2]:
            await node.pay(seated)
        await redis.set("clock", -HOUR_SECONDS)
        await until(lambda: is_finished(node, lobby_id))
        lobby = (await node.store.load(lobby_id)).lobby
        assert lobby is not None
        assert sorted(lobby.players) == ["ann", "bob"]
        assert lobby.outcome == "no_winner"
        await node.sit("dave", 7000)


async def test_the_clock_of_a_due_time_is_left_alone_while_it_is_right(
    store_url: str, redis: Redis
) -> None:
    async with node_with_a_clock_that_can_be_set(store_url) as node:
        lobby_id = await begun(node)
        await until(lambda: is_finished(node, lobby_id))
        corrected = node.metrics.samples()
    assert not any(name.startswith("fair_bingo_indexes_corrected_total") for name in corrected)
    assert await command(redis, "ZCARD", "timers:{3500}") == 0
