"""Many operations under a load, and their latencies, throughput and processor time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from tests.bench.support.percentiles import p50_p99
from tests.bench.support.usage import cpu_seconds

Operation = Callable[[], Awaitable[object]]
Load = Callable[[Iterable[Operation]], Awaitable[None]]
"""A load model: it carries out the operations, and returns when all are done."""


def closed_loop(concurrency: int) -> Load:
    """So many operations at any time, the next as soon as one is done: as fast as it goes."""

    async def carry_out(operations: Iterable[Operation]) -> None:
        waiting = iter(operations)

        async def worker() -> None:
            for operation in waiting:
                await operation()

        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(worker())

    return carry_out


def open_loop(rate: float) -> Load:
    """So many operations are begun a second, however many are still under way."""

    async def carry_out(operations: Iterable[Operation]) -> None:
        now_s = asyncio.get_running_loop().time
        begun_s = now_s()
        async with asyncio.TaskGroup() as group:
            for position, operation in enumerate(operations):
                await asyncio.sleep(begun_s + position / rate - now_s())
                group.create_task(_awaited(operation))

    return carry_out


async def _awaited(operation: Operation) -> None:
    await operation()


@dataclass(slots=True)
class Timing:
    """What operations of one kind took: the latency of each, the time of all together, and the
    processor time that the process which serves them used meanwhile."""

    latencies_ms: list[float] = field(default_factory=list)
    elapsed_seconds: float = 0.0
    cpu_seconds: float = 0.0

    async def add(self, load: Load, operations: Iterable[Operation], pid: int) -> None:
        """Carry out further operations, which the process `pid` serves, and count them in."""
        timed = [partial(self._time, operation) for operation in operations]
        begun_s, cpu_before_seconds = time.perf_counter(), cpu_seconds(pid)
        await load(timed)
        self.elapsed_seconds += time.perf_counter() - begun_s
        self.cpu_seconds += cpu_seconds(pid) - cpu_before_seconds

    async def _time(self, operation: Operation) -> None:
        begun_s = time.perf_counter()
        await operation()
        self.latencies_ms.append((time.perf_counter() - begun_s) * 1000)

    @property
    def p50_p99_ms(self) -> tuple[float, float]:
        """The median and the 99th percentile of the latencies."""
        return p50_p99(self.latencies_ms)

    @property
    def rate(self) -> float:
        """Operations a second."""
        return len(self.latencies_ms) / self.elapsed_seconds

    @property
    def cpu_us(self) -> float:
        """The processor time of one operation, in microseconds."""
        return self.cpu_seconds / len(self.latencies_ms) * 1e6

    @property
    def core_share(self) -> float:
        """The share of one core that the process used: 1 is all of it."""
        return self.cpu_seconds / self.elapsed_seconds
