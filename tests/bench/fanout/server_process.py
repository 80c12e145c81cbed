"""A server of the comparison as a process of its own, and what that takes."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from server.runtime.die_with_parent import die_with_parent
from tests.bench.support.usage import rss_bytes


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Processor time of one process, in its own code and in the kernel on its behalf."""

    user_seconds: float
    system_seconds: float

    @property
    def total_seconds(self) -> float:
        """Both."""
        return self.user_seconds + self.system_seconds

    def since(self, earlier: "CpuTime") -> "CpuTime":
        """What came in addition to an earlier one."""
        return CpuTime(
            self.user_seconds - earlier.user_seconds, self.system_seconds - earlier.system_seconds
        )


class ServerProcess:
    """A running server, which listens at `port` and plays the rounds that it is asked for. On that
    core, or on any. It is killed with the context."""

    def __init__(self, command: tuple[str, ...], core: int | None) -> None:
        self._popen = subprocess.Popen(
            die_with_parent(list(command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        if core is not None:
            os.sched_setaffinity(self._popen.pid, {core})
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._requests = self._popen.stdin.fileno()
        self.port = int(self._popen.stdout.readline())

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def request(self, rounds: int) -> None:
        """Have it play so many more rounds."""
        os.write(self._requests, b"." * rounds)

    def cpu_time(self) -> CpuTime:
        """What it took so far, counted in hundredths of a second."""
        fields = Path(f"/proc/{self._popen.pid}/stat").read_text().rpartition(") ")[2].split()
        tick_seconds = 1 / os.sysconf("SC_CLK_TCK")
        return CpuTime(int(fields[11]) * tick_seconds, int(fields[12]) * tick_seconds)

    def memory_bytes(self) -> int:
        """Its resident set."""
        return rss_bytes(self._popen.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._popen.kill()
        self._popen.communicate()
