"""A run as the parent process sees it: the worker processes, and the stats that they report."""

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

from server.load.scenario import Scenario
from server.load.stats import IntervalStats
from server.load.worker import work

_SHOW_SECONDS: Final = 1.0


class RunFailed(Exception):
    """A worker process ended with an error. The text is for the user."""


class Run:
    """A scenario that is being played by that many worker processes, which start at once.
    `seconds` are the stats of each second so far, added up over the workers."""

    def __init__(self, scenario: Scenario, processes: int) -> None:
        self.seconds: list[IntervalStats] = []
        self._reported: dict[Connection, int] = {}  # seconds of each worker that still runs
        # A fork would copy the locks that other threads of this process hold.
        context = multiprocessing.get_context("spawn")
        self._processes: list[BaseProcess] = []
        for part in range(processes):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=work, args=(scenario, part, processes, theirs), daemon=True
            )
            process.start()
            theirs.close()
            self._processes.append(process)
            self._reported[ours] = 0

    def watch(self, show: Callable[[Sequence[IntervalStats]], None]) -> None:
        """Return when all participants have left. About once a second `show` is called with the
        seconds that are over. SIGINT (Ctrl-C) or SIGTERM starts the ramp-down early. Raises
        RunFailed."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._terminate)
        while self._reported:
            for pipe in wait(list(self._reported), _SHOW_SECONDS):
                self._receive(pipe)  # type: ignore[arg-type]  # only pipes were given
            # A second is over when every worker that still runs has reported it.
            show(self.seconds[: min(self._reported.values(), default=None)])
        for process in self._processes:
            process.join()
            if process.exitcode != 0:
                raise RunFailed(f"a process of the load tool ended with {process.exitcode}")

    def _receive(self, pipe: Connection) -> None:
        try:
            stats = pipe.recv()
        except EOFError:
            del self._reported[pipe]
            return
        second = self._reported[pipe]
        self._reported[pipe] += 1
        if second == len(self.seconds):
            self.seconds.append(IntervalStats())
        self.seconds[second].add(stats)

    def _terminate(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
