"""A store that may lose or refuse payments: at the start, and one that became so."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.payments import SIGNATURE_HEADER
from server.assembly.app import App
from server.assembly.stores import WeakDurability
from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.runtime.settings import load_settings
from server.runtime.store_url import Address
from server.store.timings import PATIENT
from server.transport.http.runner import KEEP_ALIVE_SECONDS
from tests.support.process import ChildProcess
from tests.support.replication import address
from tests.support.store_content import command, ledger
from tests.support.wait import until
from tests.system.conftest import READY, StartServe
from tests.system.game_server import WEBHOOK, GameServer, game_server, running_app


@pytest.fixture
async def admin(own_store: EmbeddedStore) -> AsyncIterator[Redis]:
    """A client of `own_store`."""
    async with Redis.from_url(own_store.url, decode_responses=True) as client:
        yield client


async def evict(admin: Redis) -> None:
    await admin.config_set("maxmemory-policy", "volatile-lru")
    await admin.config_set("maxmemory", "1gb")


async def be_a_replica(admin: Redis) -> None:
    await command(admin, "REPLICAOF", "127.0.0.1", "1")


async def fsync_seldom(admin: Redis) -> None:
    await admin.config_set("appendfsync", "everysec")


async def fsync_not_while_rewriting(admin: Redis) -> None:
    await admin.config_set("no-appendfsync-on-rewrite", "yes")


OFTEN = replace(PATIENT, inspect_seconds=0.05)
WEAK = {
    "maxmemory-policy volatile-lru": evict,
    "it is a replica": be_a_replica,
    "appendfsync everysec": fsync_seldom,
    "no-appendfsync-on-rewrite yes": fsync_not_while_rewriting,
}


async def refusal(server: ChildProcess) -> str:
    """The one line with which a server refuses to start."""
    assert await server.wait() == 2
    (line,) = server.told
    return line


@pytest.mark.not_replayed
@pytest.mark.parametrize("named", WEAK)
async def test_a_weak_store_stops_the_start_with_one_line_unless_it_is_allowed(
    named: str, own_store: EmbeddedStore, admin: Redis, start_serve: StartServe
) -> None:
    await WEAK[named](admin)
    line = await refusal(start_serve(REDIS_URL=own_store.url))
    assert named in line
    assert "ALLOW_WEAK_DURABILITY" in line
    allowed = start_serve(REDIS_URL=own_store.url, ALLOW_WEAK_DURABILITY="true")
    await allowed.wait_for_line(READY)


async def test_maxmemory_without_eviction_is_no_weakness(
    own_store: EmbeddedStore, admin: Redis, start_serve: StartServe
) -> None:
    await admin.config_set("maxmemory", "1gb")
    await start_serve(REDIS_URL=own_store.url).wait_for_line(READY)


@pytest.mark.not_replayed
@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("redis+cluster://{at},127.0.0.1:1", "{at} is no node of a cluster"),
        ("redis+sentinel://{at},127.0.0.1:1/games", "{at} is no sentinel"),
    ],
)
async def test_a_single_store_stops_the_start_if_the_url_says_that_it_is_something_else(
    url: str, named: str, own_store: EmbeddedStore, start_serve: StartServe
) -> None:
    at = str(Address(*address(own_store.url)))
    line = await refusal(start_serve(REDIS_URL=url.format(at=at)))
    assert "REDIS_URL" in line
    assert named.format(at=at) in line


@pytest.mark.not_replayed
async def test_a_member_of_a_cluster_stops_the_start_even_if_weakness_is_allowed(
    own_store: EmbeddedStore, start_serve: StartServe
) -> None:
    own_store.stop()
    bus_port = str(free_port())  # by default 10,000 above its own, where clients are given theirs
    own_store.options = ["--cluster-enabled", "yes", "--cluster-port", bus_port]
    own_store.start()
    server = start_serve(REDIS_URL=own_store.url, ALLOW_WEAK_DURABILITY="true")
    assert "cluster" in await refusal(server)


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ("+@all ~*", "PUBLISH lobby:{3500}"),
        ("+@all ~* &lobby:*", "PUBLISH front_desk:{3500}"),
        ("+@all -xadd ~* &*", "run XADD"),
        ("+@all -eval ~* &*", "'eval'"),
        ("+@all -evalsha ~* &*", "run EVALSHA"),
        ("+@all -script ~* &*", "SCRIPT"),
        ("+@all -time ~* &*", "TIME"),
        ("+@all ~lobby:* ~timers:* ~front_desk:* &*", "proof:{3500}"),
        ("+@all %R~* &*", "read and write lobby:{3500}"),
        ("+@all ~*3500* &*", "{7000}"),
        ("+@all ~*{* ~nodes ~unmatched &*", "run SADD on tables"),
    ],
)
async def test_a_user_who_may_not_run_what_is_needed_stops_the_start(
    rules: str, named: str, own_store: EmbeddedStore, admin: Redis, variables: dict[str, str]
) -> None:
    await command(admin, "ACL", "SETUSER", "pw", "on", ">secret", *rules.split())
    url = own_store.url.replace("//", "//pw:secret@")
    app = App(load_settings(variables | {"REDIS_URL": url}))
    with pytest.raises(WeakDurability) as refused:
        await app.start()
    await app.stop()
    assert named in str(refused.value)


class Desk:
    """A delivery about the seat of alice on a running server."""

    def __init__(self, server: GameServer, invoice: Any) -> None:
        self.server = server
        self.body = json.dumps(server.provider.payload(invoice)).encode()

    async def status(self) -> int:
        """The answer to the delivery."""
        signed = {SIGNATURE_HEADER: self.server.provider.sign(self.body)}
        answer = await self.server.request("POST", WEBHOOK, data=self.body, headers=signed)
        return answer.status

    async def answers(self, status: int) -> bool:
        """Whether the delivery is answered so."""
        return await self.status() == status

    async def is_ready(self, status: int) -> bool:
        """Whether the server says so of itself."""
        return (await self.server.get("/health/ready")).status == status

    async def distrusts(self) -> bool:
        """Whether the server says that its store may lose payments, which is one reason of several
        not to be ready."""
        return b"fair_bingo_store_trusted 0.0" in (await self.server.get("/metrics")).body


async def test_a_store_that_comes_back_weaker_gets_no_payments_until_it_is_strong_again(
    own_store: EmbeddedStore,
    admin: Redis,
    start_serve: StartServe,
    issuer: DevIssuer,
    provider: DevProvider,
) -> None:
    process = start_serve(REDIS_URL=own_store.url)
    ready = await process.wait_for_line(READY)
    async with game_server(ready[1], issuer, provider) as server:
        desk = Desk(server, (await server.join("alice"))["invoice"])
        own_store.stop()
        own_store.options = ["--appendfsync", "everysec"]
        own_store.start()
        answers = [await desk.status() for _ in range(20)]
        assert set(answers) == {503}
        await process.wait_for_line("appendfsync everysec.*store_weak")
        await until(partial(desk.is_ready, 503))
        own_store.stop()
        own_store.options = []
        own_store.start()
        await until(partial(desk.answers, 200))
        await until(partial(desk.is_ready, 200))
        await process.wait_for_line("store_strong_again")
        await until(partial(desk.answers, 200))
    assert [entry["kind"] for entry in await ledger(admin, "3500")] == ["received", "pot"]


async def test_no_payment_is_acknowledged_on_a_connection_to_a_store_that_was_not_looked_at(
    own_store: EmbeddedStore,
    admin: Redis,
    start_serve: StartServe,
    issuer: DevIssuer,
    provider: DevProvider,
) -> None:
    ready = await start_serve(REDIS_URL=own_store.url).wait_for_line(READY)
    async with game_server(ready[1], issuer, provider) as server:
        desk = Desk(server, (await server.join("alice"))["invoice"])
        await fsync_seldom(admin)
        await command(admin, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        for _ in range(20):
            assert await desk.status() == 503


@pytest.mark.parametrize("named", [name for name in WEAK if name != "it is a replica"])
async def test_a_running_store_that_becomes_weaker_is_noticed_and_so_is_that_it_is_strong_again(
    named: str,
    own_store: EmbeddedStore,
    admin: Redis,
    issuer: DevIssuer,
    provider: DevProvider,
) -> None:
    async with running_app(own_store.url, issuer, provider, KEEP_ALIVE_SECONDS, OFTEN) as server:
        desk = Desk(server, (await server.join("alice"))["invoice"])
        await WEAK[named](admin)
        await until(desk.distrusts)
        assert await desk.status() == 503
        await until(partial(desk.is_ready, 503))
        await asyncio.gather(
            admin.config_set("appendfsync", "always"),
            admin.config_set("no-appendfsync-on-rewrite", "no"),
            admin.config_set("maxmemory", "0"),
        )
        await until(partial(desk.is_ready, 200))
        await until(partial(desk.answers, 200))
    assert [entry["kind"] for entry in await ledger(admin, "3500")] == ["received", "pot"]


async def test_an_append_only_file_that_is_switched_on_again_is_trusted_when_it_is_there(
    own_store: EmbeddedStore,
    admin: Redis,
    issuer: DevIssuer,
    provider: DevProvider,
) -> None:
    async with running_app(own_store.url, issuer, provider, KEEP_ALIVE_SECONDS, OFTEN) as server:
        desk = Desk(server, (await server.join("alice"))["invoice"])
        await admin.config_set("appendonly", "no")
        await until(desk.distrusts)
        await admin.config_set("appendonly", "yes")
        await until(partial(desk.answers, 200))
        own_store.kill()
        own_store.start()
    async with Redis.from_url(own_store.url, decode_responses=True) as redis:
        entries = await ledger(redis, "3500")
    assert [entry["kind"] for entry in entries] == ["received", "pot"]
