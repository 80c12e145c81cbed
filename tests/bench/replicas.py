"""What waiting for a replica costs a commit: `python -m tests.bench.replicas [--seconds N]`.

A primary and a replica on this machine, both with appendfsync always if not said otherwise. Commits
like those of a command go out at a pace, and many at once: without a replica, with the wait at the
end of each batch, in the same write (what the server does), and in other ways. Beside them, what
the store itself takes: the same script by a bare client that does nothing else, alone and with
`WAIT` in the same write. What a server adds to that is ours, the rest is the floor. The ways take
turns, three times.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import IO, Final

import uvloop

from server.dev.store import EmbeddedStore
from server.runtime import logs
from server.store.commits import NO_DECISION
from tests.bench.bare_store import Bare, writes
from tests.bench.nodelay import send_at_once
from tests.support.game import Node, starting_nodes
from tests.support.replication import address, asked, is_in_step, replica_of
from tests.support.wait import until

PACE: Final = 200
AT_ONCE: Final = 256
CONNECTIONS: Final = 4

Commit = Callable[[], Awaitable[None]]


def plain(node: Node) -> Commit:
    """A commit that waits for whatever the node's settings say."""

    async def commit() -> None:
        assert await node.commits.commit([], writes(), NO_DECISION)

    return commit


def second_connection(node: Node) -> Commit:
    """A commit, and then a write of its own that is waited for, on another connection."""

    async def commit() -> None:
        assert await node.commits.commit([], writes(), NO_DECISION, confirmed=False)
        await node.commits.confirm("3500")

    return commit


def both_connections(node: Node) -> Commit:
    """The same at the same instant, which proves nothing: the store may take the wait first."""

    async def commit() -> None:
        done = node.commits.commit([], writes(), NO_DECISION, confirmed=False)
        assert (await asyncio.gather(done, node.commits.confirm("3500")))[0]

    return commit


def in_turn(nodes: Sequence[Node]) -> Commit:
    """Commits over the connections of several, in turn."""
    commits = cycle([plain(node) for node in nodes])

    async def commit() -> None:
        await next(commits)()

    return commit


def synced(file: IO[bytes]) -> Commit:
    """What a store's file takes, without a store."""

    async def commit() -> None:
        os.write(file.fileno(), b"x" * 1000)
        os.fdatasync(file.fileno())

    return commit


@dataclass(slots=True)
class Way:
    """A way to commit, when the files of primary and replica are synced, whether the replica sends
    its small packets at once, and what it took: latencies in s, and rates a second."""

    commit: Commit
    primary: str = "always"
    replica: str = "always"
    at_once: bool = False
    latencies: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    async def measure(self, seconds: float) -> None:
        """Once more."""
        self.latencies += await paced(self.commit, seconds)
        self.rates.append(await at_once(self.commit, seconds / 2))

    def __str__(self) -> str:
        cut = statistics.quantiles(self.latencies, n=100)
        p50, p99 = cut[49] * 1000, cut[98] * 1000
        return f"{p50:.2f}, {p99:.2f} ms | {statistics.mean(self.rates):,.0f}"


async def paced(commit: Commit, seconds: float) -> list[float]:
    """The latencies (s) of commits that begin `PACE` times a second."""
    taken: list[float] = []

    async def one() -> None:
        begun = time.perf_counter()
        await commit()
        taken.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as group:
        begun = time.perf_counter()
        for number in range(round(seconds * PACE)):
            await asyncio.sleep(max(0, begun + number / PACE - time.perf_counter()))
            group.create_task(one())
    return taken


async def at_once(commit: Commit, seconds: float) -> float:
    """How many a second, with `AT_ONCE` under way all the time."""
    done, end = 0, time.perf_counter() + seconds

    async def one() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await commit()
            done += 1

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return done / seconds


async def main(
    primary: EmbeddedStore, replica: EmbeddedStore, seconds: float, file: IO[bytes]
) -> None:
    """Measure, in turn and three times, and print the table."""
    url = primary.url
    confirm = {"STORE_REPLICAS": "1", "STORE_REPLICAS_SECONDS": "10"}
    async with starting_nodes() as start, Bare(primary) as script:
        alone = await start(url)
        waiting = [await start(url, **confirm) for _ in range(CONNECTIONS)]
        first = waiting[0]
        assert first.stores.confirming is not None
        waited = partial(script.commit, ("WAIT", 1, 10_000))
        one_set = partial(first.stores.confirming.call, "SET", "confirmation:{3500}", "")
        ways = {
            "1 kB appended to a file and synced, no store": Way(synced(file)),
            "PING": Way(partial(alone.connection.call, "PING")),
            "SET and WAIT 1": Way(one_set),
            "bare client, script": Way(script.commit),
            "bare client, script and WAIT 1": Way(waited),
            "the same, the replica's packets sent at once": Way(waited, at_once=True),
            "the same, and its file synced each second": Way(
                waited, replica="everysec", at_once=True
            ),
            "the same, but the primary's file instead": Way(
                waited, primary="everysec", at_once=True
            ),
            "the same, both files": Way(
                waited, primary="everysec", replica="everysec", at_once=True
            ),
            "no replica": Way(plain(alone)),
            "wait at the end of the batch": Way(plain(first)),
            "the same, the replica's packets sent at once (ours)": Way(plain(first), at_once=True),
            f"the same over {CONNECTIONS} connections": Way(in_turn(waiting), at_once=True),
            "write, then a write with its wait on a second connection": Way(
                second_connection(first), at_once=True
            ),
            "both at the same instant, which proves nothing": Way(
                both_connections(first), at_once=True
            ),
        }
        for _ in range(3):
            for way in ways.values():
                for store, policy in ((primary, way.primary), (replica, way.replica)):
                    await asked(store, "CONFIG", "SET", "appendfsync", policy)
                send_at_once(replica.pid, address(url)[1], at_once=way.at_once)
                await way.measure(seconds)
    sys.stdout.write(f"| | p50, p99 at {PACE} a second | a second, {AT_ONCE} at once |\n")
    sys.stdout.write("|---|---|---|\n")
    for name, way in ways.items():
        sys.stdout.write(f"| {name} | {way} |\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="for each way, in each turn")
    options = parser.parse_args()
    logs.configure("error", "console")
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "one") as primary,
        replica_of(primary, Path(directory) / "two") as replica,
        (Path(directory) / "file").open("ab", buffering=0) as file,
    ):
        asyncio.run(until(lambda: is_in_step(replica)))
        uvloop.run(main(primary, replica, options.seconds, file))
