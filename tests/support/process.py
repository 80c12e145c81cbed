"""Programs under test as processes of their own: started, watched, paused and always ended."""

import os
import re
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from server.runtime.die_with_parent import die_with_parent
from tests.support.fork_server import ForkServer, Started
from tests.support.http import answers
from tests.support.wait import TIMEOUT_SECONDS, until


class ChildProcess:
    """A running command. Its environment is PATH and what is given, nothing else of ours; what it
    prints, on stdout or stderr, is in `output`. Programs of ours are forked by `fork_server`, if
    there is one: to have a new interpreter, start `sys.executable` with the program's file."""

    fork_server: ClassVar[ForkServer | None] = None

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], output_path: Path
    ) -> None:
        self._output_path = output_path
        environment = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **environment}
        self._child = self._start(command, environment)

    def _start(self, command: Sequence[str], environment: Mapping[str, str]) -> Started:
        with self._output_path.open("wb") as output:
            if self.fork_server is not None and self.fork_server.can_start(command, environment):
                return self.fork_server.start(command, environment, self._output_path)
            return subprocess.Popen(
                die_with_parent(list(command)),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def output(self) -> str:
        """All that it printed so far."""
        return self._output_path.read_text(errors="replace")

    @property
    def told(self) -> list[str]:
        """The lines that it printed so far but those of the log, where a program on a slow machine
        may say that it waits for the store."""
        return [line for line in self.output.splitlines() if not line.startswith("{")]

    @property
    def exit_code(self) -> int | None:
        """Its exit code; minus the signal that ended it; None while it runs."""
        return self._child.poll()

    async def wait_for_line(
        self, pattern: str, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> re.Match[str]:
        """The first match of the regular expression in what it printed, when there is one.

        Raises AssertionError, with the output, when it ends before or the time is up.
        """

        async def printed() -> bool:
            return self._search(pattern) is not None

        await self._until(printed, timeout_seconds)
        match = self._search(pattern)
        assert match is not None
        return match

    async def wait_for_url(
        self, url: str, status: int = 200, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        """Return when `url` answers with this status. Raises as `wait_for_line` does."""
        await self._until(lambda: answers(url, status), timeout_seconds)

    async def wait(self, timeout_seconds: float = TIMEOUT_SECONDS) -> int:
        """The exit code, when it has ended. Raises AssertionError when it has not in time."""
        await until(lambda: self.exit_code is not None, timeout_seconds)
        return self._child.wait()

    def terminate(self) -> None:
        """Ask it to end (SIGTERM)."""
        self._child.send_signal(signal.SIGTERM)

    def pause(self) -> None:
        """Make it hang (SIGSTOP)."""
        self._child.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause` (SIGCONT)."""
        self._child.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it with SIGKILL, paused or not, and return when it has ended."""
        self._child.send_signal(signal.SIGKILL)
        self._child.wait()

    def _search(self, pattern: str) -> re.Match[str] | None:
        return re.search(pattern, self.output, re.MULTILINE)

    async def _until(self, holds: Callable[[], Awaitable[bool]], timeout_seconds: float) -> None:
        held = False

        async def holds_or_ended() -> bool:
            nonlocal held
            has_ended = self.exit_code is not None  # before: then it has printed all
            held = await holds()
            return held or has_ended

        try:
            await until(holds_or_ended, timeout_seconds)
            assert held, f"it ended with exit code {self.exit_code}"
        except AssertionError as error:
            error.add_note(f"it printed:\n{self.output}")
            raise


class StartProcess(Protocol):
    """What the fixture `start_process` gives."""

    def __call__(self, *command: str, **environment: str) -> ChildProcess:
        """Start the command; the end of the test kills it."""
        ...
