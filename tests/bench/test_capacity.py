import os
from pathlib import Path

from server.dev.store import EmbeddedStore
from tests.bench.capacity import Size, measure


async def test_a_server_at_capacity_is_measured(own_store: EmbeddedStore, tmp_path: Path) -> None:
    size = Size(players=20, servers=2, ramp_seconds=1, seconds=8, load_processes=1)
    found = await measure(size, own_store, tmp_path, sorted(os.sched_getaffinity(0)))
    assert [server["sockets"] for server in found] == [20, 20]
    assert [server["missed"] for server in found] == [0, 0]
    assert all(server["server_cpu_percent"] > 0 for server in found)
    assert all(server["health_p95_ms"] > 0 for server in found)
