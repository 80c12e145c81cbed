"""A primary that moves behind a plain address: the servers find it again by themselves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from redis import RedisError
from redis.asyncio import Redis

from server.dev.ports import free_port
from server.dev.store import EmbeddedStore
from tests.support.game import starting_nodes
from tests.support.proxy import Proxy
from tests.support.replication import (
    address,
    ask,
    has_role,
    is_in_sync,
    replica_of,
    switch_over,
)
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.system.conftest import Serve
from tests.system.faults.verdict import Tally, judge
from tests.system.game_server import GameServer

pytestmark = pytest.mark.not_replayed

PACE = {"CALL_INTERVAL_SECONDS": "0.2", "MESSAGE_RATE": "0"}


@pytest.fixture
def replica(own_store: EmbeddedStore, tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A replica of `own_store`."""
    with replica_of(own_store, tmp_path / "replica") as store:
        yield store


@pytest.fixture
async def name(own_store: EmbeddedStore) -> AsyncIterator[Proxy]:
    """A proxy in the place of a DNS name of the primary."""
    async with Proxy(own_store.url) as proxy:
        yield proxy


async def kill(old: EmbeddedStore, new: EmbeddedStore) -> None:
    """The primary dies, and its replica is promoted."""
    old.kill()
    await ask(new, "REPLICAOF", "NO", "ONE")


async def demote(old: EmbeddedStore, new: EmbeddedStore) -> None:
    """The primary becomes the replica of an address where nobody is, and keeps its connections."""
    await ask(new, "REPLICAOF", "NO", "ONE")
    await ask(old, "REPLICAOF", "127.0.0.1", free_port())


async def hand_over(old: EmbeddedStore, new: EmbeddedStore) -> None:
    """The primary and its replica change places, and the connections stay where they were."""

    async def is_begun() -> bool:
        try:
            await ask(old, "FAILOVER", "TO", *address(new.url))
        except RedisError:  # the replica has yet to report that it is in sync, or to take over
            return await has_role(new, "master")
        return True

    await until(is_begun)
    await until(lambda: has_role(new, "master"))


async def by_hand(old: EmbeddedStore, new: EmbeddedStore) -> None:
    """A switchover as the operator's guide says."""
    await switch_over(old, new, lambda: None)


async def cut_off(old: EmbeddedStore, new: EmbeddedStore) -> None:
    """The primary refuses the commands of the servers, and goes on to keep their subscriptions, of
    which none receives from the promoted one."""
    await ask(new, "REPLICAOF", "NO", "ONE")
    await ask(old, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


async def until_has_all(primary: EmbeddedStore, replica: EmbeddedStore) -> None:
    """Return when the replica has all that the primary has now."""
    async with (
        Redis.from_url(primary.url, socket_timeout=TIMEOUT_SECONDS) as old,
        Redis.from_url(replica.url, socket_timeout=TIMEOUT_SECONDS) as new,
    ):
        wanted = (await old.info("replication"))["master_repl_offset"]

        async def has_all() -> bool:
            return bool((await new.info("replication"))["slave_repl_offset"] >= wanted)

        await until(has_all)


async def connections(store: EmbeddedStore) -> int:
    """How many others are connected to the store."""
    async with Redis.from_url(store.url, decode_responses=True) as redis:
        clients = await redis.client_list()
    return sum(client["flags"] in ("N", "P") for client in clients) - 1


@pytest.mark.parametrize("moves", [kill, demote, hand_over, by_hand, cut_off])
async def test_games_go_on_where_the_primary_is_now_and_no_number_is_left_out(
    moves: Callable[[EmbeddedStore, EmbeddedStore], Awaitable[None]],
    serve: Serve,
    own_store: EmbeddedStore,
    replica: EmbeddedStore,
    name: Proxy,
) -> None:
    await until(lambda: is_in_sync(replica))
    servers = [await serve(REDIS_URL=name.url, **PACE) for _ in range(2)]
    one, other = servers
    lobby_id = await one.ready("alice", "bob")
    async with one.visitor("carol") as carol, other.visitor("dave") as dave:
        for visitor in (carol, dave):
            visitor.store_goes_back = True  # what the old primary took last, the new one has not
            await visitor.enter(lobby_id)
            await until(lambda: len(carol.of("number_called")) >= 3)
        await until_has_all(own_store, replica)
        name.lead_to(replica.url)
        await moves(own_store, replica)
        await asyncio.gather(*map(is_back, servers))
        await until(lambda: bool(carol.of("game_finished") and dave.of("game_finished")))
        if moves is not kill:
            await until(lambda: is_left(own_store))
    async with starting_nodes() as start:
        tally = Tally()
        await judge(await start(replica.url), lobby_id, tally)
    assert (tally.calls, tally.wrong) == (50, 0)
    for server in servers:
        await server.seat("alice", "bob", buy_in_amount=7000)


async def is_back(server: GameServer) -> None:
    """Players are seated again, and the server says so."""

    async def works() -> bool:
        joined = await server.post("/api/game/join", "erin", {"buy_in_amount": 17500})
        health = await server.get("/health")
        ready = await server.get("/health/ready")
        return {joined.status, health.status, ready.status} == {200}

    await until(works)


async def is_left(store: EmbeddedStore) -> bool:
    return await connections(store) == 0


async def test_a_store_that_is_a_replica_is_no_healthy_store(
    serve: Serve, own_store: EmbeddedStore
) -> None:
    server = await serve(REDIS_URL=own_store.url)
    await ask(own_store, "REPLICAOF", "127.0.0.1", free_port())

    async def says_so() -> bool:
        answer = await server.get("/health")
        return answer.status == 503 and answer.body["redis_connected"] is False

    await until(says_so)
    await ask(own_store, "REPLICAOF", "NO", "ONE")
    await is_back(server)
