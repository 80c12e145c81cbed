"""How fast this machine is at the two things that bound a server: to write a frame to a socket, and
to commit to the store; by raw asyncio and a bare script, without anything else of ours."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from server.dev.store import EmbeddedStore
from tests.bench.fanout.contenders import RAW
from tests.bench.fanout.measure import measure
from tests.bench.fanout.work import Shape
from tests.bench.support.payment_commit import commit_like_a_payment
from tests.bench.support.timing import closed_loop
from tests.support.game import starting_nodes

CONCURRENCY: Final = 32


@dataclass(frozen=True, slots=True)
class MachineSpeed:
    """Deliveries of a frame to a socket in a second of one core; and commits of nine writes in a
    second, by one process over one connection."""

    deliveries_per_second: float
    commits_per_second: float

    def __str__(self) -> str:
        return (
            f"{self.deliveries_per_second:,.0f} bare deliveries"
            f" and {self.commits_per_second:,.0f} bare commits a second"
        )


def measure_machine(
    core: int, *, sockets: int = 1000, slices: int = 10, commits: int = 5000
) -> MachineSpeed:
    """Measure both: the server that writes frames on that core; the store, its client and all other
    clients wherever this process may run."""
    return MachineSpeed(
        _deliveries_per_second(core, sockets, slices), asyncio.run(_commits_per_second(commits))
    )


def _deliveries_per_second(core: int, sockets: int, slices: int) -> float:
    shape = Shape(sockets, room_size=10)
    measured = measure((RAW,), shape, slices=slices, slice_seconds=0.4, server_core=core)[RAW.name]
    return 1e6 / median(each.cpu_us for each in measured)


async def _commits_per_second(count: int) -> float:
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        async with starting_nodes() as start:
            node = await start(store.url)
            lobbies = (f"lobby:{{bench}}:{number}" for number in range(count))
            commits = [partial(commit_like_a_payment, node, lobby, 1) for lobby in lobbies]
            begun_s = time.perf_counter()
            await closed_loop(CONCURRENCY)(commits)
            return count / (time.perf_counter() - begun_s)
