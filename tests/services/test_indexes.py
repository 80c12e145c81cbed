"""Indexes that contradict the lobbies they lead to are corrected by whoever meets them."""

from collections.abc import Mapping

import pytest
from redis.asyncio import Redis

from server.store import keys
from tests.support.game import TABLE, Node
from tests.support.store_content import command
from tests.support.wait import until

NOWHERE = "lobby_3500_000000000000"
FULLEST = 10**17


def corrected(node: Node) -> Mapping[str, float]:
    """How often each index was corrected."""
    name = "fair_bingo_indexes_corrected_total"
    return {key: n for key, n in node.metrics.samples().items() if key.startswith(name)}


async def test_players_are_seated_although_the_fullest_lobby_does_not_exist(
    node: Node, redis: Redis
) -> None:
    await redis.zadd(keys.openings(TABLE), {NOWHERE: FULLEST})
    await redis.zadd(keys.active_lobbies(TABLE), {NOWHERE: 1})
    seated = await node.sit("ann")
    assert seated.lobby.lobby_id != NOWHERE
    assert await redis.zscore(keys.openings(TABLE), NOWHERE) is None
    assert await redis.zscore(keys.active_lobbies(TABLE), NOWHERE) is None
    assert sum(corrected(node).values()) == 2


async def test_players_are_seated_although_a_lobby_that_is_over_seems_to_have_room(
    node: Node, redis: Redis
) -> None:
    over = await node.sit("ann")
    lobby_id = over.lobby.lobby_id
    await command(redis, "HSET", keys.lobby(lobby_id), "status", "finished", "hash", "another")
    await redis.zadd(keys.openings(TABLE), {lobby_id: FULLEST})
    seated = await node.sit("bob")
    assert seated.lobby.lobby_id != lobby_id
    assert await redis.zscore(keys.openings(TABLE), lobby_id) is None


async def test_a_seat_in_a_lobby_that_does_not_exist_keeps_nobody_from_another(
    node: Node, redis: Redis
) -> None:
    await redis.hset(keys.seats(TABLE, "ann"), NOWHERE, "1")
    seated = await node.sit("ann")
    assert await redis.hgetall(keys.seats(TABLE, "ann")) == {
        seated.lobby.lobby_id: str(seated.lobby.players["ann"].joined_at)
    }


async def test_what_can_be_no_lobby_of_the_table_is_removed_and_stops_nothing(
    node: Node, redis: Redis
) -> None:
    others = ["garbage", "", "lobby_7000_000000000000"]
    indexes = (keys.openings(TABLE), keys.active_lobbies(TABLE), keys.timers(TABLE))
    for index in indexes:
        await redis.zadd(index, dict.fromkeys(others, FULLEST - 1))
    await redis.hset(keys.seats(TABLE, "ann"), "garbage", "yesterday")
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    await redis.hset(keys.seats(TABLE, "ann"), lobby_id, "yesterday")
    assert (await node.sit("ann")).lobby.lobby_id == lobby_id
    assert (await node.sit("bob")).lobby.lobby_id == lobby_id
    assert await node.directory.forming(TABLE) == [lobby_id]
    assert await node.directory.running(TABLE) == [lobby_id]
    await redis.zadd(keys.timers(TABLE), dict.fromkeys(others, 1))
    assert (await node.timers.take_due(TABLE, 10))[0] == {}
    assert [await redis.zcard(index) for index in indexes] == [1, 1, 1]
    assert await redis.hlen(keys.seats(TABLE, "ann")) == 1
    assert sum(corrected(node).values()) == 4 * len(others) + 1


async def test_what_can_be_no_table_is_none(node: Node, redis: Redis) -> None:
    await command(redis, "SADD", keys.TABLES, "", "a {table}", "7000", "3500-2")
    assert await node.tables.read() == (TABLE, "7000", "3500-2")


async def test_a_lobby_that_forms_is_found_again(node: Node, redis: Redis) -> None:
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    indexes = (keys.openings(TABLE), keys.active_lobbies(TABLE), keys.timers(TABLE))
    before = [await redis.zscore(index, lobby_id) for index in indexes]
    for index in indexes:
        await redis.zrem(index, lobby_id)

    async def is_repaired() -> bool:
        await node.lobbies.repair_indexes(lobby_id)
        return [await redis.zscore(index, lobby_id) for index in indexes] == before

    await until(is_repaired)


@pytest.mark.parametrize("due_ms", [1, 10**12])
async def test_a_timer_that_comes_too_early_is_set_to_when_the_lobby_is_due(
    due_ms: int, node: Node, redis: Redis
) -> None:
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    due = await redis.zscore(keys.timers(TABLE), lobby_id)
    await redis.zadd(keys.timers(TABLE), {lobby_id: due_ms})

    async def is_right() -> bool:
        return bool(await redis.zscore(keys.timers(TABLE), lobby_id) == due)

    node.scheduler.start()
    await until(is_right)
    await node.scheduler.stop()


async def test_what_is_right_is_not_corrected(node: Node) -> None:
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    await node.lobbies.repair_indexes(lobby_id)
    await node.lobbies.repair_seat("ann", lobby_id)
    assert corrected(node) == {}
