import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from server.dev.store import EmbeddedStore
from server.rules.events import GameStarted, NumberCalled
from server.rules.evolve import fold
from server.rules.lobby import due_at
from server.rules.variants import Variant
from server.store import keys
from server.store.errors import StoreUnavailable
from server.store.log import LogPosition, Snapshot
from server.store.timers import AHEAD_MS, LEASE_MS
from tests.support.game import BRISK, BUY_IN, TABLE, Node, StartNode, calling
from tests.support.proxy import Proxy
from tests.support.wait import until

# Two players, who fill it: nothing but the calls takes time.
DUEL = replace(BRISK, max_players=2)
TIERS: Mapping[int, Variant] = {BUY_IN: BRISK, 7000: DUEL}


async def duel(node: Node, number: int) -> str:
    """A lobby in which two players have just paid."""
    seats = [await node.sit(f"player-{number}-{seat}", 7000) for seat in range(2)]
    for seated in seats:
        await node.pay(seated)
    return seats[0].lobby.lobby_id


async def is_over(node: Node, lobby_id: str) -> bool:
    try:
        lobby = (await node.store.load(lobby_id)).lobby
    except StoreUnavailable:
        return False
    return lobby is not None and lobby.status == "finished"


async def reaches_its_end(node: Node, lobby_id: str) -> None:
    await until(lambda: is_over(node, lobby_id))


async def assert_played_to_the_end(node: Node, lobby_id: str) -> None:
    """All numbers were called, each once, in the order of the draw; nothing else is in the log."""
    lobby = (await node.store.load(lobby_id)).lobby
    assert lobby is not None
    log = await node.store.records_from(lobby_id, LogPosition(), 1_000)
    called = [record.event.number for record in log if isinstance(record.event, NumberCalled)]
    assert sorted(called) == [*range(1, 51)]
    assert tuple(called) == lobby.order
    assert [record.position.version for record in log] == [*range(1, len(log) + 1)]
    assert fold(record.event for record in log) == lobby


@pytest.mark.parametrize("count", [1, 3])
async def test_a_game_goes_from_joining_to_its_end_by_itself(
    count: int, start_node: StartNode, store_url: str, redis: Redis
) -> None:
    nodes = [await start_node(store_url, tiers=TIERS) for _ in range(count)]
    async with calling(*nodes):
        seats = await nodes[0].seat("ann", "bob")
        lobby_id = seats[0].lobby.lobby_id
        await reaches_its_end(nodes[0], lobby_id)
    await assert_played_to_the_end(nodes[0], lobby_id)
    assert await redis.zcard(keys.timers(TABLE)) == 0


async def test_many_games_on_three_nodes_are_all_played_to_their_ends(
    start_node: StartNode, store_url: str
) -> None:
    nodes = [await start_node(store_url, tiers=TIERS) for _ in range(3)]
    lobbies = [await duel(nodes[0], number) for number in range(15)]
    async with calling(*nodes):
        for lobby_id in lobbies:
            await reaches_its_end(nodes[0], lobby_id)
    for lobby_id in lobbies:
        await assert_played_to_the_end(nodes[0], lobby_id)


async def test_what_a_dead_node_has_taken_is_done_by_another(
    start_node: StartNode, store_url: str
) -> None:
    dead, alive = [await start_node(store_url, tiers=TIERS) for _ in range(2)]
    lobby_id = await duel(alive, 1)

    async def taken() -> bool:
        due, _ = await dead.timers.take_due("7000", 1)
        return list(due) == [lobby_id]

    await until(taken)
    async with calling(alive):
        await reaches_its_end(alive, lobby_id)
    await assert_played_to_the_end(alive, lobby_id)


async def test_what_is_due_soon_is_taken_by_one_until_a_lease_after_that(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url)
    soon, later = "lobby_3500_000000000001", "lobby_3500_000000000002"
    seconds, microseconds = await redis.time()
    soon_ms = seconds * 1000 + microseconds // 1000 + AHEAD_MS // 2
    await redis.zadd(keys.timers(TABLE), {soon: soon_ms, later: soon_ms + 1_000_000})
    taken, following_ms = await node.timers.take_due(TABLE, 10)
    assert taken == {soon: soon_ms}
    assert following_ms is not None
    assert soon_ms + LEASE_MS <= following_ms < soon_ms + 1_000_000


