"""The topology of a cluster: each table on the primary of its slot."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.store_url import Address
from server.store.channels import Channels
from server.store.cluster_connection import ClusterConnection
from server.store.cluster_map import ClusterMap
from server.store.cluster_node import NodeShard
from server.store.cluster_subscription import ClusterSubscription
from server.store.errors import StoreUnavailable
from server.store.health import PING_SECONDS, ShardHealthCheck, ShardState, StoreHealthCheck
from server.store.parts import Topology
from server.store.replica_wait import NO_WAIT, ReplicaWait
from server.store.shard_connection import ShardConnection
from server.store.subscription import ShardSubscription
from server.store.timings import TIMINGS, StoreTimings

log = structlog.get_logger(__name__)


class Cluster(Topology):
    """A cluster, of which the nodes at `seeds` are known. `url` is a plain one, for all but the
    address."""

    def __init__(self, url: str, seeds: Sequence[Address], timings: StoreTimings = TIMINGS) -> None:
        self._timings = timings
        self.map = ClusterMap(url, seeds, timings)

    async def check(self) -> None:
        """See `Topology.check`."""
        await self.map.look()

    def start(self) -> None:
        """See `Topology.start`."""
        self.map.start()

    async def stop(self) -> None:
        """See `Topology.stop`."""
        await self.map.stop()

    def connection(
        self, clock: StoreClock, metrics: Metrics, wait: ReplicaWait = NO_WAIT
    ) -> ClusterConnection:
        """See `Topology.connection`."""

        def make(node: NodeShard) -> ShardConnection:
            return ShardConnection(node, clock, metrics, self._timings, wait)

        if not wait:  # else this is a second one
            self.map.on_gone(lambda: metrics.failovers.inc())
        return ClusterConnection(self.map, make, clock, metrics, self._timings)

    def subscription(
        self, channels: Channels, on_restored: Callable[[], None]
    ) -> ClusterSubscription:
        """See `Topology.subscription`."""

        def make(node: NodeShard, restored: Callable[[], None]) -> ShardSubscription:
            return ShardSubscription(node, channels, restored, self._timings)

        return ClusterSubscription(self.map, make, on_restored, self._timings)

    def health(self) -> StoreHealthCheck:
        """See `Topology.health`."""
        return ClusterHealthCheck(self.map)


class ClusterHealthCheck(StoreHealthCheck):
    """Asks every primary, on a connection of its own to each."""

    kind = "cluster"

    def __init__(self, cluster: ClusterMap) -> None:
        self._cluster = cluster
        self._nodes: dict[NodeShard, ShardHealthCheck] = {}

    async def states(self) -> Sequence[ShardState]:
        """See `StoreHealthCheck.states`."""
        healths = await self._of_primaries()
        found = await asyncio.gather(*(health.states() for health in healths))
        return [state for states in found for state in states]

    async def has_sharded_channels(self) -> bool:
        """Whether all primaries that answer have them. Raises StoreUnavailable if none does."""
        healths = await self._of_primaries()
        asked = (health.has_sharded_channels() for health in healths)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        found = [answer for answer in answers if not isinstance(answer, BaseException)]
        if not found:
            raise StoreUnavailable("no primary answers")
        return all(found)

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(health.close() for health in self._nodes.values()))

    async def _of_primaries(self) -> Sequence[ShardHealthCheck]:
        if not self._cluster.primaries:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._cluster.look()
            except (StoreUnavailable, TimeoutError) as error:
                log.info("cluster_does_not_answer", error=str(error))
        return [
            self._nodes.setdefault(node, ShardHealthCheck(node)) for node in self._cluster.primaries
        ]
