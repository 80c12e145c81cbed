"""What commands cost: how fast they are answered, how many a server takes, and what for.

    python -m tests.bench.commands [--rounds N] [--games N] [--at-once N] [--pace N] [--times N]
                                   [--replicated]

One `fair-bingo serve` has a core to itself; the store (appendfsync always) and the players share
another. New players sit down, ten to a game, arrange their tickets and claim: once at a pace that
leaves the server time, once so many together that it has none. Beside it, from the server's core,
the store's own limit; and the parts of a command, one by one. `--replicated`: the store has a
replica, synced always as well, and everything that is answered waits for it. Linux only.
"""

import argparse
import asyncio
import gc
import os
import platform
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final

import aiohttp
import uvloop

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.runtime import logs
from tests.bench.commands_clients import Clients, Player, call_until_won, winners
from tests.bench.commands_parts_sockets import socket_parts
from tests.bench.commands_parts_store import SEATS, store_parts
from tests.bench.commands_table import costs_table, timings_table
from tests.bench.commands_timing import Drive, Timing, at_once, paced
from tests.bench.webhook import PATIENT, TIERS, commit_like_a_payment, version_of
from tests.support.game import Node, starting_nodes
from tests.support.replication import asked, is_in_step, replica_of
from tests.support.wait import until
from tests.system.faults.servers import Server, ended
from tests.system.game_server import environment, published_keys

UNLIMITED: Final = PATIENT | {
    "MESSAGE_RATE": "0",
    "CONNECT_RATE": "0",
    "SOCKETS_PER_PLAYER": "0",
    "CALL_INTERVAL_SECONDS": "600",
}
REPLICATED: Final = {"STORE_REPLICAS": "1", "STORE_REPLICAS_SECONDS": "10"}
COMMANDS: Final = ("join", "arrange_grid", "claim, false", "claim, valid")
CORES: Final = sorted(os.sched_getaffinity(0))
SERVER_CORE, OTHER_CORE = CORES[0], CORES[-1]

Timings = Mapping[str, Timing]


async def main(store_url: str, options: argparse.Namespace) -> None:
    """Measure, and print the tables."""
    drives = {
        f"{options.pace} a second": paced(options.pace),
        f"{options.at_once} at once": at_once(options.at_once),
    }
    more = REPLICATED if options.replicated else {}
    async with starting_nodes(**more) as start, serving(store_url, more) as (server_pid, clients):
        node = await start(store_url)
        timings = {}
        for load, drive in drives.items():
            with on_core(SERVER_CORE):
                limits = await store_limits(node, load, drive, options.times)
            commands = {name: Timing() for name in COMMANDS}
            for _ in range(options.rounds):
                await play(clients, node, drive, commands, server_pid, options.games)
            timings[load] = {**commands, **limits}
    with on_core(SERVER_CORE):
        costs = {
            **await socket_parts(options.times),
            **await store_parts(store_url, options.times, options.at_once),
        }
    version = await version_of(store_url)
    sys.stdout.write(f"{timings_table(timings)}\n\n{costs_table(costs)}\n\n")
    sys.stdout.write(f"Python {platform.python_version()}, {version}\n")


@asynccontextmanager
async def serving(
    store_url: str, more: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[tuple[int, Clients]]:
    """The process of a server that limits nobody, with `more` settings, and its players, of whom
    there are none yet."""
    issuer, provider = DevIssuer("https://issuer.test", "provider"), DevProvider()
    async with published_keys(issuer) as jwks_url, aiohttp.ClientSession() as http:
        variables = environment(store_url, jwks_url, issuer, provider) | UNLIMITED | dict(more)
        with TemporaryDirectory() as directory:
            with on_core(SERVER_CORE):
                server = Server(variables, Path(directory))
            with ended(server):
                await server.wait_until_ready()
                yield server.process.pid, Clients(server.url, issuer, provider, http)


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run on this core, also what is started here, and then on the others' again."""
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, {OTHER_CORE})


async def play(
    clients: Clients, node: Node, drive: Drive, timings: Timings, server_pid: int, games: int
) -> None:
    """So many games in each tier, from the first seat to the win."""
    players: list[Player] = []
    for _ in range(games):
        # One lobby of each tier forms at a time: everybody at the front desk is sent each.
        group = await clients.arrive(SEATS * len(TIERS))
        joins = [partial(p.join, TIERS[i % len(TIERS)]) for i, p in enumerate(group)]
        await timings["join"].take(drive, joins, server_pid)
        await clients.sit_down(group)
        players += group
    arranges = [player.arrange for player in players]
    await timings["arrange_grid"].take(drive, arranges, server_pid)
    await call_until_won(node, players)
    false = [player.claim for player in players if not player.ticket.is_complete]
    await timings["claim, false"].take(drive, false, server_pid)
    valid = [player.claim for player in winners(players)]
    await timings["claim, valid"].take(drive, valid, server_pid)
    clients.leave()


async def store_limits(node: Node, load: str, drive: Drive, times: int) -> Timings:
    """What the store can do for one process, and nothing else: commits of nine writes, PING."""
    commit, ping = Timing(), Timing()
    lobbies = (f"lobby:{{bench}}:{load}:{number}" for number in range(times))
    commits = [partial(commit_like_a_payment, node, lobby, 1) for lobby in lobbies]
    await commit.take(drive, commits, os.getpid())
    await ping.take(drive, [partial(node.connection.call, "PING")] * times, os.getpid())
    limits = {"the commit script alone": commit, "PING": ping}
    if (waiting := node.stores.confirming) is not None:
        limits["SET and WAIT 1"] = replicated = Timing()
        write = partial(waiting.call, "SET", "confirmation:{bench}", "")
        await replicated.take(drive, [write] * times, os.getpid())
    return limits


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="under each load")
    parser.add_argument("--games", type=int, default=10, help="in each of 8 tiers, in each round")
    parser.add_argument("--at-once", type=int, default=32, help="under the heavy load")
    parser.add_argument("--pace", type=int, default=200, help="a second, under the light load")
    parser.add_argument("--times", type=int, default=2_000, help="of what is measured alone")
    parser.add_argument("--replicated", action="store_true", help="wait for a replica")
    given = parser.parse_args()
    logs.configure("warning", "console")
    # A pass over the objects of all players takes so long that it looks like a slow server.
    gc.disable()
    os.sched_setaffinity(0, {OTHER_CORE})
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        store = stack.enter_context(EmbeddedStore(directory / "store"))
        if given.replicated:
            replica = stack.enter_context(replica_of(store, directory / "replica"))
            asyncio.run(until(lambda: is_in_step(replica)))
            asyncio.run(asked(store, "CONFIG", "SET", "min-replicas-to-write", 1))
        uvloop.run(main(store.url, given))
