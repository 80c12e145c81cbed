"""The processor time of something that this process does again and again."""

import time
from collections.abc import Awaitable, Callable, Mapping

Costs = Mapping[str, float]
"""Processor time in microseconds, by what it is spent on."""


def cpu_us(do: Callable[[], object], times: int) -> float:
    """The processor time of this process for one `do`, in microseconds: the mean of so many."""
    begun_ns = time.process_time_ns()
    for _ in range(times):
        do()
    return (time.process_time_ns() - begun_ns) / 1000 / times


async def awaited_cpu_us(do: Callable[[], Awaitable[None]], times: int) -> float:
    """The same for what has to be awaited; the waiting itself costs nothing."""
    begun_ns = time.process_time_ns()
    for _ in range(times):
        await do()
    return (time.process_time_ns() - begun_ns) / 1000 / times
