"""The most players that a server holds well: `python -m tests.bench.highest [--most N] ...`.

Found by itself: runs of tests.bench.capacity with ever more players, and then in between, until
the highest number is known to a tenth at which joins stay under 250 ms and pushes under 100 ms
(p99), and nobody missed an event. In the same run the machine's own speed is measured, so that what
two machines hold can be compared. Two cores, Linux.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from server.dev.store import EmbeddedStore
from tests.bench.capacity import Size, measure
from tests.bench.speed import speed_of_machine

MOST_MS: Final = {"join_p99_ms": 250, "push_p99_ms": 100}
CLOSE_ENOUGH: Final = 1.1
SPEEDS: Final = (60_000, 120_000, 240_000, 480_000)

Holds = Callable[[int], Awaitable[bool]]


async def highest(holds: Holds, start: int, most: int) -> int:
    """The highest number, to a tenth and up to `most`, that `holds`; 0 if not even a small part of
    `start` does."""
    low, high = 0, start
    while await holds(high):
        if high >= most:
            return high
        low, high = high, min(2 * high, most)
    while high > max(CLOSE_ENOUGH * low, start / 8):
        middle = (low + high) // 2
        if await holds(middle):
            low = middle
        else:
            high = middle
    return low


async def is_held(
    players: int, *, core: int, seconds: float, call_interval_seconds: float, come_a_second: float
) -> bool:
    """Whether a server on that core holds so many players well, who come at that rate and play for
    so long. Prints what it found."""
    size = Size(
        players=players,
        call_interval_seconds=call_interval_seconds,
        ramp_seconds=max(5.0, players / come_a_second),
        seconds=seconds,
    )
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory) / "store") as store:
        (found,) = await measure(size, store, Path(directory), [core])
    # There is no time of what nobody did meanwhile.
    times_ms = {name: found[name] or 0 for name in MOST_MS}
    well = found["missed"] == 0 and all(times_ms[name] < most for name, most in MOST_MS.items())
    sys.stdout.write(f"{players:,} players: {'well' if well else 'not well'}; {_in_short(found)}\n")
    return well


def _in_short(found: dict[str, Any]) -> str:
    cpu, memory = found["server_cpu_percent"], found["kb_a_player"]
    times = ", ".join(f"{name} {found[name]}" for name in (*MOST_MS, "late_p99_ms"))
    return f"{times}; {cpu} % of a core, {memory} kB a player, {found['missed']} missed"


def expectation(players: float, deliveries: float) -> str:
    """What one worker of any machine may be expected to hold, if one with so many bare deliveries a
    second holds so many players."""
    each_thousand = players / deliveries * 1000
    rows = [
        f"{each_thousand:.0f} players at 3 s for each 1,000 bare deliveries a second",
        "bare deliveries a second   players at 3 s, a worker",
    ]
    rows += [f"{speed:24,}{each_thousand * speed / 1000:27,.0f}" for speed in SPEEDS]
    return "\n".join(rows)


async def main(given: argparse.Namespace, core: int) -> float:
    """Find it, and print it: as many players with calls at 3 s."""
    holds = partial(
        is_held,
        core=core,
        seconds=given.seconds,
        call_interval_seconds=given.call_interval_seconds,
        come_a_second=given.come_a_second,
    )
    if given.only is None:
        found = await highest(holds, given.start, given.most)
    else:
        found = given.only if await holds(given.only) else 0
    at_three: float = found * 3 / given.call_interval_seconds
    sys.stdout.write(
        f"held well: {found:,} players, as many as {at_three:,.0f} with calls at 3 s\n"
    )
    return at_three


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--start", type=int, default=1000, help="players in the first run")
    parser.add_argument("--most", type=int, default=20_000, help="try no more players")
    parser.add_argument("--only", type=int, help="try this many players, and no other number")
    parser.add_argument("--seconds", type=float, default=60, help="how long all play in a run")
    parser.add_argument("--come-a-second", type=float, default=150, help="players, until all play")
    parser.add_argument("--call-interval-seconds", type=float, default=1.08)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    first, last = cores[0], cores[-1]
    os.sched_setaffinity(0, {last})  # the store and the players; servers are moved to the first
    before = speed_of_machine(first)
    held = asyncio.run(main(options, first))
    after = speed_of_machine(first)
    sys.stdout.write(f"before: {before}\nafter: {after}\n")
    sys.stdout.write(f"{expectation(held, (before.deliveries + after.deliveries) / 2)}\n")
