"""Lobbies that the store has no more, and those of which it has lost something."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.store import keys
from tests.support.store_content import backup, command, restore
from tests.support.wait import until
from tests.system.game_server import GameServer, running_app
from tests.system.visitor import Visitor

pytestmark = pytest.mark.not_replayed

Servers = tuple[GameServer, GameServer]
FINISHED_TTL_SECONDS = 10


@pytest.fixture
async def servers(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[Servers]:
    """Two servers on one store, where three fill a lobby and what is over expires soon."""
    changes = {
        "MAX_PLAYERS": "3",
        "MESSAGE_RATE": "0",
        "HTTP_RATE": "0",
        "FINISHED_TTL_SECONDS": str(FINISHED_TTL_SECONDS),
    }
    async with (
        running_app(store_url, issuer, provider, **changes) as one,
        running_app(store_url, issuer, provider, **changes) as other,
    ):
        yield one, other


async def reconnect(redis: Redis) -> None:
    """The store hangs up, as it does when it is replaced by what it was before."""
    await command(redis, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await command(redis, "CLIENT", "KILL", "TYPE", "pubsub")


async def is_unknown(server: GameServer, lobby_id: str) -> bool:
    answer = await server.get(f"/api/game/{lobby_id}/status", "alice")
    return answer.status == 404 and answer.body["code"] == "unknown_lobby"


async def leave(server: GameServer, lobby_id: str, *names: str) -> None:
    for name in names:
        assert (await server.post(f"/api/game/{lobby_id}/leave", name)).status == 200


async def assert_gone(servers: Servers, lobby_id: str, *inside: Visitor) -> None:
    """Those inside are sent away, and nobody knows the lobby any more."""
    for visitor in inside:
        await visitor.ends()
        assert visitor.sent_away
    for server in servers:
        assert await is_unknown(server, lobby_id)
        async with server.visitor("erin") as late:
            assert (await late.refused(lobby_id))["code"] == "unknown_lobby"


async def test_a_finished_lobby_expires_on_every_server_whoever_is_still_there(
    servers: Servers,
) -> None:
    one, other = servers
    lobby_id = await one.ready("alice", "bob", "carol")
    async with one.visitor("alice") as early, other.visitor("dave") as late:
        await early.enter(lobby_id)
        await leave(one, lobby_id, "alice", "bob", "carol")
        await early.receives("game_finished")
        await late.enter(lobby_id)
        await assert_gone(servers, lobby_id, early, late)


async def test_who_is_in_a_lobby_that_the_store_has_lost_is_sent_away(
    servers: Servers, redis: Redis
) -> None:
    one, other = servers
    lobby_id = await one.seat("alice")
    async with one.visitor("alice") as player, other.visitor("dave") as spectator:
        await player.enter(lobby_id)
        await spectator.enter(lobby_id)
        await redis.flushall()
        await reconnect(redis)
        await assert_gone(servers, lobby_id, player, spectator)


async def test_a_lobby_that_the_store_has_lost_is_listed_no_more(
    servers: Servers, redis: Redis, store_url: str
) -> None:
    one, other = servers
    kept = await one.seat("alice")
    earlier = await backup(store_url)
    lost = await one.seat("alice", buy_in_amount=7000)
    async with other.visitor("carol") as carol:
        await carol.enter("lobbies")
        await carol.receives("lobbies")
        await restore(store_url, earlier)
        await reconnect(redis)
        await until(lambda: len(carol.of("lobbies")) == 2)
        sent = [lobby["lobby_id"] for lobby in carol.of("lobbies")[-1]["lobbies"]]
        listed = [lobby["lobby_id"] for lobby in (await carol.ask("list"))["lobbies"]]
    assert sent == listed == [kept]
    assert lost != kept


async def test_a_lobby_of_which_the_store_has_lost_something_is_listed_as_it_is(
    servers: Servers, redis: Redis, store_url: str
) -> None:
    one, other = servers
    lobby_id = await one.seat("alice")
    earlier = await backup(store_url)
    await one.seat("bob")
    async with other.visitor("carol") as carol:
        await carol.enter("lobbies")
        await carol.receives("lobbies")
        await restore(store_url, earlier)
        await reconnect(redis)
        await until(lambda: len(carol.of("lobbies")) == 2)
        (sent,) = carol.of("lobbies")[-1]["lobbies"]
    assert (sent["lobby_id"], sent["player_count"]) == (lobby_id, 1)


async def test_after_the_store_went_back_a_state_comes_before_any_other_event(
    servers: Servers, redis: Redis, store_url: str
) -> None:
    one, other = servers
    lobby_id = await one.seat("alice")
    earlier = await backup(store_url)
    async with one.visitor("alice") as alice, other.visitor("alice") as elsewhere:
        inside = (alice, elsewhere)
        for visitor in inside:
            visitor.store_goes_back = True
            await visitor.enter(lobby_id)
            await visitor.receives("lobby_state")
        for _ in range(5):
            await one.join("bob")
            await leave(one, lobby_id, "bob")
        await until(lambda: all(len(visitor.of("player_left")) == 5 for visitor in inside))
        known = [len(visitor.received) for visitor in inside]
        await restore(store_url, earlier)
        await reconnect(redis)
        for _ in range(20):
            await other.join("carol")
            await leave(other, lobby_id, "carol")
        final = int(await redis.hget(keys.lobby(lobby_id), "seq") or 0)
        await until(lambda: all(visitor.received[-1][1]["seq"] == final for visitor in inside))
        for visitor, before in zip(inside, known, strict=True):
            since = visitor.received[before:]
            assert [name for name, _ in since].index("lobby_state") == 0
            seqs = [data["seq"] for _, data in since]
            assert seqs == [*range(seqs[0], final + 1)]
