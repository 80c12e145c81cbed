"""A cluster: each table on the primary of its slot, wherever that goes."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from protocol.ids import lobby_table
from server.runtime.store_url import Address
from server.store import keys
from server.store.cluster_map import ClusterMap, slot_of
from server.store.ledger import LedgerEntry
from server.store.log import Record, Snapshot
from server.store.timings import PATIENT
from tests.support.cluster import StoreCluster
from tests.support.cluster_games import DUEL, all_are_over, games, has_slots
from tests.support.game import (
    BUY_IN,
    TABLE,
    Node,
    StartNode,
    calling,
    paid,
)
from tests.support.store_content import command
from tests.support.wait import until

GAMES = 50
BOOKS = "postgresql://nobody@127.0.0.1:1/books"
"""Of which only that there are some is of matter."""


class Rooms:
    """All that a node sends to the rooms of some lobbies: in order, without a hole or a repeat."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.version_of: dict[str, int] = {}
        node.replicas.listener = self

    async def enter(self, lobby_id: str) -> None:
        """Receive the events of this lobby from now on."""
        assert await self._node.replicas.acquire(lobby_id)
        snapshot = self._node.replicas.snapshot(lobby_id)
        assert snapshot is not None
        self.version_of[lobby_id] = snapshot.position.version

    def over(self, lobby_id: str) -> bool:
        """Whether the room received the end."""
        snapshot = self._node.replicas.snapshot(lobby_id)
        return bool(snapshot and snapshot.lobby and snapshot.lobby.status == "finished")

    def happened(self, lobby_id: str, _snapshot: Snapshot, records: Sequence[Record]) -> None:
        """See `ReplicaListener`."""
        for record in records:
            known = self.version_of.get(lobby_id)
            assert known is None or record.position.version == known + 1
            self.version_of[lobby_id] = record.position.version

    def invoice_changed(self, _lobby_id: str, _alien_id: str) -> None:
        """See `ReplicaListener`."""

    def reset(self, lobby_id: str, _snapshot: Snapshot) -> None:
        """See `ReplicaListener`."""
        raise AssertionError(f"{lobby_id} went back")

    def gone(self, lobby_id: str) -> None:
        """See `ReplicaListener`."""
        raise AssertionError(f"{lobby_id} is gone")


async def test_tables_are_spread_over_the_primaries_and_everything_of_each_is_at_one(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    node = await start_node(cluster.url, tiers={BUY_IN: DUEL}, TABLES_PER_TIER="8")
    async with calling(node):
        lobby_ids = await games(node, 40)
        await until(lambda: all_are_over(node, lobby_ids))
    homes = {keys.ledger(lobby_table(lobby_id)) for lobby_id in lobby_ids}
    assert len({cluster.primary_of(ledger).port for ledger in homes}) == 3
    for lobby_id in lobby_ids:
        home = cluster.primary_of(keys.lobby(lobby_id))
        table = lobby_table(lobby_id)
        assert home.ask("EXISTS", keys.lobby(lobby_id), keys.proof(lobby_id)) == 2
        assert home.ask("EXISTS", keys.ledger(table)) == 1
    assert await node.tables.read() == tuple(f"{BUY_IN}-{place}" for place in range(1, 9))


async def test_a_slot_that_moves_under_games_loses_nothing_and_rooms_receive_everything(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    players = await start_node(cluster.url, tiers={BUY_IN: DUEL})
    watching = await start_node(cluster.url, tiers={BUY_IN: DUEL})
    rooms = Rooms(watching)
    home = cluster.primary_of(keys.timers(TABLE))
    lobby_ids = await games(players, GAMES)
    await asyncio.gather(*map(rooms.enter, lobby_ids))
    async with calling(players, watching):
        for target in (cluster.spare, home):
            await asyncio.to_thread(cluster.move_slot, keys.timers(TABLE), target, 0.005)
        await until(lambda: all(map(rooms.over, lobby_ids)))
    assert cluster.primary_of(keys.timers(TABLE)) is home
    for lobby_id in lobby_ids:
        stored = await players.store.load(lobby_id)
        assert rooms.version_of[lobby_id] == stored.position.version
        assert stored.lobby is not None
        assert len(set(stored.lobby.called)) == len(stored.lobby.called) == DUEL.highest


async def test_commands_for_a_slot_that_is_half_moved_are_carried_out_where_their_keys_are(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    node = await start_node(cluster.url)
    seated = await node.sit("ann")
    source = cluster.primary_of(keys.timers(TABLE))
    target = next(m for m in cluster.members if has_slots(m) and m is not source)
    slot = source.ask("CLUSTER", "KEYSLOT", keys.timers(TABLE))
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.node_id)
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.node_id)
    moved = [keys.active_lobbies(TABLE), keys.openings(TABLE)]
    source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 60_000, "KEYS", *moved)
    # One key that has gone is found where it is, without the slot being looked for there.
    assert await node.directory.forming(TABLE) == [seated.lobby.lobby_id]
    assert target.ask("CLUSTER", "COUNTKEYSINSLOT", slot) == len(moved)
    # What needs keys of both waits until they are together again.
    paying = asyncio.create_task(node.pay(seated))
    await asyncio.to_thread(cluster.move_slot, keys.timers(TABLE), target)
    await paying
    assert target.ask("XLEN", keys.ledger(TABLE)) == 2
    await asyncio.to_thread(cluster.move_slot, keys.timers(TABLE), source)


