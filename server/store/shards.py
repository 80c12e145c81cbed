"""The store that a URL names: its shards, and the connections to them."""

from collections.abc import Callable

from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.store_url import read_store_url
from server.store.channels import Channels
from server.store.cluster import Cluster
from server.store.connection import Connection
from server.store.health import ShardHealthCheck, StoreHealthCheck
from server.store.parts import Topology
from server.store.replica_wait import NO_WAIT, ReplicaWait
from server.store.sentinel import SentinelShard
from server.store.shard_connection import ShardConnection
from server.store.subscription import ShardSubscription
from server.store.timings import TIMINGS, StoreTimings
from server.store.topology import PlainShard, Shard


class OneShard(Topology):
    """All tables on one primary."""

    def __init__(self, shard: Shard, timings: StoreTimings = TIMINGS) -> None:
        self._shard = shard
        self._timings = timings

    async def check(self) -> None:
        """See `Topology.check`."""
        await self._shard.check()

    def start(self) -> None:
        """See `Topology.start`."""
        self._shard.start()

    async def stop(self) -> None:
        """See `Topology.stop`."""
        await self._shard.stop()

    def connection(
        self, clock: StoreClock, metrics: Metrics, wait: ReplicaWait = NO_WAIT
    ) -> Connection:
        """See `Topology.connection`."""
        return ShardConnection(self._shard, clock, metrics, self._timings, wait)

    def subscription(
        self, channels: Channels, on_restored: Callable[[], None]
    ) -> ShardSubscription:
        """See `Topology.subscription`."""
        return ShardSubscription(self._shard, channels, on_restored, self._timings)

    def health(self) -> StoreHealthCheck:
        """See `Topology.health`."""
        return ShardHealthCheck(self._shard)


def open_topology(
    url: str, sentinel_password: str | None = None, timings: StoreTimings = TIMINGS
) -> Topology:
    """The topology of a URL, of which `read_store_url` reads the parts."""
    parts = read_store_url(url)
    if parts.kind == "plain":
        return OneShard(PlainShard(url, timings), timings)
    if parts.kind == "cluster":
        return Cluster(parts.template, parts.nodes, timings)
    shard = SentinelShard(parts.template, parts.nodes, parts.name, sentinel_password, timings)
    return OneShard(shard, timings)
