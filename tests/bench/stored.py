"""A command that is stored and published, ours beside Socket.IO with ioredis on Node:

    python -m tests.bench.stored [--rounds N] [--games N] [--at-once N]

`arrange_grid`: the grid is checked, one script writes it down on condition that nothing else has
happened, it is sent to the room of ten, and whoever asked is answered. Both servers use the same
script, write the same, and receive from the store what was published. They take turns on one core;
the store (appendfsync always) and the players share another. Linux, with node and npm."""

import argparse
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

import server.store
from server.dev.store import EmbeddedStore
from server.load.dialer import Dialer
from server.load.meter import Meter
from server.load.target import Target
from tests.bench.commands import OTHER_CORE, SERVER_CORE, serving
from tests.bench.commands_clients import Clients, Player
from tests.bench.commands_timing import Timing, at_once
from tests.bench.fanout.contenders import JS, in_javascript
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.webhook import TIERS

SEATS: Final = 10
SCRIPT: Final = Path(server.store.__file__).parent / "lua/commit.lua"

Turns = Mapping[str, list[Timing]]


async def measure(store_url: str, rounds: int, games: int, together: int) -> Turns:
    """Both in turn, so many times: all players of so many games arrange, `together` at a time."""
    command = ("node", str(JS / "stored.js"), store_url, str(SCRIPT))
    turns: dict[str, list[Timing]] = {"ours": [], "Socket.IO, ioredis": []}
    async with serving(store_url) as (pid, clients):
        with ServerProcess(command, SERVER_CORE) as node:
            for number in range(rounds):
                seated = await _seated(clients, games)
                turns["ours"].append(await _arranged(seated, pid, together))
                clients.leave()
                seated = await _seated_on_node(node.port, number, games)
                turns["Socket.IO, ioredis"].append(await _arranged(seated, node.pid, together))
                for player in seated:
                    player.connection.close()
    return turns


async def _arranged(players: list[Player], pid: int, together: int) -> Timing:
    timing = Timing()
    await timing.take(at_once(together), [player.arrange for player in players], pid)
    return timing


async def _seated(clients: Clients, games: int) -> list[Player]:
    seated: list[Player] = []
    while len(seated) < games * SEATS:
        group = await clients.arrive(SEATS * min(len(TIERS), games - len(seated) // SEATS))
        joins = [partial(p.join, TIERS[i % len(TIERS)]) for i, p in enumerate(group)]
        await at_once(SEATS)(joins)
        await clients.sit_down(group)
        seated += group
    return seated


async def _seated_on_node(port: int, number: int, games: int) -> list[Player]:
    dialer = Dialer(Target.resolve(f"http://127.0.0.1:{port}"), Meter())
    seated = []
    for position in range(games * SEATS):
        name = f"player-{position}"
        player = Player(name, name, await dialer.dial())
        player.lobby_id = f"lobby_3500_{number * games + position // SEATS:012x}"
        await player.to_lobby()
        seated.append(player)
    return seated


def table(turns: Turns) -> str:
    """The medians of the turns, a line for each server."""
    rows = ["server                us of CPU each   a second   p50 ms   p99 ms   of its core"]
    for name, timings in turns.items():
        p50, p99 = (median(float(t.percentiles_ms[i]) for t in timings) for i in (0, 1))
        cpu_us = median(t.cpu_seconds / len(t.each_ms) * 1e6 for t in timings)
        each_second = median(len(t.each_ms) / t.seconds for t in timings)
        busy = median(t.cpu_seconds / t.seconds for t in timings)
        rows.append(f"{name:22}{cpu_us:14.0f}{each_second:11,.0f}{p50:9.2f}{p99:9.2f}{busy:14.0%}")
    ours, node = turns.values()
    ratios = [b.cpu_seconds / a.cpu_seconds for a, b in zip(ours, node, strict=True)]
    rows.append(f"Node's CPU time as a multiple of ours, turn by turn: {median(ratios):.2f}")
    return "\n".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--games", type=int, default=40, help="in each round")
    parser.add_argument("--at-once", type=int, default=32)
    given = parser.parse_args()
    if not in_javascript():
        sys.exit("node and npm are needed")
    os.sched_setaffinity(0, {OTHER_CORE})
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        found = uvloop.run(measure(store.url, given.rounds, given.games, given.at_once))
    sys.stdout.write(f"{table(found)}\n")
