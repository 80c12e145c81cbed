"""That the benchmark still runs; its figures mean nothing here."""

import sys

from tests.bench.support.serving import BENCHMARK_SECONDS
from tests.support.process import StartProcess


async def test_the_benchmark_prints_a_row_for_each_limit_and_each_durability(
    start_process: StartProcess,
) -> None:
    arguments = ["--deliveries", "40", "--concurrency", "4"]
    process = start_process(sys.executable, "-m", "tests.bench.webhook", *arguments)
    assert await process.wait(BENCHMARK_SECONDS) == 0, process.output
    for row in ("Ed25519 check", "commit, appendfsync always", "delivery, appendfsync everysec"):
        assert row in process.output
