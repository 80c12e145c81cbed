"""Primaries that are lost with their disk, and what takes their place."""

import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

from server.dev.store import EmbeddedStore
from server.store import keys
from tests.support.cluster import StoreCluster
from tests.support.game import TABLE
from tests.support.proxy import Proxy
from tests.support.replication import address, ask, has_role, is_in_sync, replica_of
from tests.support.sentinels import sentinels
from tests.support.wait import until

# A primary without a replica takes no writes, so that what it alone has is never acknowledged.
OPTIONS = (
    *("--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"),
    *("--repl-diskless-sync-delay", "0"),
)
SENTINEL_LINES = ("sentinel parallel-syncs games 1",)


class Primaries(Protocol):
    """A primary and its replica; `url` leads to the primary, whichever that is."""

    url: str

    def lose(self) -> EmbeddedStore:
        """Kill the primary, and destroy its disk. Returns what is left."""
        ...

    async def replace(self) -> None:
        """Return when the replica leads and, on a new disk, has a replica."""
        ...


class _Pair:
    def __init__(self, primary: EmbeddedStore, replica: EmbeddedStore) -> None:
        self._primary, self._replica = primary, replica

    def lose(self) -> EmbeddedStore:
        """See `Primaries.lose`."""
        lost = self._primary
        lost.kill()
        shutil.rmtree(lost.data_dir)
        self._primary, self._replica = self._replica, lost
        return self._primary

    async def _refill(self) -> None:
        host, port = address(self._primary.url)
        # While it is empty it must not be promoted: a sentinel that takes a slow primary for down
        # would do so.
        no_candidate = ("--replica-priority", "0")
        self._replica.options = ["--replicaof", f"{host} {port}", *OPTIONS, *no_candidate]
        self._replica.start()
        await until(lambda: is_in_sync(self._replica))
        await ask(self._replica, "CONFIG", "SET", "replica-priority", "100")


class _ByName(_Pair):
    """Behind one address, which an operator has lead to the promoted replica."""

    def __init__(self, primary: EmbeddedStore, replica: EmbeddedStore, name: Proxy) -> None:
        super().__init__(primary, replica)
        self._name = name
        self.url = name.url

    async def replace(self) -> None:
        """See `Primaries.replace`."""
        await ask(self._primary, "REPLICAOF", "NO", "ONE")
        self._name.lead_to(self._primary.url)
        await self._refill()


class _BySentinels(_Pair):
    """Three sentinels promote the replica."""

    def __init__(self, primary: EmbeddedStore, replica: EmbeddedStore, url: str) -> None:
        super().__init__(primary, replica)
        self.url = url

    async def replace(self) -> None:
        """See `Primaries.replace`."""
        await until(lambda: has_role(self._primary, "master"))
        await self._refill()


class _OfCluster:
    """The primary of the table's slot in a cluster, which promotes its replica."""

    def __init__(self, cluster: StoreCluster) -> None:
        self._cluster = cluster
        self.url = cluster.url
        self._find()

    def lose(self) -> EmbeddedStore:
        """See `Primaries.lose`."""
        self._lost.kill()
        shutil.rmtree(self._lost.data_dir)
        return self._replica

    async def replace(self) -> None:
        """See `Primaries.replace`."""
        await until(lambda: self._replica.is_primary)
        self._cluster.refill(self._lost, self._lost_id, self._replica)
        self._find()

    def _find(self) -> None:
        self._lost = self._cluster.primary_of(keys.timers(TABLE))
        self._lost_id = self._lost.node_id
        self._replica = self._cluster.replica_of(self._lost)


@asynccontextmanager
async def by_name(directory: Path) -> AsyncIterator[Primaries]:
    """A primary behind a plain address."""
    with ExitStack() as stack:
        primary = EmbeddedStore(directory / "one")
        primary.options = [*OPTIONS]
        stack.enter_context(primary)
        replica = stack.enter_context(replica_of(primary, directory / "two", *OPTIONS))
        await until(lambda: is_in_sync(replica))
        async with Proxy(primary.url) as name:
            yield _ByName(primary, replica, name)


@asynccontextmanager
async def by_sentinels(directory: Path) -> AsyncIterator[Primaries]:
    """A primary that sentinels name."""
    with sentinels(directory, *SENTINEL_LINES, options=OPTIONS) as found:
        await found.agree()
        primary, replica = found.stores
        yield _BySentinels(primary, replica, found.url)


@asynccontextmanager
async def in_a_cluster(directory: Path) -> AsyncIterator[Primaries]:
    """A primary of a cluster."""
    with StoreCluster(directory, *OPTIONS) as cluster:
        yield _OfCluster(cluster)
