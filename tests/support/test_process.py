"""Child processes are watched, paused, and ended."""

import signal
import sys

import pytest

from server.dev.ports import free_port
from tests.support.process import StartProcess
from tests.support.wait import until

PRINT_THE_ENVIRONMENT = "import os; print(sorted(os.environ))"
SAY_AND_WAIT = "import signal; print('ready 7'); signal.pause()"
COUNT = "import itertools, time; [(print(n), time.sleep(0.005)) for n in itertools.count()]"


async def test_a_line_is_found_while_the_process_runs(start_process: StartProcess) -> None:
    process = start_process(sys.executable, "-c", SAY_AND_WAIT)
    assert (await process.wait_for_line(r"^ready (\d)$"))[1] == "7"
    assert process.exit_code is None


async def test_waiting_for_a_line_ends_with_the_process(start_process: StartProcess) -> None:
    process = start_process(sys.executable, "-c", "print('other')")
    with pytest.raises(AssertionError, match="exit code 0"):
        await process.wait_for_line("^ready$")


async def test_a_url_is_waited_for(start_process: StartProcess) -> None:
    port = free_port()
    process = start_process(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port))
    await process.wait_for_url(f"http://127.0.0.1:{port}/missing", status=404)


async def test_the_environment_is_what_is_given(start_process: StartProcess) -> None:
    process = start_process(sys.executable, "-I", "-c", PRINT_THE_ENVIRONMENT, WANTED="yes")
    assert await process.wait() == 0
    for name in ("PATH", "PYTHONUNBUFFERED", "WANTED"):
        assert f"'{name}'" in process.output
    assert "PYTEST_CURRENT_TEST" not in process.output


async def test_a_terminated_process_shows_the_signal(start_process: StartProcess) -> None:
    process = start_process(sys.executable, "-c", SAY_AND_WAIT)
    await process.wait_for_line("^ready")
    process.terminate()
    assert await process.wait() == -signal.SIGTERM


async def test_a_paused_process_goes_on_when_it_is_resumed(start_process: StartProcess) -> None:
    process = start_process(sys.executable, "-c", COUNT)
    await process.wait_for_line("^3$")
    process.pause()
    printed = len(process.output)
    process.resume()
    await until(lambda: len(process.output) > printed)


async def test_a_paused_process_can_be_killed(start_process: StartProcess) -> None:
    process = start_process(sys.executable, "-c", SAY_AND_WAIT)
    process.pause()
    process.kill()
    assert process.exit_code == -signal.SIGKILL
