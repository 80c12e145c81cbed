"""What a server costs under several Pythons: `python -m tests.bench.pythons PYTHON... [--turns N]`.

Each PYTHON is an interpreter that has all that a server needs installed, of the same versions. They
take turns: at sending an event to a client in a room of ten (tests.bench.fanout), and at a player
who goes from one game to the next (tests.bench.turnover). Linux; the server has the first core, all
else the last. `--instructions`: nothing is timed, but with valgrind it is counted what is executed
outside the kernel for a game (tests.bench.played), which other load on the machine does not change.
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
from tests.bench.turnover import HERE, control, cpu_us, total

SHAPE: Final = Shape(sockets=1000, room_size=10)
VERSION: Final = "import platform; print(platform.python_version())"

Found = Mapping[str, Sequence[float]]
"""What each turn took, by Python."""
OneTurn = Callable[[str], Awaitable[float]]


def deliveries(pythons: Sequence[str], slices: int, core: int) -> Found:
    """The processor time, in microseconds, of sending an event to one client, from the server's
    loop to the kernel."""
    server = ("-m", "tests.bench.fanout.servers.ours")
    path = f"PYTHONPATH={HERE}"  # each has packages of its own
    contenders = [Contender(p, ("env", path, p, *server), join_socketio) for p in pythons]
    runs = measure(contenders, SHAPE, slices=slices, slice_seconds=0.4, server_core=core)
    return {python: [run.cpu_us for run in of] for python, of in runs.items()}


async def in_turn(measure: OneTurn, pythons: Sequence[str], turns: int) -> Found:
    """What each takes by `measure`."""
    found: dict[str, list[float]] = {python: [] for python in pythons}
    for _ in range(turns):
        for python, each in found.items():
            each.append(await measure(python))
    return found


async def instructions(python: str, games: int) -> float:
    """What is executed for a game."""
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        counts = Path(directory) / "counts"
        child = await asyncio.create_subprocess_exec(
            *("valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no"),
            *(f"--callgrind-out-file={counts}", python, "-m", "tests.bench.played"),
            # The names of valgrind's pipes have the variable HOST in them.
            env={"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "REDIS_URL": store.url}
            | {"PYTHONPATH": str(HERE), "PYTHONHASHSEED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        await _play(child, 1)
        await control(child.pid, "--instr=on")
        await _play(child, 1)  # what is counted for the first time is translated anew
        await control(child.pid, "--zero")
        await _play(child, games)
        await control(child.pid, "--dump")
        assert child.stdin is not None
        child.stdin.close()
        await child.wait()
        return total(Path(f"{counts}.1")) / games


async def _play(child: asyncio.subprocess.Process, games: int) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"%d\n" % games)
    assert await child.stdout.readline() == b"played\n"


def table(what: str, found: Found) -> str:
    """The medians, and what part of the first one's each is."""
    first = median(next(iter(found.values())))
    lines = [what]
    for python, times in found.items():
        version = subprocess.check_output([python, "-c", VERSION], text=True).strip()
        middle = median(times)
        spread = f"of {min(times):,.1f} to {max(times):,.1f}"
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
        counted = asyncio.run(in_turn(of_a_game, given.pythons, given.turns))
        sys.stdout.write(f"{table('a game without its end, instructions', counted)}\n")
        return
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    raise_limit(len(given.pythons) * SHAPE.sockets)
    costs = deliveries(given.pythons, given.slices, cores[0])
    sys.stdout.write(f"{table('an event to a client, us of CPU', costs)}\n")
    os.sched_setaffinity(0, cores)
    of_a_player = partial(cpu_us, HERE, given.rounds)
    turned = uvloop.run(in_turn(of_a_player, given.pythons, given.turns))
    sys.stdout.write(f"{table('a player from one game to the next, us of CPU', turned)}\n")


if __name__ == "__main__":
    main()
