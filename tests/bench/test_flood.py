from pathlib import Path

from server.dev.store import EmbeddedStore
from tests.bench.flood import measure
from tests.bench.support.percentiles import summary


async def test_pushes_are_measured_with_and_without_a_flood(
    own_store: EmbeddedStore, tmp_path: Path
) -> None:
    pushes = await measure(
        own_store, tmp_path, lobbies=3, watchers=2, seconds=30, pause_seconds=0.1
    )
    assert pushes.cut_off > 0
    for each_ms in (pushes.without_ms, pushes.with_ms):
        assert len(each_ms) > 10
        assert "p99" in summary("without a flood", "pushes", each_ms)