async def test_nothing_is_done_before_it_is_due(start_node: StartNode, store_url: str) -> None:
    node = await start_node(store_url, tiers=TIERS)
    lobby_id = await duel(node, 1)
    async with calling(node):
        await reaches_its_end(node, lobby_id)
    due_ms = 0.0
    for record in await node.store.records_from(lobby_id, LogPosition(), 1_000):
        if isinstance(record.event, NumberCalled):
            assert record.position.at_ms >= due_ms
        if isinstance(record.event, NumberCalled | GameStarted):
            due_ms = record.event.next_call_at


async def test_a_broken_lobby_does_not_stop_the_others(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    first = await start_node(store_url, tiers=TIERS)  # knows both, whatever is stored
    broken, sound = [await duel(first, number) for number in range(2)]
    await redis.hset(keys.lobby(broken), "variant", "{")
    node = await start_node(store_url, tiers=TIERS)
    async with calling(node):
        await reaches_its_end(node, sound)
    await assert_played_to_the_end(node, sound)
    assert await redis.zscore(keys.timers("7000"), broken) is not None


async def test_a_broken_table_does_not_stop_the_others_and_goes_on_when_it_is_repaired(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, tiers=TIERS)
    await redis.set(keys.timers("7000"), "no sorted set")
    async with calling(node):
        seats = await node.seat("ann", "bob")
        await reaches_its_end(node, seats[0].lobby.lobby_id)
        await redis.delete(keys.timers("7000"))
        lobby_id = await duel(node, 1)
        await reaches_its_end(node, lobby_id)


async def test_the_timer_of_no_lobby_is_dropped(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url)
    await redis.zadd(keys.timers(TABLE), {"lobby_3500_000000000000": 1})

    async def is_gone() -> bool:
        return bool(await redis.zcard(keys.timers(TABLE)) == 0)

    async with calling(node):
        await until(is_gone)


def has_come(node: Node, snapshot: Snapshot) -> bool:
    """Whether something is due in the lobby by now."""
    due = None if snapshot.lobby is None else due_at(snapshot.lobby)
    return due is not None and node.clock.now_ms() > due


async def test_stopping_finishes_what_was_taken(start_node: StartNode, store_url: str) -> None:
    node = await start_node(store_url, tiers=TIERS)
    lobby_id = await duel(node, 1)
    async with Proxy(store_url) as proxy:
        slow = await start_node(proxy.url, tiers=TIERS, listen_url=store_url)
        before = await node.store.load(lobby_id)
        await until(lambda: has_come(node, before))
        proxy.hold()
        slow.scheduler.start()
        await asyncio.sleep(0.1)
        stopping = asyncio.create_task(slow.scheduler.stop())
        await asyncio.sleep(0.1)
        proxy.release()
        await stopping
    after = await node.store.load(lobby_id)
    assert after.position.version > before.position.version


async def test_calling_goes_on_after_an_outage_of_the_store(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url, tiers={7000: replace(DUEL, call_interval_ms=20)})
    lobby_id = await duel(node, 1)
    async with calling(node):

        async def has_begun() -> bool:
            lobby = (await node.store.load(lobby_id)).lobby
            return lobby is not None and len(lobby.called) > 3

        await until(has_begun)
        own_store.kill()
        own_store.start()
        await reaches_its_end(node, lobby_id)
    await assert_played_to_the_end(node, lobby_id)


async def test_calling_begins_when_a_store_that_was_never_there_comes(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    player = await start_node(own_store.url, tiers=TIERS)
    lobby_id = await duel(player, 1)
    own_store.kill()
    late = Node(own_store.url, TIERS)
    late.scheduler.start()
    await asyncio.sleep(0.1)
    own_store.start()
    await reaches_its_end(player, lobby_id)
    await late.scheduler.stop()
    await late.close()
    await assert_played_to_the_end(player, lobby_id)
