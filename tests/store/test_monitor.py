"""The store is looked at again and again, whatever happened the last time."""

import structlog

from server.dev.store import EmbeddedStore
from server.store.timings import StoreTimings
from tests.support.game import StartNode
from tests.support.replication import asked
from tests.support.wait import until

OFTEN = StoreTimings(command=20, inspect=0.05)


async def test_a_look_that_failed_for_no_known_reason_is_not_the_last(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url, timings=OFTEN)
    monitor = node.stores.monitor
    monitor.attach()
    with structlog.testing.capture_logs() as logs:
        monitor.start()
        await asked(own_store, "ACL", "SETUSER", "default", "-ping")
        await until(lambda: "store_look_failed" in [entry["event"] for entry in logs])
    await asked(own_store, "ACL", "SETUSER", "default", "+ping")
    await asked(own_store, "CONFIG", "SET", "appendfsync", "everysec")
    await until(lambda: not monitor.trusted)
    await asked(own_store, "CONFIG", "SET", "appendfsync", "always")
    await until(lambda: monitor.trusted)
