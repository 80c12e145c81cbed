"""What connects to the store, whatever it is made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.store.channels import Channels
from server.store.connection import Connection
from server.store.health import StoreHealthCheck
from server.store.replica_wait import NO_WAIT, ReplicaWait
from server.store.subscription import Subscription


class Topology(ABC):
    """What the store is made of. Whoever connects to it asks here."""

    @abstractmethod
    async def check(self) -> None:
        """Raise WrongTopology if what answers is not what the URL names, or StoreUnavailable if
        nothing does and that is known already."""

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
    def health(self) -> StoreHealthCheck:
        """Who asks how it is."""
