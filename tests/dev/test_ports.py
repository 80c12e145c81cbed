"""Free ports are given to one process at a time, and to each once."""

import subprocess
import sys

from server.dev.ports import free_port

_TAKE = "from server.dev.ports import _claim, _claims; print(_claim(_claims(), {port}))"


def test_a_port_is_given_to_one_process_until_that_ends() -> None:
    code = "from server.dev.ports import free_port; print(free_port(), flush=True); input()"
    with subprocess.Popen(
        (sys.executable, "-c", code), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        assert _is_taken_by_others(port)
        other.communicate("\n")
    assert not _is_taken_by_others(port)


def test_a_process_is_given_no_port_twice() -> None:
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)


def _is_taken_by_others(port: int) -> bool:
    code = _TAKE.format(port=port)
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, check=True, text=True)
    return done.stdout == "False\n"
