from pathlib import Path

from server.dev.store import EmbeddedStore
from tests.bench.jitter import measure


async def test_every_call_is_measured(own_store: EmbeddedStore, tmp_path: Path) -> None:
    lateness = await measure(own_store, tmp_path, lobbies=5, interval_seconds=0.2, calls=3)
    assert len(lateness.received_ms) == len(lateness.committed_ms) >= 15
    assert all(received_ms > 0 for received_ms in lateness.received_ms)
