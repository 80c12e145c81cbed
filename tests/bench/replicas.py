"""What waiting for a replica costs a commit: `python -m tests.bench.replicas [--seconds N]`.

A primary and a replica, both with appendfsync always, on this machine. Commits like those of a
command go out at a pace, and many at once: without a replica; with the wait at the end of each
batch, in the same write (what the server does); and with a small write and its wait on a second
connection after the answer. Beside them, what the store itself takes: the same script by a bare
client that does nothing else, alone and with `WAIT` in the same write, with both files synced and
with the replica's not. What a server adds to that is ours, the rest is the floor.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

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


async def main(primary: EmbeddedStore, replica: EmbeddedStore, seconds: float) -> None:
    """Measure, in turn and three times, and print the table."""
    url = primary.url
    async with starting_nodes() as start, Bare(primary) as script:
        alone = await start(url)
        waiting = await start(url, STORE_REPLICAS="1", STORE_REPLICAS_SECONDS="10")
        assert waiting.stores.confirming is not None
        confirming = waiting.stores.confirming

        async def bare() -> None:
            await alone.connection.call("PING")

        async def bare_replica() -> None:
            await confirming.call("SET", "confirmation:{3500}", "")

        designs: dict[str, Commit] = {
            "PING": bare,
            "SET and WAIT 1": bare_replica,
            "bare client, script": script.commit,
            "bare client, script and WAIT 1": partial(script.commit, ("WAIT", 1, 10_000)),
            "no replica": plain(alone),
            "wait at the end of the batch": plain(waiting),
            "write and wait on a second connection": second_connection(waiting),
        }
        sys.stdout.write(f"| | p50, p99 at {PACE} a second | a second, {AT_ONCE} at once |\n")
        sys.stdout.write("|---|---|---|\n")
        latencies: dict[str, list[float]] = {name: [] for name in designs}
        rates: dict[str, list[float]] = {name: [] for name in designs}
        for _ in range(3):
            for name, commit in designs.items():
                latencies[name] += await paced(commit, seconds)
                rates[name].append(await at_once(commit, seconds / 2))
        name = "bare client, script and WAIT 1, the replica's file synced each second"
        designs[name] = designs["bare client, script and WAIT 1"]
        await asked(replica, "CONFIG", "SET", "appendfsync", "everysec")
        latencies[name] = await paced(designs[name], seconds)
        rates[name] = [await at_once(designs[name], seconds / 2)]
        for name in designs:
            cut = statistics.quantiles(latencies[name], n=100)
            p50, p99 = cut[49] * 1000, cut[98] * 1000
            rate = statistics.mean(rates[name])
            sys.stdout.write(f"| {name} | {p50:.2f}, {p99:.2f} ms | {rate:,.0f} |\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    logs.configure("error", "console")
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "one") as primary,
        replica_of(primary, Path(directory) / "two") as replica,
    ):
        asyncio.run(until(lambda: is_in_step(replica)))
        uvloop.run(main(primary, replica, options.seconds))
