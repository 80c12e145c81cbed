"""What a server costs under several Pythons: `python -m tests.bench.pythons PYTHON... [--turns N]`.

Each PYTHON is an interpreter that has all that a server needs installed, of the same versions. They
take turns: at sending an event to a client in a room of ten, as tests.bench.fanout does, and at a
player who goes from one game to the next, as in tests.bench.turnover. Linux; in the first the
server has a core to itself. `--instructions`: nothing is timed, but valgrind counts what is
executed outside the kernel for a game below the transport, which other load on the machine does not
change.
"""

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from server.dev.store import EmbeddedStore
from server.load.descriptors import raise_limit
from tests.bench.fanout.contenders import Contender, join_socketio
from tests.bench.fanout.measure import measure
from tests.bench.fanout.work import Shape
from tests.bench.support.callgrind import HOST, control, counted, dumped
from tests.bench.support.cores import CORES, OTHER_CORE, SERVER_CORE, move_to
from tests.bench.turnover import cpu_us
from tests.support.guides import ROOT

SHAPE: Final = Shape(sockets=1000, room_size=10)
VERSION: Final = "import platform; print(platform.python_version())"

Found = Mapping[str, Sequence[float]]
"""What each turn took, by the path of the Python."""


def delivery_cpu_us(pythons: Sequence[str], slices: int) -> Found:
    """The processor time of sending an event to one client, in microseconds, in each slice."""
    server = ("-m", "tests.bench.fanout.servers.ours")
    path = f"PYTHONPATH={ROOT}"  # and each has packages of its own
    contenders = [Contender(p, ("env", path, p, *server), join_socketio) for p in pythons]
    slices_of = measure(
        contenders, SHAPE, slices=slices, slice_seconds=0.4, server_core=SERVER_CORE
    )
    return {python: [each.cpu_us for each in slices] for python, slices in slices_of.items()}


async def in_turn(
    measure: Callable[[str], Awaitable[float]], pythons: Sequence[str], turns: int
) -> Found:
    """What `measure` returns for each Python, taking turns so many times."""
    found: dict[str, list[float]] = {python: [] for python in pythons}
    for _ in range(turns):
        for python, each in found.items():
            each.append(await measure(python))
    return found


async def instructions(python: str, games: int) -> float:
    """What a Python executes outside the kernel for a game: the mean of so many."""
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        counts = Path(directory) / "counts"
        child = await asyncio.create_subprocess_exec(
            *(*counted(counts), python, "-m", "tests.bench.support.play_games"),
            env={"PATH": os.environ["PATH"], "HOST": HOST, "REDIS_URL": store.url}
            | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        await _play(child, 1)
        await control(child.pid, "--instr=on")
        # Valgrind translates anew what it is to count, the first time that it is executed.
        await _play(child, 1)
        await control(child.pid, "--zero")
        await _play(child, games)
        await control(child.pid, "--dump")
        assert child.stdin is not None
        child.stdin.close()
        await child.wait()
        return dumped(counts, 1) / games


async def _play(child: asyncio.subprocess.Process, games: int) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"%d\n" % games)
    assert await child.stdout.readline() == b"played\n"


def table(heading: str, found: Found) -> str:
    """The medians, and each as a multiple of the first Python's."""
    first = median(next(iter(found.values())))
    lines = [heading]
    for python, turns in found.items():
        version = subprocess.check_output([python, "-c", VERSION], text=True).strip()
        middle = median(turns)
        spread = f"of {min(turns):,.1f} to {max(turns):,.1f}"
        share = f"{middle / first:.2f} of the first"
        lines.append(f"  {version:9}{middle:14,.1f}  {spread:34}{share}  {python}")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pythons", nargs="+", metavar="PYTHON")
    parser.add_argument("--slices", type=int, default=20)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--instructions", action="store_true")
    given = parser.parse_args()
    if given.instructions:
        of_a_game = partial(instructions, games=given.rounds)
        counts = asyncio.run(in_turn(of_a_game, given.pythons, given.turns))
        sys.stdout.write(f"{table('a game without its end, instructions', counts)}\n")
        return
    move_to(OTHER_CORE)
    raise_limit(len(given.pythons) * SHAPE.sockets)
    costs_us = delivery_cpu_us(given.pythons, given.slices)
    sys.stdout.write(f"{table('an event to a client, us of CPU', costs_us)}\n")
    os.sched_setaffinity(0, CORES)
    of_a_player = partial(cpu_us, ROOT, given.rounds)
    costs_us = uvloop.run(in_turn(of_a_player, given.pythons, given.turns))
    sys.stdout.write(f"{table('a player from one game to the next, us of CPU', costs_us)}\n")


if __name__ == "__main__":
    main()
