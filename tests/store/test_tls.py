"""TLS and passwords, to sentinels and to the primaries that they name."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from redis import ResponseError
from redis.asyncio import Redis

from server.dev.store import EmbeddedStore
from server.store.errors import StoreUnavailable
from server.store.shards import open_topology
from tests.support.game import Node, StartNode
from tests.support.replication import address, ask, has_role, is_in_sync
from tests.support.sentinels import NAME, Sentinel
from tests.support.store_content import command
from tests.support.tls import Authority, TlsFront
from tests.support.wait import until

STORE_PASSWORD = "of-the-store"
SENTINEL_PASSWORD = "of-the-sentinel"


@dataclass(frozen=True)
class Secured:
    """A primary, its replica, and a sentinel, each behind TLS and with a password. `fronts` are
    where the TLS of the stores ends, in their order, and that of the sentinel."""

    stores: list[EmbeddedStore]
    fronts: list[TlsFront]
    authority: Authority

    def url(self, password: str = STORE_PASSWORD, authority: Authority | None = None) -> str:
        """As `REDIS_URL` takes it; whoever knows another authority believes no certificate."""
        path = quote(str((authority or self.authority).path))
        at = f"server:{password}@127.0.0.1:{self.fronts[-1].port}"
        return f"rediss+sentinel://{at}/{NAME}/0?ssl_ca_certs={path}"


@pytest.fixture
async def secured(tmp_path: Path) -> AsyncIterator[Secured]:
    """All of it. Among themselves they speak without TLS, at the same addresses."""
    authority = Authority(tmp_path / "authority")
    context = authority.context("127.0.0.1")
    stores = [EmbeddedStore(tmp_path / name) for name in ("one", "two")]
    async with AsyncExitStack() as stack:

        async def front(port: int) -> TlsFront:
            return await stack.enter_async_context(TlsFront(port, context))

        fronts = [await front(address(store.url)[1]) for store in stores]
        for store, its_front in zip(stores, fronts, strict=True):
            store.options = ["--replica-announce-port", str(its_front.port)]
            store.options += ["--repl-diskless-sync-delay", "0"]
            stack.enter_context(store)
            user = ("server", "on", f">{STORE_PASSWORD}", "~*", "&*", "+@all")
            await ask(store, "ACL", "SETUSER", *user)
        await ask(stores[1], "REPLICAOF", "127.0.0.1", fronts[0].port)
        await until(lambda: is_in_sync(stores[1]))
        lines = (
            f"requirepass {SENTINEL_PASSWORD}",
            f"sentinel sentinel-pass {SENTINEL_PASSWORD}",
            f"sentinel down-after-milliseconds {NAME} 60000",
        )
        at = f"redis://127.0.0.1:{fronts[0].port}"
        sentinel = Sentinel(tmp_path / "sentinel", at, 1, *lines)
        stack.callback(sentinel.kill)
        sentinel.start()
        fronts.append(await front(sentinel.port))
        yield Secured(stores, fronts, authority)


async def test_commands_and_messages_go_by_tls_wherever_the_sentinels_lead(
    secured: Secured, start_node: StartNode
) -> None:
    node = await started(start_node, secured)
    await until(lambda: node.subscription.alive)
    await node.sit("ann")
    one, two, sentinel = secured.fronts
    assert one.secured >= 2
    assert sentinel.secured >= 1
    assert two.secured == 0
    async with Redis(port=sentinel.target, password=SENTINEL_PASSWORD) as redis:

        async def is_begun() -> bool:
            with suppress(ResponseError):  # it has yet to hear of the replica
                await command(redis, "SENTINEL", "FAILOVER", NAME)
                return True
            return False

        await until(is_begun)
    await until(lambda: has_role(secured.stores[1], "master"))
    await until(lambda: two.secured >= 2)
    await node.sit("bob")


async def test_a_certificate_or_a_password_that_is_wrong_leads_nowhere(
    secured: Secured, start_node: StartNode, tmp_path: Path
) -> None:
    await started(start_node, secured)
    other = Authority(tmp_path / "other")
    for url, password in (
        (secured.url(authority=other), SENTINEL_PASSWORD),
        (secured.url(), "wrong"),
        (secured.url("wrong"), SENTINEL_PASSWORD),
    ):
        topology = open_topology(url, password)
        health = topology.health()
        with pytest.raises(StoreUnavailable):
            await health.ping()
        await health.close()
        await topology.stop()


async def started(start_node: StartNode, secured: Secured) -> Node:
    """A node, as soon as the sentinel has begun."""
    found: list[Node] = []

    async def is_started() -> bool:
        with suppress(StoreUnavailable):
            found.append(await start_node(secured.url(), SENTINEL_PASSWORD=SENTINEL_PASSWORD))
        return bool(found)

    await until(is_started)
    return found[0]
