"""Servers on a cluster: what they find out of it, report, and may do in it."""

import re
from collections.abc import Iterator
from functools import partial

import pytest
import structlog

from protocol import operators
from protocol.errors import ErrorCode, Refused
from server.assembly.stores import WeakDurability
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.rules.operator_chain import breaks
from server.store import keys
from server.store.timings import TIMINGS
from server.transport.http.runner import KEEP_ALIVE_SECONDS
from tests.support.cluster import StoreCluster
from tests.support.cluster_games import DUEL, all_are_over, away, games, has_slots
from tests.support.game import BUY_IN, CLASSIC, StartNode, calling
from tests.support.guides import OPERATING
from tests.support.wait import until
from tests.system.game_server import GameServer, running_app
from tests.system.visitor import Visitor

NODE_TIMEOUT_MS = 30_000
"""No test here wants another primary, as there would be after the time-out of other tests where one
is held up."""


@pytest.fixture(scope="module")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreCluster]:
    options = ("--cluster-node-timeout", str(NODE_TIMEOUT_MS))
    with StoreCluster(tmp_path_factory.mktemp("cluster"), *options) as cluster:
        yield cluster


async def test_a_server_on_a_cluster_reports_each_shard_and_takes_traffic_while_one_answers(
    cluster: StoreCluster, issuer: DevIssuer, provider: DevProvider
) -> None:
    changes = {"TABLES_PER_TIER": "8", "BUY_IN_TIERS": "3500", "HTTP_RATE": "0", "JOIN_RATE": "0"}
    options = (KEEP_ALIVE_SECONDS, TIMINGS)  # a shard that is away is not waited for
    async with running_app(cluster.url, issuer, provider, *options, **changes) as game:
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
            # Where the machine pauses, the store may take longer than a look at it may last.
            await until(lambda: is_well(game, "/health/ready"))
            await until(lambda: is_well(game, "/health"))
            for name in names:
                path = f"/api/game/{joined[name]['lobby_id']}/status"
                if at[name] is gone:
                    assert (await game.get(path, name)).status == 503
                else:
                    await until(partial(is_well, game, path, name))
            others = {seat["lobby_id"] for name, seat in joined.items() if at[name] is not gone}
            async with game.visitor(names[0]) as visitor:
                await visitor.enter("lobbies")
                await until(lambda: others <= shown(visitor))


async def is_well(game: GameServer, path: str, name: str | None = None) -> bool:
    return (await game.get(path, name)).status == 200


def shown(visitor: Visitor) -> set[str]:
    """The lobbies that a visitor of the front desk has seen: those of a shard that answers late are
    not in the first list."""
    lobbies = [lobby for listed in visitor.of("lobbies") for lobby in listed["lobbies"]]
    lobbies += [listed["lobby"] for listed in visitor.of("lobby_listed")]
    return {lobby["lobby_id"] for lobby in lobbies}


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
