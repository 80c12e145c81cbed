"""What processes use, as Linux counts it."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Usage:
    """CPU and memory of processes, noted once a second."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._notes: list[tuple[float, int]] = []

    def cpu_percent(self, begin: int, end: int) -> float:
        """The share of one core that they used between two seconds."""
        used_seconds = self._notes[end][0] - self._notes[begin][0]
        return 100 * used_seconds / (end - begin)

    def rss_bytes(self, second: int) -> int:
        """The memory that they held then."""
        return self._notes[second][1]

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Take notes meanwhile, from second 0 on."""
        noting = asyncio.create_task(self._note())
        try:
            yield
        finally:
            noting.cancel()

    async def _note(self) -> None:
        begin = asyncio.get_running_loop().time()
        while True:
            found = [_used(pid) for pid in self._pids]
            self._notes.append((sum(cpu for cpu, _ in found), sum(rss for _, rss in found)))
            next_at = begin + len(self._notes)
            await asyncio.sleep(next_at - asyncio.get_running_loop().time())


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that a process took so far."""
    return _used(pid)[0]


def _used(pid: int) -> tuple[float, int]:
    """Seconds of CPU so far, and bytes of memory; proc(5) counts the fields from 1."""
    fields = ["", "", "", *Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()]
    cpu_ticks = int(fields[14]) + int(fields[15])
    return cpu_ticks / _TICKS_A_SECOND, int(fields[24]) * _PAGE_BYTES
