"""What the fork server starts is as if it had been started from its file."""

import os
import signal
import sys
from pathlib import Path

from tests.support.fork_server import FAIR_BINGO, ForkServer
from tests.support.process import StartProcess
from tests.support.wait import until

PRINT = "import os, sys; print(sorted(os.environ), sys.argv, os.getppid(), 'typer' in sys.modules)"
FORK_AND_WAIT = """
import os, pathlib, signal, sys
from tests.support.fork_server import ForkServer
output = pathlib.Path(sys.argv[1])
output.touch()
command = [sys.executable, "-c", "import signal; print('forked', flush=True); signal.pause()"]
print("started", ForkServer().start(command, {"PATH": os.environ["PATH"]}, output).pid, flush=True)
signal.pause()
"""


async def test_what_is_forked_is_our_child_with_what_it_is_given_and_all_modules(
    start_process: StartProcess,
) -> None:
    process = start_process(sys.executable, "-c", PRINT, "an argument", WANTED="yes")
    assert await process.wait() == 0, process.output
    names = ["PATH", "PYTHONUNBUFFERED", "WANTED"]
    assert process.output == f"{names} ['-c', 'an argument'] {os.getpid()} True\n"


async def test_a_program_that_fails_ends_as_any_other(start_process: StartProcess) -> None:
    process = start_process(sys.executable, "-c", "import sys; sys.exit('why')")
    assert (await process.wait(), process.output) == (1, "why\n")
    process = start_process(sys.executable, "-c", "1 / 0")
    assert await process.wait() == 1
    assert process.output.endswith("ZeroDivisionError: division by zero\n")
    process = start_process(FAIR_BINGO, "nonsense")
    assert await process.wait() == 2
    assert "No such command" in process.output


async def test_it_ends_when_whoever_asked_for_it_is_killed(
    start_process: StartProcess, tmp_path: Path
) -> None:
    output = tmp_path / "forked"
    parent = start_process(sys.executable, "-B", "-c", FORK_AND_WAIT, str(output))
    pid = int((await parent.wait_for_line(r"^started (\d+)$"))[1])
    await until(lambda: output.read_text() == "forked\n")
    os.kill(parent.pid, signal.SIGKILL)
    await until(lambda: not runs(pid))


def runs(pid: int) -> bool:
    """Whether a process is there, and not only what is left of it."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_depends_on_how_python_starts_is_not_forked() -> None:
    can_start = ForkServer().can_start
    assert can_start([FAIR_BINGO, "serve"], {"PATH": "/bin", "PYTHONUNBUFFERED": "1"})
    assert not can_start([FAIR_BINGO, "serve"], {"PYTHONPATH": "/elsewhere"})
    assert not can_start([sys.executable, FAIR_BINGO, "serve"], {})
    assert not can_start(["node", "script.mjs"], {})
