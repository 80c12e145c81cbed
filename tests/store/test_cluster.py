"""A cluster: each table on the primary of its slot, wherever that goes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.errors import Refused
from protocol.ids import lobby_table
from server.services.lobbies import Changed
from server.services.seats import Seated
from server.services.tiers import Tier
from server.store import keys
from server.store.errors import StoreUnavailable
from server.store.ledger import LedgerEntry
from server.store.log import Record, Snapshot
from server.store.timings import StoreTimings
from tests.support.cluster import StoreCluster
from tests.support.cluster_games import DUEL, all_are_over, away, calling, games, has_slots
from tests.support.game import (
    BUY_IN,
    CLASSIC,
    PATIENT,
    TABLE,
    Node,
    StartNode,
    paid,
    starting_nodes,
)
from tests.support.replication import pause, resume
from tests.support.store_content import command
from tests.support.wait import until

GAMES = 50
BOOKS = "postgresql://nobody@127.0.0.1:1/books"
"""Of which only that there are some is of matter."""


@pytest.fixture
async def start_node() -> AsyncIterator[StartNode]:
    """Starts nodes; they are closed after the test."""
    async with starting_nodes(timings=PATIENT) as start:
        yield start


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
        await until(lambda: all_are_over_at_last(node, lobby_ids))
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
        await asyncio.to_thread(replica.ask, "CLUSTER", "FAILOVER")
        await until(lambda: all_are_over_at_last(node, lobby_ids))
        await until(lambda: all(map(rooms.over, lobby_ids)))
    assert cluster.primary_of(keys.timers(TABLE)) is replica
    assert counted(node) == 1


def counted(node: Node) -> float:
    (metric,) = node.metrics.failovers.collect()
    return next(sample.value for sample in metric.samples if sample.name.endswith("_total"))


async def all_are_over_at_last(node: Node, lobby_ids: Sequence[str]) -> bool:
    try:
        return await all_are_over(node, lobby_ids)
    except StoreUnavailable:
        return False


def replicated(cluster: StoreCluster) -> None:
    """Every replica has all that its primary has, so far."""
    for primary in filter(has_slots, cluster.members):
        assert primary.ask("WAIT", 1, 60_000) >= 1


async def test_a_shard_that_is_away_with_its_replica_stops_its_own_tables_only(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    node = await start_node(cluster.url, tiers={BUY_IN: CLASSIC}, TABLES_PER_TIER="8")
    seats = await asyncio.gather(*(node.sit(f"player-{number}") for number in range(40)))
    gone = cluster.primary_of(keys.TABLES)  # which has more than tables
    at = {table: cluster.primary_of(keys.timers(table)) for table in node.tables.known}
    with away(cluster, gone):
        at_gone = [s for s in seats if at[lobby_table(s.lobby.lobby_id)] is gone]
        others = [s for s in seats if s not in at_gone]
        assert at_gone
        assert others
        for seated in others:
            await node.pay(seated)
        for seated in at_gone[:2]:
            with pytest.raises(StoreUnavailable):
                await node.play.claim(seated.invoice.invoice_id, seated.lobby.lobby_id)
            with pytest.raises(StoreUnavailable):
                await node.seats.join(player_of(seated), BUY_IN, "")
        # Those who sit keep their seats, and newcomers get one, as far as their table is there.
        again = await node.sit(player_of(others[0]))
        assert again.lobby.lobby_id == others[0].lobby.lobby_id
        assert await node.stores.health.ping() > 0
        assert node.subscription.alive
        # One who comes back to a server that was started meanwhile as well.
        late = await start_node(cluster.url, tiers={BUY_IN: CLASSIC}, TABLES_PER_TIER="8")
        assert (await late.sit(player_of(others[0]))).invoice.status == "paid"
        left = await late.seats.leave(player_of(others[1]), others[1].lobby.lobby_id)
        assert isinstance(left, Changed)
    cluster.heal()  # here: a store ends with the thread that started it
    for seated in at_gone:
        await node.pay(seated)


async def test_while_the_shard_of_all_who_have_limits_is_away_others_take_new_seats(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    node = await start_node(cluster.url, tiers={BUY_IN: CLASSIC}, TABLES_PER_TIER="8")
    await node.tables.refresh()  # as a server does when it starts
    tier = Tier(BUY_IN, CLASSIC, node.tables.known, takes_test=False)
    gone = cluster.primary_of(keys.LIMITED)

    def has_what_is_needed(name: str) -> bool:
        needed = keys.limits(name), keys.timers(tier.table_of(name))
        return all(cluster.primary_of(key) is not gone for key in needed)

    able = [name for name in map("newcomer-{}".format, range(60)) if has_what_is_needed(name)]
    limited, excluded, *others = able[:12]
    await node.limits.change(limited, {"coins_per_day": 100 * BUY_IN})
    await node.limits.exclude(excluded, 1)
    with away(cluster, gone):
        for name in others:
            assert name in (await node.sit(name)).lobby.players
        # What they paid at a table that is away is not known, so it is not known what is left.
        for name in (limited, excluded):
            with pytest.raises(StoreUnavailable):
                await node.seats.join(name, BUY_IN, "")
    cluster.heal()
    assert limited in (await node.sit(limited)).lobby.players
    assert isinstance(await node.seats.join(excluded, BUY_IN, ""), Refused)


async def test_a_shard_that_hangs_holds_up_nobody_else_and_comes_back_by_itself(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    timings = StoreTimings(command_seconds=5)
    node = await start_node(
        cluster.url, tiers={BUY_IN: CLASSIC}, timings=timings, TABLES_PER_TIER="8"
    )
    seats = await asyncio.gather(*(node.sit(f"player-{number}") for number in range(40)))
    hung = cluster.primary_of(keys.timers("3500-1"))
    at_hung = [s for s in seats if cluster.primary_of(keys.lobby(s.lobby.lobby_id)) is hung]
    others = [seated for seated in seats if seated not in at_hung]
    assert at_hung
    assert others
    both = (cluster.replica_of(hung), hung)
    for member in both:
        pause(member)
    try:
        waiting = [
            asyncio.create_task(node.play.claim(player_of(s), s.lobby.lobby_id))
            for s in at_hung[:5]
        ]
        await asyncio.gather(*map(node.pay, others))  # while those wait
        for answer in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(answer, StoreUnavailable), answer
        assert await node.stores.health.ping() > 0
    finally:
        for member in both:
            resume(member)
    await asyncio.to_thread(cluster.wait_until_well)
    await until(lambda: all_are_paid(node, at_hung))


async def all_are_paid(node: Node, seats: Sequence[Seated]) -> bool:
    try:
        await asyncio.gather(*map(node.pay, seats))
    except StoreUnavailable:
        return False
    return True


def player_of(seated: Seated) -> str:
    """Who got the seat."""
    invoices = seated.lobby.invoices.items()
    return next(name for name, invoice in invoices if invoice == seated.invoice.invoice_id)


@pytest.mark.timeout(120)
async def test_every_key_that_one_step_touches_is_in_one_slot(
    cluster: StoreCluster, start_node: StartNode, store_url: str
) -> None:
    """By what a store sees of whole games, each script with the commands in it."""
    steps: list[set[str]] = []
    async with Redis.from_url(store_url, decode_responses=True) as redis, redis.monitor() as seen:
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
        assert await node.stores.ledger.settle(owed[0], "tx", node.clock.now_ms())
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
