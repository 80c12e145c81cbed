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
from itertools import count, cycle
from pathlib import Path
from typing import IO, Any, Final, Self

import orjson
import uvloop
from hiredis import Reader, pack_command

from server.dev.store import EmbeddedStore
from server.runtime import logs
from server.store.commits import NO_DECISION
from server.store.connection import Script
from server.store.projection import Write
from tests.support.game import Node, starting_nodes
from tests.support.replication import address, asked, is_in_step, replica_of
from tests.support.wait import until

PACE: Final = 200
AT_ONCE: Final = 256
CONNECTIONS: Final = 4
_numbers = count()

Commit = Callable[[], Awaitable[None]]


def writes() -> list[Write]:
    """Some 1 kB, as the commit of a command writes it."""
    number = next(_numbers)
    return [
        ("XADD", f"lobby:{{3500}}:{number % 1000}:events", "*", "event", "x" * 300),
        ("HSET", f"lobby:{{3500}}:{number % 1000}", "version", str(number), "state", "x" * 300),
        ("ZADD", "timers:{3500}", number, str(number % 1000)),
        ("SPUBLISH", f"lobby:{{3500}}:{number % 1000}:events", "x" * 300),
    ]


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


class Bare:
    """A client that does nothing but write packed commands and read the answers, in turn."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._at = address(store.url)
        self._turn = asyncio.Lock()
        self._script = Script("commit")
        self._sha = ""

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._at)
        self._sha = str(await self.ask(("SCRIPT", "LOAD", self._script.source)))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, *commands: tuple[Any, ...]) -> Any:
        """The answer to the last of the commands, which go out in one write."""
        async with self._turn:
            self._writer.write(b"".join(map(pack_command, commands)))
            answers, parser = 0, Reader(encoding="utf-8")
            while answers < len(commands):
                parser.feed(await self._reader.read(65_536))
                while (answer := parser.gets()) is not False:
                    answers, last = answers + 1, answer
            return last

    async def commit(self, *then: tuple[Any, ...]) -> None:
        """A commit as `Commits` sends it, and `then` others."""
        places: dict[str, int] = {}
        written = [
            [name, places.setdefault(key, len(places) + 1), *rest] for name, key, *rest in writes()
        ]
        args = [repr(NO_DECISION), 1000, "[]", orjson.dumps(written)]
        await self.ask(("EVALSHA", self._sha, len(places), *places, *args), *then)


@dataclass(slots=True)
class Way:
    """A way to commit, with what the files of primary and replica are synced, and what it took:
    latencies in s, and rates a second."""

    commit: Commit
    primary: str = "always"
    replica: str = "always"
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
            "the same, the replica's file synced each second": Way(waited, replica="everysec"),
            "the same, the primary's file synced each second": Way(waited, primary="everysec"),
            "the same, both files synced each second": Way(
                waited, primary="everysec", replica="everysec"
            ),
            "no replica": Way(plain(alone)),
            "wait at the end of the batch": Way(plain(first)),
            f"the same over {CONNECTIONS} connections": Way(in_turn(waiting)),
            "write, then a write with its wait on a second connection": Way(
                second_connection(first)
            ),
            "both at the same instant, which proves nothing": Way(both_connections(first)),
        }
        for _ in range(3):
            for way in ways.values():
                for store, policy in ((primary, way.primary), (replica, way.replica)):
                    await asked(store, "CONFIG", "SET", "appendfsync", policy)
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
