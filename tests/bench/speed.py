"""How fast this machine is at the two things that bound a server: what it takes to write a frame to
a socket, and to commit to the store; without anything of ours around them."""

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from server.dev.store import EmbeddedStore
from tests.bench.commands_timing import at_once
from tests.bench.fanout.contenders import RAW
from tests.bench.fanout.measure import measure
from tests.bench.fanout.work import Shape
from tests.bench.webhook import commit_like_a_payment
from tests.support.game import PATIENT, starting_nodes

AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Speed:
    """Deliveries of a frame by raw asyncio, and commits of nine writes by the bare script over one
    connection, in a second of one core each."""

    deliveries: float
    commits: float

    def __str__(self) -> str:
        return (
            f"{self.deliveries:,.0f} bare deliveries and {self.commits:,.0f} bare commits a second"
        )


def speed_of_machine(
    core: int, *, sockets: int = 1000, slices: int = 10, commits: int = 5000
) -> Speed:
    """Measure it, on that core. The store and the clients are wherever this process is."""
    return Speed(_deliveries(core, sockets, slices), asyncio.run(_commits(commits)))


def _deliveries(core: int, sockets: int, slices: int) -> float:
    shape = Shape(sockets, room_size=10)
    runs = measure((RAW,), shape, slices=slices, slice_seconds=0.4, server_core=core)[RAW.name]
    return 1e6 / median(run.cpu_us for run in runs)


async def _commits(count: int) -> float:
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        async with starting_nodes(timings=PATIENT) as start:
            node = await start(store.url)
            lobbies = (f"lobby:{{bench}}:{number}" for number in range(count))
            works = [partial(commit_like_a_payment, node, lobby, 1) for lobby in lobbies]
            clock = asyncio.get_running_loop().time
            begun_s = clock()
            await at_once(AT_ONCE)(works)
            return count / (clock() - begun_s)
