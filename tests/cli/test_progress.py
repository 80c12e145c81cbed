"""Long commands report how far they are, on a terminal and nowhere else."""

import os
import pty
import subprocess
import sys

from tests.support.wait import TIMEOUT_SECONDS

CODE = """
from server.cli.progress import progress
with progress("games replayed", 3) as replayed:
    replayed(2)
    import time; time.sleep(0.5)  # so that it is drawn
    print("a line")
"""


def said_on_a_terminal(*command: str) -> tuple[str, str]:
    """What a command prints on stdout, and on stderr, which is a terminal."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=theirs, timeout=TIMEOUT_SECONDS, check=True
    )
    os.close(theirs)
    said = b""
    try:
        while more := os.read(ours, 65536):
            said += more
    except OSError:  # the other end is closed: that was all
        pass
    os.close(ours)
    return done.stdout.decode(), said.decode()


def test_a_terminal_shows_how_far_the_work_is() -> None:
    printed, shown = said_on_a_terminal(sys.executable, "-c", CODE)
    assert printed == "a line\n"
    assert "2 of 3 games replayed" in shown


def test_elsewhere_nothing_is_shown() -> None:
    done = subprocess.run(
        (sys.executable, "-c", CODE), capture_output=True, timeout=TIMEOUT_SECONDS, check=True
    )
    assert (done.stdout, done.stderr) == (b"a line\n", b"")
