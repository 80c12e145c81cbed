"""How soon games go on when every server was killed:

    python -m tests.bench.restart [--lobbies N] [--servers N] [--rounds N]

So many lobbies are filled and paid by the use cases themselves, in a store that syncs each write;
then `fair-bingo serve` is started, calls numbers in all of them, is killed with SIGKILL, stays away
until each lobby is due, and is started again. What is printed is counted from the moment before the
process is made; numbers are looked for in the store, every 20 ms.
"""

import argparse
import asyncio
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
from tests.bench.support.usage import cpu_seconds, run
from tests.support.game import Node, starting_nodes
from tests.support.http import answers
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.system.faults.servers import Server, ended
from tests.system.game_server import environment, published_keys

TIERS: Final = tuple(range(1000, 9000, 1000))
CALL_INTERVAL_SECONDS: Final = 3
SETTINGS: Final = {
    "BUY_IN_TIERS": ",".join(map(str, TIERS)),
    "CALL_INTERVAL_SECONDS": str(CALL_INTERVAL_SECONDS),
    "ARRANGING_SECONDS": "1",
    "SEAT_SECONDS": "3600",
    "LOBBY_TTL_SECONDS": "3600",
}
POLL_SECONDS: Final = 0.02
IMPORTS: Final = "from server.cli.main import program_of; program_of(['serve'])"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of the processes until all were ready, until the first number was
    called, and until one was called in each lobby; and the processor time until then, of the server
    that used most."""

    ready_seconds: float
    first_call_seconds: float
    all_called_seconds: float
    cpu_seconds: float


async def fill(node: Node, lobbies: int) -> Sequence[str]:
    """The ids of so many lobbies of two who have paid."""

    async def fill_tier(tier: int, count: int) -> set[str]:
        lobby_ids = set()
        for pair in range(count):
            for player in ("one", "two"):
                seated = await node.sit(f"{tier}-{pair}-{player}", tier)
                await node.pay(seated)
                lobby_ids.add(seated.lobby.lobby_id)
        return lobby_ids

    counts = (lobbies // len(TIERS) + (i < lobbies % len(TIERS)) for i in range(len(TIERS)))
    by_tier = await asyncio.gather(*map(fill_tier, TIERS, counts))
    return sorted(set[str]().union(*by_tier))


async def call_counts(redis: Redis, lobby_ids: Sequence[str]) -> list[int]:
    """How many numbers were called in each lobby so far."""
    async with redis.pipeline(transaction=False) as pipeline:
        for lobby_id in lobby_ids:
            pipeline.llen(keys.numbers_called(lobby_id))
        return list(await pipeline.execute())


async def start(
    redis: Redis, lobby_ids: Sequence[str], servers: int, variables: Mapping[str, str]
) -> Start:
    """Start so many servers, wait for a call in every lobby, and kill the servers."""
    before = await call_counts(redis, lobby_ids)
    with tempfile.TemporaryDirectory() as directory:
        begun_s = time.monotonic()
        started = [Server(variables, Path(directory)) for _ in range(servers)]
        with ended(*started):
            polling = asyncio.create_task(_calls_seconds(redis, lobby_ids, before, begun_s))
            try:
                for server in started:
                    await until(lambda url=server.url: answers(f"{url}/health/ready"))  # type: ignore[misc]
                ready_seconds = time.monotonic() - begun_s
                first_seconds, all_seconds = await asyncio.wait_for(polling, TIMEOUT_SECONDS)
            finally:
                polling.cancel()
            used_seconds = max(cpu_seconds(server.process.pid) for server in started)
    return Start(ready_seconds, first_seconds, all_seconds, used_seconds)


async def _calls_seconds(
    redis: Redis, lobby_ids: Sequence[str], before: Sequence[int], begun_s: float
) -> tuple[float, float]:
    """How long after `begun_s` any lobby, and every lobby, has more calls than before."""
    first_seconds: float | None = None
    while True:
        counts = await call_counts(redis, lobby_ids)
        seconds = time.monotonic() - begun_s
        changed = sum(old != new for old, new in zip(before, counts, strict=True))
        if changed and first_seconds is None:
            first_seconds = seconds
        if first_seconds is not None and changed == len(lobby_ids):
            return first_seconds, seconds
        await asyncio.sleep(POLL_SECONDS)


def python_seconds(code: str, times: int = 5) -> tuple[float, float]:
    """How long a new Python takes for `code`, by the clock and of the processor: the medians of so
    many runs."""
    _, *runs = [run([sys.executable, "-c", code]) for _ in range(times + 1)]  # one wrote byte code
    assert not any(each.exit_code for each in runs), runs
    return median(r.elapsed_seconds for r in runs), median(r.cpu_seconds for r in runs)


async def main(store_url: str, lobbies: int, servers: int, rounds: int) -> Sequence[Start]:
    """The first start, which begins the games, and so many more, each after a kill."""
    issuer, provider = DevIssuer("https://issuer.test", "provider"), DevProvider()
    async with AsyncExitStack() as stack:
        jwks_url = await stack.enter_async_context(published_keys(issuer))
        variables = environment(store_url, jwks_url, issuer, provider) | SETTINGS
        start_node = await stack.enter_async_context(starting_nodes())
        node = await start_node(
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
            await asyncio.sleep(CALL_INTERVAL_SECONDS + 1)  # until each lobby is due
        return starts


def row(name: str, measured: Start) -> str:
    """A row of the table."""
    return (
        f"| {name} | {measured.ready_seconds:.2f} s | {measured.first_call_seconds:.2f} s"
        f" | {measured.all_called_seconds:.2f} s | {measured.cpu_seconds:.2f} s |\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lobbies", type=int, default=2000)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    bare, imports = python_seconds("pass"), python_seconds(IMPORTS)
    with tempfile.TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        starts = uvloop.run(main(store.url, given.lobbies, given.servers, given.rounds))
    sys.stdout.write(
        f"Python alone takes {bare[0]:.2f} s ({bare[1]:.2f} s of the processor), with what `serve`"
        f" imports {imports[0]:.2f} s ({imports[1]:.2f} s)\n\n"
        f"| {given.lobbies} lobbies, {given.servers} servers | ready | first call"
        " | a call in every lobby | processor until then |\n|---|---|---|---|---|\n"
    )
    sys.stdout.write(row("first start", starts[0]))
    for number, each in enumerate(starts[1:], 1):
        sys.stdout.write(row(f"start {number} after a kill", each))
