"""What waiting for a replica costs a commit: `python -m tests.bench.replicas [--seconds N]`.

A primary and a replica on this machine, both with appendfsync always if not said otherwise. Commits
like those of a command, in an open loop and in a closed one: without a replica, with the wait at
the end of each batch, in the same write (what the server does), and in other ways. Beside them,
what the store itself takes: the same script by a bare client that does nothing else, alone and with
`WAIT` in the same write. What a server adds to that is ours. The cases take turns, three times.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import IO, Final

import uvloop

from server.dev.store import EmbeddedStore
from server.runtime import logs
from server.store.commits import NO_DECISION
from tests.bench.support.bare_store import BareClient, command_writes
from tests.bench.support.nodelay import set_nodelay
from tests.bench.support.timing import Timing, closed_loop, open_loop
from tests.support.game import Node, starting_nodes
from tests.support.replication import address, ask, is_in_sync, replica_of
from tests.support.wait import until

RATE: Final = 200
CONCURRENCY: Final = 256
CONNECTIONS: Final = 4
TURNS: Final = 3

Commit = Callable[[], Awaitable[object]]


def committed(node: Node) -> Commit:
    """A commit that waits for the replicas that the node's settings name."""

    async def commit() -> None:
        assert await node.commits.commit([], command_writes(), NO_DECISION)

    return commit


def confirmed_afterwards(node: Node) -> Commit:
    """A commit, and then a write that waits for the replica, on a second connection."""

    async def commit() -> None:
        assert await node.commits.commit([], command_writes(), NO_DECISION, confirmed=False)
        await node.commits.confirm("3500")

    return commit


def confirmed_meanwhile(node: Node) -> Commit:
    """Both at the same instant, which proves nothing: the store may take the wait first."""

    async def commit() -> None:
        done = node.commits.commit([], command_writes(), NO_DECISION, confirmed=False)
        assert (await asyncio.gather(done, node.commits.confirm("3500")))[0]

    return commit


def by_turns(nodes: Sequence[Node]) -> Commit:
    """Commits over the connections of several nodes, by turns."""
    commits = cycle([committed(node) for node in nodes])

    async def commit() -> None:
        await next(commits)()

    return commit


def synced(file: IO[bytes]) -> Commit:
    """A write to a file that is synced, without a store."""

    async def commit() -> None:
        os.write(file.fileno(), b"x" * 1000)
        os.fdatasync(file.fileno())

    return commit


@dataclass(slots=True)
class Case:
    """A way to commit; the `appendfsync` of primary and replica, and whether the replica has
    Nagle's algorithm turned off; and what it took: latencies in the open loop, and rates a second
    in the closed one."""

    commit: Commit
    primary_fsync: str = "always"
    replica_fsync: str = "always"
    nodelay: bool = False
    timing: Timing = field(default_factory=Timing)
    rates: list[float] = field(default_factory=list)

    async def measure(self, seconds: float) -> None:
        """Take a turn: so long in the open loop, and half as long in the closed one."""
        await self.timing.add(open_loop(RATE), [self.commit] * round(seconds * RATE), os.getpid())
        self.rates.append(await _rate(self.commit, seconds / 2))

    def row(self, name: str) -> str:
        """A row of the table."""
        p50_ms, p99_ms = self.timing.p50_p99_ms
        return f"| {name} | {p50_ms:.2f}, {p99_ms:.2f} ms | {statistics.mean(self.rates):,.0f} |\n"


async def _rate(commit: Commit, seconds: float) -> float:
    # Not by a `Timing`: to time each one takes a tenth of what the cheapest takes.
    done, end_s = 0, time.perf_counter() + seconds

    def commits() -> Iterator[Commit]:
        nonlocal done
        while time.perf_counter() < end_s:
            yield commit
            done += 1

    await closed_loop(CONCURRENCY)(commits())
    return done / seconds


def cases(
    plain: Node, waiting: Sequence[Node], client: BareClient, file: IO[bytes]
) -> Mapping[str, Case]:
    """What is measured, by its name in the table; the nodes `waiting` wait for a replica."""
    first = waiting[0]
    assert first.stores.confirming is not None
    write = partial(first.stores.confirming.call, "SET", "confirmation:{3500}", "")
    bare = partial(client.commit, ("WAIT", 1, 10_000))
    each_second = "everysec"
    return {
        "1 kB appended to a file and synced, no store": Case(synced(file)),
        "PING": Case(partial(plain.connection.call, "PING")),
        "SET and WAIT 1": Case(write),
        "bare client, script": Case(client.commit),
        "bare client, script and WAIT 1": Case(bare),
        "the same, the replica's packets sent at once": Case(bare, nodelay=True),
        "the same, and its file synced each second": Case(
            bare, replica_fsync=each_second, nodelay=True
        ),
        "the same, but the primary's file instead": Case(
            bare, primary_fsync=each_second, nodelay=True
        ),
        "the same, both files": Case(
            bare, primary_fsync=each_second, replica_fsync=each_second, nodelay=True
        ),
        "no replica": Case(committed(plain)),
        "wait at the end of the batch": Case(committed(first)),
        "the same, the replica's packets sent at once (ours)": Case(committed(first), nodelay=True),
        f"the same over {CONNECTIONS} connections": Case(by_turns(waiting), nodelay=True),
        "write, then a write with its wait on a second connection": Case(
            confirmed_afterwards(first), nodelay=True
        ),
        "both at the same instant, which proves nothing": Case(
            confirmed_meanwhile(first), nodelay=True
        ),
    }


async def main(
    primary: EmbeddedStore, replica: EmbeddedStore, seconds: float, file: IO[bytes]
) -> None:
    """Measure all cases by turns, and print the table."""
    settings = {"STORE_REPLICAS": "1", "STORE_REPLICAS_SECONDS": "10"}
    async with AsyncExitStack() as stack:
        start = await stack.enter_async_context(starting_nodes())
        client = await stack.enter_async_context(BareClient(primary))
        plain = await start(primary.url)
        waiting = [await start(primary.url, **settings) for _ in range(CONNECTIONS)]
        measured = cases(plain, waiting, client, file)
        for _ in range(TURNS):
            for case in measured.values():
                await ask(primary, "CONFIG", "SET", "appendfsync", case.primary_fsync)
                await ask(replica, "CONFIG", "SET", "appendfsync", case.replica_fsync)
                set_nodelay(replica.pid, address(primary.url)[1], nodelay=case.nodelay)
                await case.measure(seconds)
    sys.stdout.write(f"| | p50, p99 at {RATE} a second | a second, {CONCURRENCY} at once |\n")
    sys.stdout.write("|---|---|---|\n")
    for name, case in measured.items():
        sys.stdout.write(case.row(name))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="of each case, in each turn")
    options = parser.parse_args()
    logs.configure("error", "console")
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "one") as primary,
        replica_of(primary, Path(directory) / "two") as replica,
        (Path(directory) / "file").open("ab", buffering=0) as file,
    ):
        asyncio.run(until(lambda: is_in_sync(replica)))
        uvloop.run(main(primary, replica, options.seconds, file))
