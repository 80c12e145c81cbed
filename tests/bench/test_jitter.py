from pathlib import Path

from server.dev.store import EmbeddedStore
from tests.bench.jitter import line, measure


async def test_every_call_is_measured(own_store: EmbeddedStore, tmp_path: Path) -> None:
    late = await measure(own_store, tmp_path, lobbies=5, interval_seconds=0.2, calls=3)
    assert len(late.received_ms) == len(late.decided_ms) >= 15
    assert all(received_ms > 0 for received_ms in late.received_ms)
    assert "p99" in line("received", late.received_ms)
