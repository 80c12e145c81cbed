"""How long things take that are done many at a time, and what that costs a processor."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import quantiles

Work = Callable[[], Awaitable[object]]
Drive = Callable[[Sequence[Work]], Awaitable[None]]
"""A way to do many things: it returns when all are done."""


def at_once(how_many: int) -> Drive:
    """So many at any time, the next as soon as one is done: as fast as it goes."""

    async def drive(works: Sequence[Work]) -> None:
        turns = iter(works)

        async def worker() -> None:
            for work in turns:
                await work()

        async with asyncio.TaskGroup() as group:
            for _ in range(how_many):
                group.create_task(worker())

    return drive


def paced(per_second: float) -> Drive:
    """So many a second are begun, whatever became of the others."""

    async def drive(works: Sequence[Work]) -> None:
        now = asyncio.get_running_loop().time
        begun_s = now()
        async with asyncio.TaskGroup() as group:
            for position, work in enumerate(works):
                await asyncio.sleep(begun_s + position / per_second - now())
                group.create_task(_done(work))

    return drive


async def _done(work: Work) -> None:
    await work()


@dataclass(slots=True)
class Timing:
    """What was done one way. `cpu_seconds` are those of whoever had the work to do."""

    each_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    async def take(self, drive: Drive, works: Iterable[Work], pid: int) -> None:
        """Do all `works` too; they are the work of the process `pid`."""
        timed = [partial(self._time, work) for work in works]
        begun_s, cpu_seconds = time.perf_counter(), cpu_seconds_of(pid)
        await drive(timed)
        self.seconds += time.perf_counter() - begun_s
        self.cpu_seconds += cpu_seconds_of(pid) - cpu_seconds

    async def _time(self, work: Work) -> None:
        begun_s = time.perf_counter()
        await work()
        self.each_ms.append((time.perf_counter() - begun_s) * 1000)

    @property
    def percentiles_ms(self) -> tuple[str, str]:
        """The median and the 99th percentile."""
        percent = quantiles(self.each_ms, n=100, method="inclusive")
        return f"{percent[49]:.2f}", f"{percent[98]:.2f}"

    @property
    def per_second(self) -> str:
        """How many were done in a second."""
        return f"{len(self.each_ms) / self.seconds:,.0f}"

    @property
    def cpu_us(self) -> str:
        """The processor time of one, in microseconds."""
        return f"{self.cpu_seconds / len(self.each_ms) * 1e6:,.0f}"

    @property
    def busy_percent(self) -> str:
        """How much of its core the worker used."""
        return f"{100 * self.cpu_seconds / self.seconds:.0f} %"


def cpu_seconds_of(pid: int) -> float:
    """The processor time that a process has used so far."""
    # clock_getcpuclockid(3), which Python has not: Linux makes the clock's number like this.
    return time.clock_gettime(~pid << 3 | 2)
