"""The store is looked at again and again, whatever happened the last time."""

from server.dev.store import EmbeddedStore
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.store.monitor import StoreMonitor
from server.store.shard_connection import ShardConnection
from server.store.timings import StoreTimings
from server.store.topology import PlainShard
from tests.support.replication import ask
from tests.support.wait import until

OFTEN = StoreTimings(command_seconds=20, inspect_seconds=0.05)


class FailsOnce(ShardConnection):
    """A connection whose first look fails as nothing that is known of a store does."""

    looks = 0

    async def look_again(self) -> None:
        """See `Connection.look_again`."""
        self.looks += 1
        if self.looks == 1:
            raise LookupError("nobody thought of this")
        await super().look_again()


async def test_a_look_that_failed_for_no_known_reason_is_not_the_last(
    own_store: EmbeddedStore,
) -> None:
    shard = PlainShard(own_store.url)
    connection = FailsOnce(shard, StoreClock(), Metrics(), OFTEN)
    monitor = StoreMonitor(connection, list, allow_weak=False, timings=OFTEN)
    monitor.attach()
    monitor.start()
    await until(lambda: monitor.trusted)
    await ask(own_store, "CONFIG", "SET", "appendfsync", "everysec")
    await until(lambda: not monitor.trusted)
    await monitor.stop()
    await connection.close()
    await shard.stop()
