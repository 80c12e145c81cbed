"""What commands cost: how fast they are answered, how many a server takes, and what for.

    python -m tests.bench.commands [--rounds N] [--games N] [--rate N] [--concurrency N] [--times N]
                                   [--replicated]

One `fair-bingo serve` has a core to itself; the store (appendfsync always) and the players share
another. New players sit down, ten to a game, arrange their tickets and claim: once in an open loop,
at a rate that leaves the server time, once in a closed loop, which leaves it none. Beside it, from
the server's core, the store's own limit; and the parts of a command, one by one. `--replicated`:
the store has a replica, synced always as well, and everything that is answered waits for it. Linux
only.
"""

import argparse
import asyncio
import gc
import os
import platform
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from server.dev.store import EmbeddedStore
from server.runtime import logs
from tests.bench.commands.socket_parts import socket_parts
from tests.bench.commands.store_parts import SEATS, store_parts
from tests.bench.commands.tables import costs_table, timings_table
from tests.bench.support.cores import OTHER_CORE, SERVER_CORE, move_to, on_core
from tests.bench.support.payment_commit import commit_like_a_payment
from tests.bench.support.players import (
    Player,
    Players,
    call_until_won,
    server_with_players,
    winners,
)
from tests.bench.support.serving import TIERS, store_version
from tests.bench.support.timing import Load, Timing, closed_loop, open_loop
from tests.support.game import Node, starting_nodes
from tests.support.replication import ask, is_in_sync, replica_of
from tests.support.wait import until

REPLICATED: Final = {"STORE_REPLICAS": "1", "STORE_REPLICAS_SECONDS": "10"}
COMMANDS: Final = ("join", "arrange_grid", "claim, false", "claim, valid")

Timings = Mapping[str, Timing]
"""By what was timed."""


async def main(store_url: str, options: argparse.Namespace) -> None:
    """Measure, and print the tables."""
    loads = {
        f"{options.rate} a second": open_loop(options.rate),
        f"{options.concurrency} at once": closed_loop(options.concurrency),
    }
    settings = REPLICATED if options.replicated else {}
    async with (
        starting_nodes(**settings) as start,
        server_with_players(store_url, **settings) as (server_pid, players),
    ):
        node = await start(store_url)
        timings = {}
        for name, load in loads.items():
            with on_core(SERVER_CORE):
                limits = await store_limits(node, name, load, options.times)
            commands = {command: Timing() for command in COMMANDS}
            for _ in range(options.rounds):
                await play(players, node, load, commands, server_pid, options.games)
            timings[name] = {**commands, **limits}
    with on_core(SERVER_CORE):
        costs_us = {
            **await socket_parts(options.times),
            **await store_parts(store_url, options.times, options.concurrency),
        }
    version = await store_version(store_url)
    sys.stdout.write(f"{timings_table(timings)}\n\n{costs_table(costs_us)}\n\n")
    sys.stdout.write(f"Python {platform.python_version()}, {version}\n")


async def play(
    players: Players, node: Node, load: Load, timings: Timings, server_pid: int, games: int
) -> None:
    """So many games in each tier, from the first seat to the win; their commands under that load,
    and timed."""
    seated: list[Player] = []
    for _ in range(games):
        # One lobby of each tier forms at a time: everybody at the front desk is sent each.
        newcomers = await players.connect(SEATS * len(TIERS))
        joins = [partial(p.join, TIERS[i % len(TIERS)]) for i, p in enumerate(newcomers)]
        await timings["join"].add(load, joins, server_pid)
        await players.pay_and_enter(newcomers)
        seated += newcomers
    arranges = [player.arrange for player in seated]
    await timings["arrange_grid"].add(load, arranges, server_pid)
    await call_until_won(node, seated)
    false_claims = [player.claim for player in seated if not player.ticket.is_complete]
    await timings["claim, false"].add(load, false_claims, server_pid)
    valid_claims = [player.claim for player in winners(seated)]
    await timings["claim, valid"].add(load, valid_claims, server_pid)
    players.disconnect()


async def store_limits(node: Node, load_name: str, load: Load, times: int) -> Timings:
    """What the store can do for this process, and nothing else: commits of nine writes, PING, and
    with a replica a write that waits for it."""
    commit, ping = Timing(), Timing()
    lobbies = (f"lobby:{{bench}}:{load_name}:{number}" for number in range(times))
    commits = [partial(commit_like_a_payment, node, lobby, 1) for lobby in lobbies]
    await commit.add(load, commits, os.getpid())
    await ping.add(load, [partial(node.connection.call, "PING")] * times, os.getpid())
    limits = {"the commit script alone": commit, "PING": ping}
    if (waiting := node.stores.confirming) is not None:
        limits["SET and WAIT 1"] = replicated = Timing()
        write = partial(waiting.call, "SET", "confirmation:{bench}", "")
        await replicated.add(load, [write] * times, os.getpid())
    return limits


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="under each load")
    parser.add_argument("--games", type=int, default=10, help="in each of 8 tiers, in each round")
    parser.add_argument("--rate", type=int, default=200, help="commands a second, open loop")
    parser.add_argument("--concurrency", type=int, default=32, help="commands, closed loop")
    parser.add_argument("--times", type=int, default=2_000, help="of what is measured alone")
    parser.add_argument("--replicated", action="store_true", help="wait for a replica")
    given = parser.parse_args()
    logs.configure("warning", "console")
    # A pass over the objects of all players takes so long that it looks like a slow server.
    gc.disable()
    move_to(OTHER_CORE)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        store = stack.enter_context(EmbeddedStore(directory / "store"))
        if given.replicated:
            replica = stack.enter_context(replica_of(store, directory / "replica"))
            asyncio.run(until(lambda: is_in_sync(replica)))
            asyncio.run(ask(store, "CONFIG", "SET", "min-replicas-to-write", 1))
        uvloop.run(main(store.url, given))
