import pytest

from tests.bench.fanout.contenders import in_javascript
from tests.bench.nodejs import measure, table


async def test_a_stored_command_is_measured_beside_node(store_url: str) -> None:
    if not in_javascript():
        pytest.skip("node and npm are not installed")
    turns = await measure(store_url, rounds=1, games=1, concurrency=4)
    assert [len(timing.latencies_ms) for timings in turns.values() for timing in timings] == [
        10,
        10,
    ]
    assert "Socket.IO, ioredis" in table(turns)
