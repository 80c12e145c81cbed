"""What a server costs under several Pythons: `python -m tests.bench.pythons PYTHON... [--turns N]`.

Each PYTHON is an interpreter that has all that a server needs installed, of the same versions. They
take turns: at sending an event to a client in a room of ten (tests.bench.fanout), and at a player
who goes from one game to the next (tests.bench.turnover). Linux; the server has the first core, all
else the last.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

import uvloop

from server.load.descriptors import raise_limit
from tests.bench.fanout.contenders import Contender, join_socketio
from tests.bench.fanout.measure import measure
from tests.bench.fanout.work import Shape
from tests.bench.turnover import HERE, cpu_us

SHAPE: Final = Shape(sockets=1000, room_size=10)
VERSION: Final = "import platform; print(platform.python_version())"

Times = Mapping[str, Sequence[float]]
"""Processor times in microseconds, by Python."""


def deliveries(pythons: Sequence[str], slices: int, core: int) -> Times:
    """Of sending an event to one client, from the server's loop to the kernel."""
    server = ("-m", "tests.bench.fanout.servers.ours")
    path = f"PYTHONPATH={HERE}"  # each has packages of its own
    contenders = [Contender(p, ("env", path, p, *server), join_socketio) for p in pythons]
    runs = measure(contenders, SHAPE, slices=slices, slice_seconds=0.4, server_core=core)
    return {python: [run.cpu_us for run in of] for python, of in runs.items()}


async def turnovers(pythons: Sequence[str], turns: int, rounds: int) -> Times:
    """Of a player from one game to the next."""
    found: dict[str, list[float]] = {python: [] for python in pythons}
    for _ in range(turns):
        for python, times in found.items():
            times.append(await cpu_us(HERE, rounds, python))
    return found


def table(what: str, found: Times) -> str:
    """The medians, each with the first one's as a multiple of it."""
    first = median(next(iter(found.values())))
    lines = [f"{what}, us of CPU"]
    for python, times in found.items():
        version = subprocess.check_output([python, "-c", VERSION], text=True).strip()
        middle = median(times)
        spread = f"of {min(times):,.1f} to {max(times):,.1f}"
        share = f"{middle / first:.2f} of the first"
        lines.append(f"  {version:9}{middle:10,.1f}  {spread:28}{share}  {python}")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pythons", nargs="+", metavar="PYTHON")
    parser.add_argument("--slices", type=int, default=20)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=100)
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    raise_limit(len(given.pythons) * SHAPE.sockets)
    costs = deliveries(given.pythons, given.slices, cores[0])
    sys.stdout.write(f"{table('an event to a client', costs)}\n")
    os.sched_setaffinity(0, cores)
    turned = uvloop.run(turnovers(given.pythons, given.turns, given.rounds))
    sys.stdout.write(f"{table('a player from one game to the next', turned)}\n")


if __name__ == "__main__":
    main()
