"""Whether this process serves, as `/health/ready` and the webhook ask."""

from server.assembly.stores import Stores
from server.services.tick_scheduler import TickScheduler
from server.store.subscription import Subscription
from server.transport.http.health import Readiness


class ReadinessCheck:
    """Whether the process is starting, ok (or degraded, while one of its parts does not work) or
    draining. `is_leaving`: another process serves in its place, and its scheduler has stopped."""

    def __init__(
        self, stores: Stores, subscription: Subscription, scheduler: TickScheduler
    ) -> None:
        self.is_leaving = False
        self._phase: Readiness = "starting"
        self._stores = stores
        self._subscription = subscription
        self._scheduler = scheduler

    def begun(self) -> None:
        """From now on it serves."""
        self._phase = "ok"

    def draining(self) -> None:
        """From now on it takes nothing new."""
        self._phase = "draining"

    def state(self) -> Readiness:
        """The state by now."""
        several = len(self._stores.connection.shards) > 1  # any of them may be away
        calls = self._scheduler.alive_somewhere if several else self._scheduler.alive
        works = self._subscription.alive and (calls or self.is_leaving)
        if self._phase == "ok" and not (works and self._stores.monitor.trusted):
            return "degraded"
        return self._phase

    def may_take_payments(self) -> bool:
        """Whether the store is known, and known to keep what it acknowledges."""
        return self._phase != "starting" and self._stores.monitor.trusted
