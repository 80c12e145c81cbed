"""The most players that a server holds well: `python -m tests.bench.highest [--most N] ...`.

A search: runs of tests.bench.capacity with ever more players, and then in between, until the
highest number is known to a tenth at which joins stay under 250 ms and pushes under 100 ms (p99),
and nobody missed an event. Before and after it the machine's own speed is measured, so that what
two machines hold can be compared. Two cores, Linux.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from server.dev.store import EmbeddedStore
from tests.bench.capacity import Size, measure
from tests.bench.support.cores import OTHER_CORE, SERVER_CORE, move_to
from tests.bench.support.machine_speed import measure_machine

LIMITS_MS: Final = {"join_p99_ms": 250, "push_p99_ms": 100}
PRECISION: Final = 1.1
DELIVERIES_PER_SECOND: Final = (60_000, 120_000, 240_000, 480_000)

Holds = Callable[[int], Awaitable[bool]]


async def highest(holds: Holds, start: int, most: int) -> int:
    """The highest number, to a tenth and up to `most`, that `holds`; 0 if not even a small part of
    `start` does."""
    low, high = 0, start
    while await holds(high):
        if high >= most:
            return high
        low, high = high, min(2 * high, most)
    while high > max(PRECISION * low, start / 8):
        middle = (low + high) // 2
        if await holds(middle):
            low = middle
        else:
            high = middle
    return low


async def is_held(
    players: int, *, seconds: float, call_interval_seconds: float, arrival_rate: float
) -> bool:
    """Whether a server holds so many players well, so many of whom arrive a second, and who then
    play for so long. Prints what it found."""
    size = Size(
        players=players,
        call_interval_seconds=call_interval_seconds,
        ramp_seconds=max(5.0, players / arrival_rate),
        seconds=seconds,
    )
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory) / "store") as store:
        (figures,) = await measure(size, store, Path(directory), [SERVER_CORE])
    # What nobody did meanwhile has no latency.
    well = figures["missed"] == 0 and all(
        (figures[name] or 0) < limit_ms for name, limit_ms in LIMITS_MS.items()
    )
    outcome = "well" if well else "not well"
    sys.stdout.write(f"{players:,} players: {outcome}; {_summary(figures)}\n")
    return well


def _summary(figures: dict[str, Any]) -> str:
    cpu, memory = figures["server_cpu_percent"], figures["kb_a_player"]
    times = ", ".join(f"{name} {figures[name]}" for name in (*LIMITS_MS, "late_p99_ms"))
    return f"{times}; {cpu} % of a core, {memory} kB a player, {figures['missed']} missed"


def expectation(players_at_3_s: float, deliveries_per_second: float) -> str:
    """A table of what one worker of other machines may be expected to hold, if one of a machine
    with so many bare deliveries a second holds so many players with calls at 3 s."""
    each_thousand = players_at_3_s / deliveries_per_second * 1000
    rows = [
        f"{each_thousand:.0f} players at 3 s for each 1,000 bare deliveries a second",
        "bare deliveries a second   players at 3 s, a worker",
    ]
    rows += [f"{speed:24,}{each_thousand * speed / 1000:27,.0f}" for speed in DELIVERIES_PER_SECOND]
    return "\n".join(rows)


async def main(given: argparse.Namespace) -> float:
    """Find the number, and print it. Returns how many players with calls at 3 s receive as much."""
    holds = partial(
        is_held,
        seconds=given.seconds,
        call_interval_seconds=given.call_interval_seconds,
        arrival_rate=given.arrival_rate,
    )
    if given.only is None:
        players = await highest(holds, given.start, given.most)
    else:
        players = given.only if await holds(given.only) else 0
    players_at_3_s: float = players * 3 / given.call_interval_seconds
    sys.stdout.write(
        f"held well: {players:,} players, as many as {players_at_3_s:,.0f} with calls at 3 s\n"
    )
    return players_at_3_s


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--start", type=int, default=1000, help="players in the first run")
    parser.add_argument("--most", type=int, default=20_000, help="try no more players")
    parser.add_argument("--only", type=int, help="try this many players, and no other number")
    parser.add_argument("--seconds", type=float, default=60, help="how long all play in a run")
    parser.add_argument("--arrival-rate", type=float, default=150, help="players a second")
    parser.add_argument("--call-interval-seconds", type=float, default=1.08)
    options = parser.parse_args()
    move_to(OTHER_CORE)  # the store and the players; servers are moved to theirs
    before = measure_machine(SERVER_CORE)
    held = asyncio.run(main(options))
    after = measure_machine(SERVER_CORE)
    sys.stdout.write(f"before: {before}\nafter: {after}\n")
    deliveries = (before.deliveries_per_second + after.deliveries_per_second) / 2
    sys.stdout.write(f"{expectation(held, deliveries)}\n")
