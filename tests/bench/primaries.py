"""Commits a second of a tier of several tables, on one primary and on three:

    python -m tests.bench.primaries [SECONDS]

One process commits as fast as it can, on a core of its own; all stores are on another. What each
process takes of its core says which of them is the limit: the rest of the time a store waits for
its disk. So many seconds of each are measured, 10 if not given.
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
from tests.bench.support.cores import OTHER_CORE, SERVER_CORE, move_to, on_core
from tests.bench.support.usage import cpu_seconds
from tests.support.cluster import StoreCluster
from tests.support.game import Node

TABLES = 8
PLAYERS = 480
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Throughput:
    """Commits a second, and the share of a core that the process took which makes them, and that
    each store took: 1 is all of it."""

    commits_per_second: float
    process_share: float
    store_shares: Sequence[float]

    def row(self, name: str) -> str:
        """As a row of the table."""
        stores = ", ".join(f"{share:.0%}" for share in self.store_shares)
        commits, process = f"{self.commits_per_second:,.0f}", f"{self.process_share:.0%}"
        return f"| {name} | {commits} | {process} | {stores} |\n"


async def measure(url: str, store_pids: Sequence[int], seconds: float) -> Throughput:
    """Commit for so long in lobbies of all tables, at the store at `url` and of these processes."""
    node = Node(url, TABLES_PER_TIER=str(TABLES))
    try:
        await node.start()
        seats = await asyncio.gather(*(node.sit(f"player-{place}") for place in range(PLAYERS)))
        lobby_ids = {seated.lobby.lobby_id for seated in seats}
        for lobby_id in lobby_ids:
            assert await node.replicas.acquire(lobby_id)
        end_s = time.perf_counter() + seconds

        async def keep_committing(lobby_id: str) -> int:
            commits = 0
            while time.perf_counter() < end_s:
                assert isinstance(await node.lobbies.change(lobby_id, _deadline_extended), Changed)
                commits += 1
            return commits

        processes = (os.getpid(), *store_pids)
        before = [cpu_seconds(pid) for pid in processes]
        begun_s = time.perf_counter()
        commits = await asyncio.gather(*map(keep_committing, lobby_ids))
        elapsed_seconds = time.perf_counter() - begun_s
        after = [cpu_seconds(pid) for pid in processes]
        own, *stores = [(a - b) / elapsed_seconds for a, b in zip(after, before, strict=True)]
        return Throughput(sum(commits) / elapsed_seconds, own, stores)
    finally:
        await node.close()


def _deadline_extended(lobby: Lobby, _now_ms: float) -> Sequence[Event]:
    return [FormingExtended(deadline=(lobby.deadline or 0) + 1)]


def main(seconds: float) -> None:
    """Measure both, and print a row for each."""
    sys.stdout.write(
        "| stores | commits a second | the process, of its core | stores, of theirs |\n"
    )
    sys.stdout.write("|---|---|---|---|\n")
    move_to(OTHER_CORE)  # and the stores that are started here
    with tempfile.TemporaryDirectory() as directory:
        with EmbeddedStore(Path(directory) / "one") as store:
            sys.stdout.write(_measured(store.url, [store.pid], seconds).row("one primary"))
        with StoreCluster(Path(directory) / "three", replicas=False) as cluster:
            pids = [member.pid for member in cluster.members]
            sys.stdout.write(_measured(cluster.url, pids, seconds).row("three primaries"))


def _measured(url: str, store_pids: Sequence[int], seconds: float) -> Throughput:
    with on_core(SERVER_CORE):
        return uvloop.run(measure(url, store_pids, seconds))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
