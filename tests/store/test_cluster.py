"""A cluster: each table on the primary of its slot, wherever that goes."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import pytest
import structlog
from redis.asyncio import Redis

from protocol import operators
from protocol.errors import ErrorCode, Refused
from protocol.ids import lobby_table
from server.assembly.stores import WeakDurability
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.rules.operator_chain import breaks
from server.services.lobbies import Changed
from server.services.seats import Seated
from server.store import keys
from server.store.errors import StoreUnavailable
from server.store.ledger import LedgerEntry
from server.store.log import Record, Snapshot
from tests.support.cluster import Member, StoreCluster
from tests.support.game import (
    BRISK,
    BUY_IN,
    CLASSIC,
    PATIENT,
    TABLE,
    Node,
    StartNode,
    paid,
    starting_nodes,
)
from tests.support.guides import OPERATING
from tests.support.store_content import command
from tests.support.wait import until
from tests.system.game_server import running_app

DUEL = replace(BRISK, max_players=2, call_interval_ms=60)
GAMES = 50
BOOKS = "postgresql://nobody@127.0.0.1:1/books"
"""Of which only that there are some is of matter."""


@pytest.fixture(scope="module")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreCluster]:
    """The cluster of all tests here."""
    with StoreCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(running_cluster: StoreCluster) -> StoreCluster:
    """A cluster that is well and has nothing in it."""
    running_cluster.heal()
    running_cluster.empty()
    return running_cluster


@pytest.fixture
async def start_node() -> AsyncIterator[StartNode]:
    """Starts nodes; they are closed after the test."""
    async with starting_nodes(timings=PATIENT) as start:
        yield start


@asynccontextmanager
async def calling(*nodes: Node) -> AsyncIterator[None]:
    """The nodes call numbers."""
    for node in nodes:
        node.scheduler.start()
    try:
        yield
    finally:
        await asyncio.gather(*(node.scheduler.stop() for node in nodes))


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


async def games(node: Node, count: int) -> list[str]:
    """Lobbies of two, of which all have paid: so many, less those of which half is missing."""
    seats = await asyncio.gather(*(node.sit(f"player-{number}") for number in range(2 * count)))
    await asyncio.gather(*map(node.pay, seats))
    seated_in = Counter(seated.lobby.lobby_id for seated in seats)
    return [lobby_id for lobby_id, players in seated_in.items() if players == 2]


async def all_are_over(node: Node, lobby_ids: Sequence[str]) -> bool:
    found = await asyncio.gather(*map(node.store.load, lobby_ids))
    return all(each.lobby is not None and each.lobby.status == "finished" for each in found)


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


def player_of(seated: Seated) -> str:
    """Who got the seat."""
    invoices = seated.lobby.invoices.items()
    return next(name for name, invoice in invoices if invoice == seated.invoice.invoice_id)


@contextmanager
def away(cluster: StoreCluster, primary: Member) -> Iterator[None]:
    """A primary is down, and whoever could take its place."""
    cluster.replica_of(primary).kill()
    primary.kill()
    yield


async def test_a_server_on_a_cluster_reports_each_shard_and_takes_traffic_while_one_answers(
    cluster: StoreCluster, issuer: DevIssuer, provider: DevProvider
) -> None:
    changes = {"TABLES_PER_TIER": "8", "BUY_IN_TIERS": "3500", "HTTP_RATE": "0", "JOIN_RATE": "0"}
    async with running_app(cluster.url, issuer, provider, **changes) as game:
        health = (await game.get("/health/redis")).body
        assert health["topology"] == "cluster"
        addresses = {member.address for member in cluster.members if has_slots(member)}
        assert {shard["address"] for shard in health["shards"]} == addresses
        names = [f"player-{number}" for number in range(24)]
        joined = {name: await game.join(name) for name in names}
        gone = cluster.primary_of(keys.timers("3500-1"))
        at = {
            name: cluster.primary_of(keys.lobby(seat["lobby_id"])) for name, seat in joined.items()
        }
        with away(cluster, gone):

            async def is_said() -> bool:
                shards = (await game.get("/health/redis")).body["shards"]
                return [s["address"] for s in shards if s["status"] != "ok"] == [gone.address]

            await until(is_said)
            assert (await game.get("/health/ready")).status == 200
            assert (await game.get("/health")).status == 200
            for name in names:
                path = f"/api/game/{joined[name]['lobby_id']}/status"
                assert (await game.get(path, name)).status == (503 if at[name] is gone else 200)
            async with game.visitor(names[0]) as visitor:
                await visitor.enter("lobbies")
                shown = {
                    lobby["lobby_id"] for lobby in (await visitor.receives("lobbies"))["lobbies"]
                }
            others = {seat["lobby_id"] for name, seat in joined.items() if at[name] is not gone}
            assert others <= shown


def has_slots(member: Member) -> bool:
    return any(address[1] == member.port for _, _, address, *_ in member.ask("CLUSTER", "SLOTS"))


async def test_a_cluster_that_stops_as_a_whole_is_warned_of(
    cluster: StoreCluster, start_node: StartNode
) -> None:
    node = await start_node(cluster.url)
    strict = cluster.primary_of(keys.TABLES)
    strict.ask("CONFIG", "SET", "cluster-require-full-coverage", "yes")
    try:
        with structlog.testing.capture_logs() as logs:
            await node.stores.wait_until_usable()
    finally:
        strict.ask("CONFIG", "SET", "cluster-require-full-coverage", "no")
    assert "cluster_stops_as_one" in [entry["event"] for entry in logs]
    assert len(node.stores.monitor.shards) == 3


async def test_one_weak_primary_of_a_cluster_is_enough_not_to_start(
    cluster: StoreCluster, start_node: StartNode
) -> None:
    node = await start_node(cluster.url)
    weak = cluster.primary_of(keys.TABLES)
    weak.ask("CONFIG", "SET", "appendfsync", "everysec")
    try:
        with pytest.raises(WeakDurability, match=f"{weak.address}: appendfsync everysec"):
            await node.stores.wait_until_usable()
    finally:
        weak.ask("CONFIG", "SET", "appendfsync", "always")


async def test_the_user_of_the_guide_may_do_all_that_is_done_in_a_cluster(
    cluster: StoreCluster, start_node: StartNode
) -> None:
    guide = OPERATING.read_text()
    (rule,) = re.findall(r"^ACL (SETUSER .*?)^```", guide, re.MULTILINE | re.DOTALL)
    (more,) = re.findall(r"a cluster `([^`]*)`", guide)
    for member in cluster.members:
        member.ask("ACL", *rule.split(), *more.split())
        member.ask("ACL", "LOG", "RESET")
    url = cluster.url.replace("//", "//fair-bingo:PASSWORD@")
    node = await start_node(url, tiers={BUY_IN: DUEL}, TABLES_PER_TIER="3")
    async with calling(node):
        await node.stores.wait_until_usable()
        lobby_ids = await games(node, 6)
        assert await node.replicas.acquire(lobby_ids[0])
        await until(lambda: all_are_over(node, lobby_ids))
    for member in cluster.members:
        assert member.ask("ACL", "LOG") == []


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


async def test_what_operators_order_holds_on_every_shard(
    cluster: StoreCluster, start_node: StartNode
) -> None:
    """The log is in one slot and each table in another: none of it in one commit with the other."""
    tiers = dict.fromkeys((3500, 7000, 17500, 1, 2, 3), CLASSIC)
    one, two = [await start_node(cluster.url, tiers=tiers) for _ in range(2)]
    received: list[str] = []
    await two.operator_watch.begin()
    two.operator_watch.on_announcement = lambda said: received.append(said.text)
    two.operator_watch.start()
    try:
        seats = [await one.sit("bob", tier) for tier in tiers]
        ban = operators.BanPlayer(alien_id="bob", reason="why")
        assert await one.operators.carry_out("eve", ban) is True
        for tier in tiers:
            refused = await two.seats.join("bob", tier, "")
            assert refused == Refused(ErrorCode.BANNED, {"until": None})
            close = operators.CloseTier(buy_in_amount=tier, reason="why")
            assert await one.operators.carry_out("eve", close) is True
            closed = await two.seats.join("ann", tier, "")
            assert closed == Refused(ErrorCode.TIER_CLOSED)
        for seated in seats:
            void = operators.VoidLobby(lobby_id=seated.lobby.lobby_id, reason="why")
            assert await two.operators.carry_out("eve", void) is True
        said = operators.Announce(text="Hello.")
        assert await one.operators.carry_out("eve", said) is True
        await until(lambda: received == ["Hello."])
        assert two.operator_watch.closed == set(tiers)
        log = one.stores.operator_log
        assert len(await log.entries()) == 1 + 2 * len(tiers) + 1
        assert breaks(await log.entries(), await log.head()) == []
    finally:
        await two.operator_watch.stop()
