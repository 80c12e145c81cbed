"""Commits a second of a tier of several tables, on one primary and on three:
`python -m tests.bench.tables [SECONDS]`.

One process commits as fast as it can, on a core of its own; all stores are on the other.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from server.dev.store import EmbeddedStore
from server.rules.events import Event, FormingExtended
from server.rules.lobby import Lobby
from server.services.lobbies import Changed
from tests.support.cluster import StoreCluster
from tests.support.game import PATIENT, Node

TABLES = 8
PLAYERS = 480
SECONDS = 10.0


async def commits_a_second(url: str, seconds: float) -> float:
    """How many commits a second one process makes at the store at `url`, in lobbies of all
    tables."""
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

        started = time.perf_counter()
        made = await asyncio.gather(*map(keep_changing, lobby_ids))
        return sum(made) / (time.perf_counter() - started)
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
    with tempfile.TemporaryDirectory() as directory:
        with EmbeddedStore(Path(directory) / "one") as store:
            apart([store.pid])
            rate = asyncio.run(commits_a_second(store.url, seconds))
            sys.stdout.write(f"{TABLES} tables on one primary: {rate:.0f} commits/s\n")
        os.sched_setaffinity(0, cores)
        with StoreCluster(Path(directory) / "three", replicas=False) as cluster:
            apart([member.pid for member in cluster.members])
            rate = asyncio.run(commits_a_second(cluster.url, seconds))
            sys.stdout.write(f"{TABLES} tables on three primaries: {rate:.0f} commits/s\n")
        os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
