import asyncio
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from server.rules.events import Event, FormingExtended
from server.rules.lobby import Lobby
from server.services.lobbies import Changed
from server.store import keys
from tests.services.listener import Listener
from tests.support.game import Node, StartNode
from tests.support.proxy import Proxy
from tests.support.store_content import backup, command, restore
from tests.support.wait import until

Pair = tuple[Node, Node]


@pytest.fixture
async def nodes(start_node: StartNode, store_url: str) -> Pair:
    """Two nodes on one store."""
    return await start_node(store_url), await start_node(store_url)


@pytest.fixture
async def mute(start_node: StartNode, store_url: str) -> Node:
    """A node whose commits no other receives: it publishes on other channels."""
    return await start_node(store_url, sharded=False)


async def listen(node: Node, lobby_id: str) -> Listener:
    """A listener to a lobby that the node has a replica of from now on."""
    listener = Listener()
    node.replicas.listener = listener
    assert await node.replicas.acquire(lobby_id)
    return listener


async def extend(node: Node, lobby_id: str, times: int = 1) -> None:
    """Change the lobby so many times, in as many commits."""

    def one_later(lobby: Lobby, _now_ms: float) -> Sequence[Event]:
        return [FormingExtended(deadline=(lobby.deadline or 0) + 1)]

    for _ in range(times):
        assert isinstance(await node.lobbies.change(lobby_id, one_later), Changed)


async def is_told(listener: Listener, versions: range) -> None:
    """The listener is notified of the records of these versions, each once and in order."""
    await until(lambda: listener.versions == [*versions])
    assert listener.resets == []


async def knows_what_the_store_has(node: Node, lobby_id: str) -> bool:
    return node.replicas.snapshot(lobby_id) == await node.store.load(lobby_id)


async def opened(node: Node) -> str:
    """A new lobby."""
    return (await node.sit("ann")).lobby.lobby_id


async def test_every_commit_is_notified_once_and_in_order_on_the_node_that_makes_it_and_on_another(
    nodes: Pair,
) -> None:
    lobby_id = await opened(nodes[0])
    listeners = [await listen(node, lobby_id) for node in nodes]
    await asyncio.gather(*(extend(node, lobby_id, 50) for node in nodes))
    for listener in listeners:
        await is_told(listener, range(3, 103))
    for node in nodes:
        assert await knows_what_the_store_has(node, lobby_id)


async def test_a_commit_is_notified_when_it_is_made_before_it_is_published(node: Node) -> None:
    lobby_id = await opened(node)
    listener = await listen(node, lobby_id)
    await node.subscription.close()
    await extend(node, lobby_id, 3)
    assert listener.versions == [3, 4, 5]


async def test_a_commit_that_was_published_first_is_not_notified_again(nodes: Pair) -> None:
    lobby_id = await opened(nodes[0])
    listener = await listen(nodes[1], lobby_id)
    changed = await nodes[0].lobbies.change(
        lobby_id, lambda _lobby, _now_ms: [FormingExtended(deadline=1)]
    )
    assert isinstance(changed, Changed)
    await until(lambda: listener.versions == [3])
    nodes[1].replicas.committed(lobby_id, changed.snapshot, changed.records)
    assert listener.versions == [3]


async def test_a_gap_is_filled_before_anything_later_is_notified(nodes: Pair, mute: Node) -> None:
    lobby_id = await opened(nodes[0])
    listener = await listen(nodes[1], lobby_id)
    for _ in range(5):
        await extend(mute, lobby_id, 4)
        await extend(nodes[0], lobby_id)
    await is_told(listener, range(3, 28))


async def test_gaps_are_filled_while_commits_go_on(nodes: Pair, mute: Node) -> None:
    lobby_id = await opened(nodes[0])
    listeners = [await listen(node, lobby_id) for node in nodes]
    await asyncio.gather(*(extend(node, lobby_id, 40) for node in (*nodes, mute)))
    await extend(nodes[0], lobby_id)
    for listener in listeners:
        await is_told(listener, range(3, 124))


