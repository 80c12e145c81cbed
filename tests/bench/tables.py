"""Commits a second of a tier of several tables, on one primary and on three:
`python -m tests.bench.tables [SECONDS]`.

One process commits as fast as it can, on a core of its own; all stores are on the other. What each
process takes of its core says which of them is the limit: the rest of the time a store waits for
its file.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from server.dev.store import EmbeddedStore
from server.rules.events import Event, FormingExtended
from server.rules.lobby import Lobby
from server.services.lobbies import Changed
from tests.bench.commands_timing import cpu_seconds_of
from tests.support.cluster import StoreCluster
from tests.support.game import PATIENT, Node

TABLES = 8
PLAYERS = 480
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Rate:
    """Commits a second, and how much of a core the process took that makes them, and each store."""

    a_second: float
    process: float
    stores: Sequence[float]

    def line(self, name: str) -> str:
        """As a line of the table."""
        of_stores = ", ".join(f"{share:.0%}" for share in self.stores)
        return f"| {name} | {self.a_second:,.0f} | {self.process:.0%} | {of_stores} |\n"


async def commits_a_second(url: str, pids: Sequence[int], seconds: float) -> Rate:
    """How many commits a second one process makes in lobbies of all tables at the store at `url`,
    of which those are the processes."""
    node = Node(url, TABLES_PER_TIER=str(TABLES), timings=PATIENT)
    try:
        await node.start()
        seats = await asyncio.gather(*(node.sit(f"player-{place}") for place in range(PLAYERS)))
        lobby_ids = {seated.lobby.lobby_id for seated in seats}
        for lobby_id in lobby_ids:
            assert await node.replicas.acquire(lobby_id)
        end_s = time.perf_counter() + seconds

        async def keep_changing(lobby_id: str) -> int:
            changes = 0
            while time.perf_counter() < end_s:
                assert isinstance(await node.lobbies.change(lobby_id, _one_later), Changed)
                changes += 1
            return changes

        processes = (os.getpid(), *pids)
        before = [cpu_seconds_of(pid) for pid in processes]
        started = time.perf_counter()
        made = await asyncio.gather(*map(keep_changing, lobby_ids))
        took = time.perf_counter() - started
        used = [cpu_seconds_of(pid) - b for pid, b in zip(processes, before, strict=True)]
        own, *of_stores = [each / took for each in used]
        return Rate(sum(made) / took, own, of_stores)
    finally:
        await node.close()


def _one_later(lobby: Lobby, _now_ms: float) -> Sequence[Event]:
    return [FormingExtended(deadline=(lobby.deadline or 0) + 1)]


def apart(pids: Sequence[int]) -> None:
    """These on one core, this process on the others, where there are several."""
    first, *others = sorted(os.sched_getaffinity(0))
    if others:
        for pid in pids:
            os.sched_setaffinity(pid, {first})
        os.sched_setaffinity(0, set(others))


def main(seconds: float) -> None:
    """Measure both, and print a line for each."""
    cores = os.sched_getaffinity(0)
    sys.stdout.write(
        "| stores | commits a second | the process, of its core | stores, of theirs |\n"
    )
    sys.stdout.write("|---|---|---|---|\n")
    with tempfile.TemporaryDirectory() as directory:
        with EmbeddedStore(Path(directory) / "one") as store:
            apart([store.pid])
            rate = uvloop.run(commits_a_second(store.url, [store.pid], seconds))
            sys.stdout.write(rate.line("one primary"))
        os.sched_setaffinity(0, cores)
        with StoreCluster(Path(directory) / "three", replicas=False) as cluster:
            pids = [member.pid for member in cluster.members]
            apart(pids)
            rate = uvloop.run(commits_a_second(cluster.url, pids, seconds))
            sys.stdout.write(rate.line("three primaries"))
        os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
