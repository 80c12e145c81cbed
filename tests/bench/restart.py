"""How soon games go on when every server was killed: `python -m tests.bench.restart`.

So many lobbies are filled and paid by the use cases themselves, in a store that syncs each write;
then `fair-bingo serve` is started, calls numbers in all of them, is killed with SIGKILL, stays away
until each lobby is due, and is started again. What is printed is counted from the moment before the
process is made; numbers are looked for in the store, every 20 ms.
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import uvloop
from redis.asyncio import Redis

from server.assembly.tiers import tiers
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.runtime.settings import load_settings
from server.store import keys
from tests.bench.usage import cpu_seconds
from tests.support.game import Node, starting_nodes
from tests.support.http import answers
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.system.faults.servers import Server, ended
from tests.system.game_server import environment, published_keys

TIERS: Final = tuple(range(1000, 9000, 1000))
CALL_SECONDS: Final = 3
SETTINGS: Final = {
    "BUY_IN_TIERS": ",".join(map(str, TIERS)),
    "CALL_INTERVAL_SECONDS": str(CALL_SECONDS),
    "ARRANGING_SECONDS": "1",
    "SEAT_SECONDS": "3600",
    "LOBBY_TTL_SECONDS": "3600",
}
LOOK_SECONDS: Final = 0.02
IMPORTS: Final = "from server.cli.main import program_of; program_of(['serve'])"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of the processes: until all were ready, until the first number was
    called, and until one was called in each lobby; and the processor time of one until then."""

    ready: float
    first_call: float
    last_call: float
    used: float


async def fill(node: Node, lobbies: int) -> Sequence[str]:
    """The ids of so many lobbies of two who have paid."""

    async def at_tier(tier: int, count: int) -> set[str]:
        lobby_ids = set()
        for pair in range(count):
            for player in ("one", "two"):
                seated = await node.sit(f"{tier}-{pair}-{player}", tier)
                await node.pay(seated)
                lobby_ids.add(seated.lobby.lobby_id)
        return lobby_ids

    counts = (lobbies // len(TIERS) + (i < lobbies % len(TIERS)) for i in range(len(TIERS)))
    found = await asyncio.gather(*map(at_tier, TIERS, counts))
    return sorted(set[str]().union(*found))


async def called(redis: "Redis", lobby_ids: Sequence[str]) -> list[int]:
    """How many numbers were called in each lobby."""
    async with redis.pipeline(transaction=False) as pipeline:
        for lobby_id in lobby_ids:
            pipeline.llen(keys.numbers_called(lobby_id))
        return list(await pipeline.execute())


async def start(
    redis: "Redis", lobby_ids: Sequence[str], servers: int, variables: Mapping[str, str]
) -> Start:
    """Start the servers, see calls in all lobbies, and kill the servers."""
    before = await called(redis, lobby_ids)
    with tempfile.TemporaryDirectory() as directory:
        begun = time.monotonic()
        made = [Server(variables, Path(directory)) for _ in range(servers)]
        with ended(*made):
            looking = asyncio.create_task(_calls(redis, lobby_ids, before, begun))
            try:
                for server in made:
                    await until(lambda url=server.url: answers(f"{url}/health/ready"))  # type: ignore[misc]
                ready = time.monotonic() - begun
                first, last = await asyncio.wait_for(looking, TIMEOUT_SECONDS)
            finally:
                looking.cancel()
            used = max(cpu_seconds(server.process.pid) for server in made)
    return Start(ready, first, last, used)


async def _calls(
    redis: "Redis", lobby_ids: Sequence[str], before: Sequence[int], begun: float
) -> tuple[float, float]:
    first: float | None = None
    while True:
        now = await called(redis, lobby_ids)
        seen = time.monotonic() - begun
        changed = sum(one != other for one, other in zip(before, now, strict=True))
        if changed and first is None:
            first = seen
        if first is not None and changed == len(lobby_ids):
            return first, seen
        await asyncio.sleep(LOOK_SECONDS)


def seconds_of(code: str, times: int = 5) -> tuple[float, float]:
    """How long a new Python takes for `code`, by the clock and of the processor: medians."""
    took, used = [], []
    variables = {"PATH": os.environ["PATH"]}
    for _ in range(times + 1):  # the first one may have to write byte code
        begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, env=variables)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(time.monotonic() - begun)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return median(took[1:]), median(used[1:])


async def main(store_url: str, lobbies: int, servers: int, rounds: int) -> Sequence[Start]:
    """The first start, which begins the games, and so many after a kill."""
    issuer, provider = DevIssuer("https://issuer.test", "provider"), DevProvider()
    async with AsyncExitStack() as stack:
        jwks_url = await stack.enter_async_context(published_keys(issuer))
        variables = environment(store_url, jwks_url, issuer, provider) | SETTINGS
        new_node = await stack.enter_async_context(starting_nodes())
        node = await new_node(
            store_url,
            tiers=tiers(load_settings(variables)),
            **{name: variables[name] for name in ("SEAT_SECONDS", "LOBBY_TTL_SECONDS")},
        )
        lobby_ids = await fill(node, lobbies)
        assert len(lobby_ids) == lobbies, len(lobby_ids)
        redis = await stack.enter_async_context(Redis.from_url(store_url))
        starts = []
        for _ in range(rounds + 1):
            starts.append(await start(redis, lobby_ids, servers, variables))
            await asyncio.sleep(CALL_SECONDS + 1)  # until each lobby is due
        return starts


def line(name: str, found: Start) -> str:
    """A row of the table."""
    return (
        f"| {name} | {found.ready:.2f} s | {found.first_call:.2f} s | {found.last_call:.2f} s"
        f" | {found.used:.2f} s |\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lobbies", type=int, default=2000)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    bare, imports = seconds_of("pass"), seconds_of(IMPORTS)
    with tempfile.TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        starts = uvloop.run(main(store.url, given.lobbies, given.servers, given.rounds))
    sys.stdout.write(
        f"Python alone takes {bare[0]:.2f} s ({bare[1]:.2f} s of the processor), with what `serve`"
        f" imports {imports[0]:.2f} s ({imports[1]:.2f} s)\n\n"
        f"| {given.lobbies} lobbies, {given.servers} servers | ready | first call"
        " | a call in every lobby | processor until then |\n|---|---|---|---|---|\n"
    )
    sys.stdout.write(line("first start", starts[0]))
    for number, each in enumerate(starts[1:], 1):
        sys.stdout.write(line(f"start {number} after a kill", each))
