"""A run from the outside: its processes, and what they tell second by second."""

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

from server.load.plan import Plan
from server.load.tally import Tally
from server.load.worker import work

_WATCH_SECONDS: Final = 1.0


class RunFailed(Exception):
    """A process of the tool did not come to its end. The text is for the user."""


class Run:
    """A plan that is being played. `seconds` are the tallies of each second so far."""

    def __init__(self, plan: Plan, processes: int) -> None:
        self.seconds: list[Tally] = []
        self._told: dict[Connection, int] = {}
        # A fork would take along this process's threads' locks.
        context = multiprocessing.get_context("spawn")
        self._processes: list[BaseProcess] = []
        for part in range(processes):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=work, args=(plan, part, processes, theirs), daemon=True
            )
            process.start()
            theirs.close()
            self._processes.append(process)
            self._told[ours] = 0

    def watch(self, show: Callable[[Sequence[Tally]], None]) -> None:
        """Return when everyone has left; `show` gets the seconds that are over about once a
        second. Ctrl-C or SIGTERM sends everyone home early. Raises RunFailed."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._send_home)
        while self._told:
            for pipe in wait(list(self._told), _WATCH_SECONDS):
                self._listen(pipe)  # type: ignore[arg-type]  # only pipes were given
            # A second is over when every process that still plays has told of it.
            show(self.seconds[: min(self._told.values(), default=None)])
        for process in self._processes:
            process.join()
            if process.exitcode != 0:
                raise RunFailed(f"a process of the load tool ended with {process.exitcode}")

    def _listen(self, pipe: Connection) -> None:
        try:
            tally = pipe.recv()
        except EOFError:
            del self._told[pipe]
            return
        second = self._told[pipe]
        self._told[pipe] += 1
        if second == len(self.seconds):
            self.seconds.append(Tally())
        self.seconds[second].add(tally)

    def _send_home(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
