"""The store that a URL names: its shards, and the connections to them."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.store_url import read_store_url
from server.store.channels import Channels
from server.store.connection import Connection, ShardConnection
from server.store.health import StoreHealth
from server.store.replica_wait import NO_WAIT, ReplicaWait
from server.store.sentinel import SentinelShard
from server.store.subscription import ShardSubscription, Subscription
from server.store.timings import TIMINGS, StoreTimings
from server.store.topology import PlainShard, Shard


class Topology(ABC):
    """What the store is made of. Whoever connects to it asks here."""

    @abstractmethod
    def start(self) -> None:
        """Begin to find out by itself when a primary moves, if that can be."""

    @abstractmethod
    async def stop(self) -> None:
        """End that, and close what was opened for it."""

    @abstractmethod
    def connection(
        self, clock: StoreClock, metrics: Metrics, wait: ReplicaWait = NO_WAIT
    ) -> Connection:
        """A connection for commands, which waits for replicas with each answer."""

    @abstractmethod
    def subscription(self, channels: Channels, on_restored: Callable[[], None]) -> Subscription:
        """A subscription, which is not started."""

    @abstractmethod
    def health(self) -> StoreHealth:
        """Who asks how it is."""


class OneShard(Topology):
    """All tables on one primary."""

    def __init__(self, shard: Shard, timings: StoreTimings = TIMINGS) -> None:
        self._shard = shard
        self._timings = timings

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

    def health(self) -> StoreHealth:
        """See `Topology.health`."""
        return StoreHealth(self._shard)


def open_topology(
    url: str, sentinel_password: str | None = None, timings: StoreTimings = TIMINGS
) -> Topology:
    """The topology of a URL, of which `read_store_url` reads the parts."""
    parts = read_store_url(url)
    if parts.kind == "plain":
        return OneShard(PlainShard(url, timings), timings)
    shard = SentinelShard(parts.template, parts.nodes, parts.name, sentinel_password, timings)
    return OneShard(shard, timings)
