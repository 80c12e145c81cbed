"""A process that has imported all of our program once, and forks itself for each start of it.

To import the modules costs more than most programs under test do afterwards. What is started like
this is a process of its own all the same: the child of the process that asked for it, with nothing
of this one's but the modules. As with `die_with_parent`, it ends when its parent does.
"""

import ctypes
import gc
import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol

import protocol
import server
from server.cli.main import main as fair_bingo
from server.runtime.die_with_parent import PR_SET_PDEATHSIG, die_with_parent

FAIR_BINGO: Final = str(Path(sys.executable).with_name("fair-bingo"))
_PR_SET_CHILD_SUBREAPER: Final = 36  # linux/prctl.h
_prctl: Final = ctypes.CDLL(None).prctl
_INTERPRETER_PREFIXES: Final = ("PYTHON", "LD_")
"""How variables begin that the interpreter or the loader reads when it starts: a fork would not see
them."""


class Started(Protocol):
    """A child process, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def poll(self) -> int | None:
        """Its exit code; minus the signal that ended it; None while it runs."""
        ...

    def wait(self) -> int:
        """Its exit code, when it has ended."""
        ...

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""
        ...


class ForkedChild:
    """A child of this process that the fork server started."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._exit_code: int | None = None

    def poll(self) -> int | None:
        return self._wait(os.WNOHANG)

    def wait(self) -> int:
        exit_code = self._wait(0)
        assert exit_code is not None
        return exit_code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def _wait(self, options: int) -> int | None:
        if self._exit_code is None:
            found, status = os.waitpid(self.pid, options)
            if found:
                self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code


class ForkServer:
    """Started when it is first asked for a program. Linux only."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def can_start(self, command: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Whether it is a program of ours, with nothing in its environment for the interpreter."""
        is_ours = command[0] == FAIR_BINGO or list(command[:2]) == [sys.executable, "-c"]
        given = [name for name in environment if name != "PYTHONUNBUFFERED"]
        from_file = any(name.startswith(_INTERPRETER_PREFIXES) for name in given)
        return sys.platform == "linux" and is_ours and not from_file

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], output_path: Path
    ) -> ForkedChild:
        """Start `fair-bingo ...` or `python -c ...`, whose output goes to a file."""
        if self._process is None:
            self._process = subprocess.Popen(
                die_with_parent([sys.executable, "-m", __name__]),
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        request = {
            "parent": os.getpid(),
            "command": list(command),
            "environment": dict(environment),
            "directory": str(Path.cwd()),
            "output": str(output_path),
        }
        into, out = self._process.stdin, self._process.stdout
        assert into is not None
        assert out is not None
        # What is forked there becomes an orphan, and the child of its nearest subreaper: of us.
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        try:
            into.write(json.dumps(request).encode() + b"\n")
            into.flush()
            return ForkedChild(int(out.readline()))
        finally:
            _prctl(_PR_SET_CHILD_SUBREAPER, 0)

    def stop(self) -> None:
        """End it; what it started goes on."""
        if self._process is not None:
            self._process.communicate()


def _serve() -> Any:
    """Fork for each request. Returns the request in each child, and None in this process when there
    are no more."""
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        reading, writing = os.pipe()
        middle = os.fork()
        if not middle:
            middle = os.getpid()
            if child := os.fork():
                os.write(writing, str(child).encode())
                os._exit(0)
            os.close(reading)
            os.close(writing)
            _settle(request, middle)
            return request
        os.close(writing)
        pid = os.read(reading, 100)
        os.close(reading)
        os.waitpid(middle, 0)
        os.write(sys.stdout.fileno(), pid + b"\n")
    return None


def _settle(request: Any, middle: int) -> None:
    """Wait to become the child of the process that asked, and take its directory, its environment,
    and the output file for stdout and stderr. `middle` is the parent until then."""
    while os.getppid() == middle:
        time.sleep(0.0005)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != request["parent"]:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(request["output"], os.O_WRONLY)
    for ours, its in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(ours, its)
    os.close(nothing)
    os.close(output)


def _run(command: list[str]) -> None:
    """Run what Python would run for this command."""
    main = ModuleType("__main__")
    sys.modules["__main__"] = main
    if command[0] == FAIR_BINGO:
        sys.argv = command
        fair_bingo()
    else:
        sys.argv = command[1:2] + command[3:]
        exec(command[2], vars(main))  # noqa: S102 - it is a test's own program


def _import_all() -> None:
    for package in (server, protocol):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." not in module.name:  # Alembic runs those
                import_module(module.name)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the forked processes
    _import_all()
    gc.collect()
    gc.freeze()
    asked = _serve()
    if asked is not None:
        _run(asked["command"])
