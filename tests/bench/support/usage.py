"""Processor time and memory of processes, as Linux counts them."""

import asyncio
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_SAMPLE_SECONDS: Final = 0.05


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used so far. Raises OSError if there is none."""
    # clock_getcpuclockid(3), which Python does not have: Linux makes the clock's id like this.
    return time.clock_gettime(~pid << 3 | 2)


def rss_bytes(pid: int) -> int:
    """The resident set of a process: what it has in memory. Raises OSError if there is none."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


class Usage:
    """The processor time and memory of a process, sampled once a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._samples: list[tuple[float, int]] = []

    def cpu_percent(self, begin: int, end: int) -> float:
        """The share of one core that it used between two seconds of the sampling."""
        used_seconds = self._samples[end][0] - self._samples[begin][0]
        return 100 * used_seconds / (end - begin)

    def rss_bytes(self, second: int) -> int:
        """Its memory in that second of the sampling."""
        return self._samples[second][1]

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """Take samples meanwhile, the first at once."""
        sampling = asyncio.create_task(self._sample())
        try:
            yield
        finally:
            sampling.cancel()

    async def _sample(self) -> None:
        now_s = asyncio.get_running_loop().time
        begun_s = now_s()
        while True:
            self._samples.append((cpu_seconds(self._pid), rss_bytes(self._pid)))
            await asyncio.sleep(begun_s + len(self._samples) - now_s())


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A command that has ended: what it took, and what it printed on either stream. `peak_bytes` is
    the most memory that it had, but for the last twentieth of a second."""

    exit_code: int
    elapsed_seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


def run(command: Sequence[str], variables: Mapping[str, str] = MappingProxyType({})) -> FinishedRun:
    """Run a command to its end, with PATH and these variables as its environment. Its processor
    time includes that of processes which it starts itself."""
    environment = {"PATH": os.environ["PATH"], **variables}
    with TemporaryFile("w+") as output:
        begun_s = time.perf_counter()
        child = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
        with _peak_sampled(child.pid) as peaks_bytes:
            _, status, used = os.wait4(child.pid, 0)
            elapsed_seconds = time.perf_counter() - begun_s
        child.returncode = os.waitstatus_to_exitcode(status)  # nothing is left to wait for
        output.seek(0)
        return FinishedRun(
            child.returncode,
            elapsed_seconds,
            used.ru_utime + used.ru_stime,
            max(peaks_bytes, default=0),
            output.read(),
        )


@contextmanager
def _peak_sampled(pid: int) -> Iterator[list[int]]:
    # Not `ru_maxrss`: Linux counts the parent's memory into it, which a new process shares until it
    # becomes another program.
    peaks_bytes: list[int] = []
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            with suppress(OSError):  # it has ended
                found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
                if found is not None:
                    peaks_bytes.append(int(found[1]) * 1024)

    sampling = threading.Thread(target=sample)
    sampling.start()
    try:
        yield peaks_bytes
    finally:
        ended.set()
        sampling.join()
