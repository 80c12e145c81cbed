"""Which cores a benchmark uses: what is measured has one to itself, all else is on another."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

CORES: Final = tuple(sorted(os.sched_getaffinity(0)))
"""All that this process was given. On a single one, all share it."""
SERVER_CORE: Final = CORES[0]
OTHER_CORE: Final = CORES[-1]
"""For the players, the store and whatever else is not measured."""


def move_to(core: int, pid: int = 0) -> None:
    """Keep a process on that core, and what it starts from now on; 0 is this process."""
    os.sched_setaffinity(pid, {core})


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run on that core, also what is started meanwhile, and afterwards where it was before."""
    before = os.sched_getaffinity(0)
    move_to(core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
