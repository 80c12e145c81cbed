"""A command that is stored and published, ours beside Socket.IO with ioredis on Node:

    python -m tests.bench.nodejs [--rounds N] [--games N] [--concurrency N]

`arrange_grid`: the grid is checked, one script writes it down on condition that nothing else has
happened, it is sent to the room of ten, and whoever asked is answered. Both servers use the same
script, write the same, and receive from the store what was published. They take turns on one core;
the store (appendfsync always) and the players share another. Linux, with node and npm."""

import argparse
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
from tests.bench.fanout.contenders import JS, in_javascript
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.support.cores import OTHER_CORE, SERVER_CORE, move_to
from tests.bench.support.players import Player, Players, server_with_players
from tests.bench.support.serving import TIERS
from tests.bench.support.timing import Timing, closed_loop

SEATS: Final = 10
SCRIPT: Final = Path(server.store.__file__).parent / "lua/commit.lua"

Turns = Mapping[str, list[Timing]]
"""The timing of each turn, by the server."""


async def measure(store_url: str, rounds: int, games: int, concurrency: int) -> Turns:
    """Both in turn, so many times: all players of so many games arrange, so many at a time."""
    command = ("node", str(JS / "arrange_grid.js"), store_url, str(SCRIPT))
    turns: dict[str, list[Timing]] = {"ours": [], "Socket.IO, ioredis": []}
    async with server_with_players(store_url) as (pid, players):
        with ServerProcess(command, SERVER_CORE) as nodejs:
            for number in range(rounds):
                seated = await _seated(players, games)
                turns["ours"].append(await _arranged(seated, pid, concurrency))
                players.disconnect()
                seated = await _seated_on_nodejs(nodejs.port, number, games)
                turns["Socket.IO, ioredis"].append(await _arranged(seated, nodejs.pid, concurrency))
                for player in seated:
                    player.connection.close()
    return turns


async def _arranged(players: list[Player], pid: int, concurrency: int) -> Timing:
    timing = Timing()
    await timing.add(closed_loop(concurrency), [player.arrange for player in players], pid)
    return timing


async def _seated(players: Players, games: int) -> list[Player]:
    seated: list[Player] = []
    while len(seated) < games * SEATS:
        newcomers = await players.connect(SEATS * min(len(TIERS), games - len(seated) // SEATS))
        joins = [partial(p.join, TIERS[i % len(TIERS)]) for i, p in enumerate(newcomers)]
        await closed_loop(SEATS)(joins)
        await players.pay_and_enter(newcomers)
        seated += newcomers
    return seated


async def _seated_on_nodejs(port: int, turn: int, games: int) -> list[Player]:
    dialer = Dialer(Target.resolve(f"http://127.0.0.1:{port}"), Meter())
    seated = []
    for position in range(games * SEATS):
        player = Player(f"player-{position}", await dialer.dial())  # any token will do there
        player.lobby_id = f"lobby_3500_{turn * games + position // SEATS:012x}"
        await player.to_lobby()
        seated.append(player)
    return seated


def table(turns: Turns) -> str:
    """The medians of the turns, a line for each server."""
    rows = ["server                us of CPU each   a second   p50 ms   p99 ms   of its core"]
    for name, timings in turns.items():
        p50_ms, p99_ms = (median(t.p50_p99_ms[i] for t in timings) for i in (0, 1))
        cpu_us = median(t.cpu_us for t in timings)
        rate = median(t.rate for t in timings)
        share = median(t.core_share for t in timings)
        rows.append(f"{name:22}{cpu_us:14.0f}{rate:11,.0f}{p50_ms:9.2f}{p99_ms:9.2f}{share:14.0%}")
    ours, nodejs = turns.values()
    ratios = [b.cpu_seconds / a.cpu_seconds for a, b in zip(ours, nodejs, strict=True)]
    rows.append(f"Node's CPU time as a multiple of ours, turn by turn: {median(ratios):.2f}")
    return "\n".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--games", type=int, default=40, help="in each round")
    parser.add_argument("--concurrency", type=int, default=32, help="commands at a time")
    given = parser.parse_args()
    if not in_javascript():
        sys.exit("node and npm are needed")
    move_to(OTHER_CORE)
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        found = uvloop.run(measure(store.url, given.rounds, given.games, given.concurrency))
    sys.stdout.write(f"{table(found)}\n")