async def test_what_was_missed_during_an_outage_is_notified_when_it_is_over(
    nodes: Pair, redis: Redis
) -> None:
    lobby_id = await opened(nodes[0])
    listener = await listen(nodes[1], lobby_id)
    await command(redis, "CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: not nodes[1].subscription.alive)
    await extend(nodes[0], lobby_id, 3)
    await until(lambda: listener.versions == [3, 4, 5])


async def test_a_gap_of_many_pages_is_filled(nodes: Pair, mute: Node) -> None:
    lobby_id = await opened(nodes[0])
    listener = await listen(nodes[1], lobby_id)
    some: list[Event] = [FormingExtended(deadline=n) for n in range(250)]
    for _ in range(10):
        assert isinstance(await mute.lobbies.change(lobby_id, lambda _, __: some), Changed)
    nodes[1].replicas.restore()
    await is_told(listener, range(3, 2_503))


async def test_concurrent_catch_ups_publish_everything_once(nodes: Pair, mute: Node) -> None:
    lobby_id = await opened(nodes[0])
    listener = await listen(nodes[1], lobby_id)
    await extend(mute, lobby_id, 5)
    await asyncio.gather(*(nodes[1].replicas.catch_up(lobby_id) for _ in range(3)))
    assert listener.versions == [*range(3, 8)]


async def test_nothing_is_kept_after_the_last_release(node: Node, redis: Redis) -> None:
    lobby_id = await opened(node)
    listener = await listen(node, lobby_id)
    assert await node.replicas.acquire(lobby_id)
    node.replicas.release(lobby_id)
    await extend(node, lobby_id)
    assert [record.position.version for record in node.replicas.recent(lobby_id)] == [3]
    node.replicas.release(lobby_id)
    await extend(node, lobby_id)
    assert listener.versions == [3]
    assert node.replicas.snapshot(lobby_id) is None
    assert node.replicas.recent(lobby_id) == ()
    await until(lambda: nobody_listens(redis, lobby_id))


async def nobody_listens(redis: Redis, lobby_id: str) -> bool:
    _, found = await command(redis, "PUBSUB", "SHARDNUMSUB", keys.events(lobby_id))
    return bool(found == 0)


async def test_a_lobby_that_does_not_exist_has_no_replica(node: Node, redis: Redis) -> None:
    nowhere = "lobby_3500_000000000000"
    assert not await node.replicas.acquire(nowhere)
    assert node.replicas.snapshot(nowhere) is None
    await until(lambda: nobody_listens(redis, nowhere))


async def test_what_was_being_read_for_an_earlier_replica_does_not_reach_a_later_one(
    start_node: StartNode, mute: Node, store_url: str
) -> None:
    async with Proxy(store_url) as proxy:
        node = await start_node(proxy.url, listen_url=store_url)
        lobby_id = await opened(node)
        listener = await listen(node, lobby_id)
        await extend(mute, lobby_id, 5)
        proxy.hold()
        node.replicas.restore()
        await asyncio.sleep(0)
        node.replicas.release(lobby_id)
        following_again = asyncio.create_task(node.replicas.acquire(lobby_id))
        await asyncio.sleep(0.1)
        proxy.release()
        assert await following_again
        assert await knows_what_the_store_has(node, lobby_id)
        assert listener.versions == []


async def test_a_store_that_went_back_in_time_resets_the_listener(
    node: Node, redis: Redis, store_url: str
) -> None:
    lobby_id = await opened(node)
    listener = await listen(node, lobby_id)
    await extend(node, lobby_id, 3)
    earlier = await backup(store_url)
    await extend(node, lobby_id, 3)
    await restore(store_url, earlier)
    await command(redis, "CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: len(listener.resets) == 1)
    assert listener.resets[0].position.version == 5
    assert await knows_what_the_store_has(node, lobby_id)
    await extend(node, lobby_id)
    assert listener.versions == [3, 4, 5, 6, 7, 8, 6]


async def test_another_history_in_the_place_of_the_one_that_was_known_resets_the_listener(
    node: Node, mute: Node, redis: Redis, store_url: str
) -> None:
    lobby_id = await opened(node)
    listener = await listen(node, lobby_id)
    earlier = await backup(store_url)
    await extend(node, lobby_id, 3)
    await restore(store_url, earlier)
    await extend(mute, lobby_id, 6)
    await command(redis, "CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: len(listener.resets) == 1)
    assert await knows_what_the_store_has(node, lobby_id)
    assert listener.versions == [3, 4, 5]
