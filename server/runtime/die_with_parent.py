"""Children that do not outlive their parent, not even one that is killed.

This file is also the small program that `die_with_parent` puts in front of a command. It runs in a
process of its own because `preexec_fn`, the other way to run code between fork and exec, can
deadlock in a process that has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(command: list[str]) -> list[str]:
    """The command to start instead of `command`, so that the child gets SIGKILL when its parent
    ends in any way.

    "Parent" is the thread that starts it: start it from one that lives as long as the child
    should. The child keeps its process id. Linux only; elsewhere it outlives its parent.
    """
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _become(parent_pid: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:
            sys.exit("the parent ended before its child could end with it")
    os.execvp(command[0], command)  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