async def test_a_primary_that_is_killed_is_followed_by_its_replica_and_the_games_go_on(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    node = await start_node(cluster.url, tiers={BUY_IN: DUEL}, TABLES_PER_TIER="6")
    received: list[str] = []
    lost = cluster.primary_of(keys.timers("3500-1"))
    async with calling(node):
        lobby_ids = await games(node, 12)
        await asyncio.to_thread(replicated, cluster)
        channel = keys.front_desk("3500-1")
        await node.subscription.subscribe(channel, received.append)
        connections = node.subscription.connections
        lost.kill()
        await until(lambda: all_are_over(node, lobby_ids))
        assert await asyncio.to_thread(cluster.primary_of, keys.timers("3500-1")) is not lost
        # The channel goes along.
        await until(lambda: node.subscription.connections > connections)

        async def receives() -> bool:
            await node.connection.call("SPUBLISH", channel, "still here")
            return "still here" in received

        await until(receives)


async def test_a_replica_that_takes_over_by_hand_loses_nothing_and_is_noticed(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    node = await start_node(cluster.url, tiers={BUY_IN: DUEL})
    rooms = Rooms(node)
    lobby_ids = await games(node, 10)
    await asyncio.gather(*map(rooms.enter, lobby_ids))
    async with calling(node):
        replica = cluster.replica_of(cluster.primary_of(keys.timers(TABLE)))

        async def takes_over() -> bool:
            with suppress(ResponseError):  # it is at it, or it is done
                await asyncio.to_thread(replica.ask, "CLUSTER", "FAILOVER")
            return has_slots(replica)

        await until(takes_over)
        await until(lambda: all_are_over(node, lobby_ids))
        await until(lambda: all(map(rooms.over, lobby_ids)))
    assert cluster.primary_of(keys.timers(TABLE)) is replica
    assert counted(node) == 1


@pytest.mark.parametrize("is_believed", [True, False])
async def test_what_a_node_says_of_its_slot_is_believed_for_a_while_against_the_view_of_all(
    cluster: StoreCluster, is_believed: bool
) -> None:
    seeds = [Address("127.0.0.1", member.port) for member in cluster.members]
    timings = replace(PATIENT, amended_seconds=600 if is_believed else 0)
    known = ClusterMap("redis://127.0.0.1/0", seeds, timings)
    slot = slot_of(keys.timers(TABLE))
    right = await known.primary(slot)
    other = next(node for node in known.primaries if node is not right)
    known.moved(slot, other.address)
    await known.look()
    assert known.primary_now(slot) is (other if is_believed else right)
    await known.stop()


def counted(node: Node) -> float:
    (metric,) = node.metrics.failovers.collect()
    return next(sample.value for sample in metric.samples if sample.name.endswith("_total"))


def replicated(cluster: StoreCluster) -> None:
    """Every replica has all that its primary has, so far."""
    for primary in filter(has_slots, cluster.members):
        assert primary.ask("WAIT", 1, 60_000) >= 1


async def test_every_key_that_one_step_touches_is_in_one_slot(
    cluster: StoreCluster, start_node: StartNode, store_url: str
) -> None:
    """By what a store sees of whole games, each script with the commands in it."""
    steps: list[set[str]] = []
    patient = Redis.from_url(store_url, decode_responses=True, socket_timeout=None)
    async with patient as redis, redis.monitor() as seen:
        said = asyncio.create_task(keep(seen, steps))
        tiers = {BUY_IN: DUEL}
        node = await start_node(store_url, tiers=tiers, TABLES_PER_TIER="2", DATABASE_URL=BOOKS)
        async with calling(node):
            lobby_ids = await games(node, 3)
            left = await node.sit("leaves")
            await node.seats.leave("leaves", left.lobby.lobby_id)
            await node.deliver(paid(left))
            await until(lambda: all_are_over(node, lobby_ids))
        owed = [
            entry
            async for page in node.stores.ledger.pages(lobby_table(left.lobby.lobby_id))
            for entry in page
            if isinstance(entry, LedgerEntry) and entry.owed
        ]
        await until(lambda: node.stores.ledger.settle(owed[0], "tx", node.clock.now_ms()))
        await command(redis, "ECHO", LAST)
        await said
    assert len(steps) > 100
    slots = {
        name: cluster.members[0].ask("CLUSTER", "KEYSLOT", name) for name in set().union(*steps)
    }
    for step in steps:
        assert len({slots[name] for name in step}) == 1, step


LAST = "that-is-all"


async def keep(seen: Any, steps: list[set[str]]) -> None:
    """Keep the keys and channels of each script, with those that it uses without having been given
    them."""
    async for entry in seen.listen():
        words = entry["command"].split(" ")
        if words[-1] == LAST:
            return
        if words[0] == "EVALSHA":
            steps.append(set(words[3 : 3 + int(words[2])]))
        elif entry["client_type"] == "lua" and len(words) > 1:
            steps[-1].add(words[1])
