"""What a player between two games costs a server: `python -m tests.bench.turnover [--beside DIR]`.

Each leaves the last room for the front desk, takes a seat, pays for it over HTTP, enters the new
room and arranges a ticket; ten sit in a room, and receive events of each other. `--beside` measures
the sources in another directory too, such as an earlier commit's, taking turns with these.

`--instructions` counts with valgrind what the server executes outside the kernel: two runs differ
by a hundredth, where in processor time they differ by a tenth and more. All takes fifty times as
long then, and with it grows what a server does by time alone, without players: that is counted by
itself and subtracted. On a machine that has much else to do it is too large for that.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.bench.support.callgrind import HOST, control, counted, dumped
from tests.bench.support.players import Player, Players
from tests.bench.support.serving import UNLIMITED
from tests.bench.support.timing import closed_loop
from tests.bench.support.usage import cpu_seconds
from tests.support.guides import ROOT
from tests.support.http import http_session
from tests.support.process import ChildProcess
from tests.system.game_server import environment, published_keys

SEATS: Final = 10
TIER: Final = 1000
VALGRIND_CONCURRENCY: Final = 3
"""A server under valgrind is so slow that more players at a time would wait too long."""
WARM_UP_ROUNDS: Final = 5
START_SECONDS: Final = 300
SERVE: Final = ("-P", "-c", "from server.cli.main import main; main()", "serve")
IDLE_SECONDS: Final = 5


async def play(players: Players, rounds: int, concurrency: int = SEATS) -> None:
    """Have all players but the first, who stays at the front desk, go to their next game so many
    times, so many of them at a time."""
    for _ in range(rounds):
        await closed_loop(concurrency)(
            [partial(_turn_over, players, p) for p in players.connected[1:]]
        )


async def _turn_over(players: Players, player: Player) -> None:
    await player.to_front_desk()
    await player.join(TIER)
    await players.pay_and_enter([player])
    await player.arrange()


@asynccontextmanager
async def served(
    sources: Path, store_url: str, python: str, wrapper: Sequence[str] = ()
) -> AsyncIterator[tuple[int, Players]]:
    """The process id of a server of these sources, run by this `python` inside of the command
    `wrapper`, and eleven players at its front desk."""
    issuer, provider = DevIssuer("https://issuer.test", "provider"), DevProvider()
    async with published_keys(issuer) as jwks_url, http_session() as http:
        port = free_port()
        url = f"http://{HOST}:{port}"
        variables = environment(store_url, jwks_url, issuer, provider) | UNLIMITED
        variables |= {"HOST": HOST, "PORT": str(port), "BUY_IN_TIERS": str(TIER)}
        variables |= {"PYTHONPATH": str(sources), "PYTHONHASHSEED": "1"}
        with TemporaryDirectory() as directory:
            command = [*wrapper, python, *SERVE]
            process = ChildProcess(command, variables, Path(directory) / "output")
            try:
                await process.wait_for_url(f"{url}/health/ready", timeout_seconds=START_SECONDS)
                players = Players(url, issuer, provider, http)
                await players.connect(SEATS + 1, VALGRIND_CONCURRENCY)
                yield process.pid, players
                players.disconnect()
            finally:
                process.kill()


async def cpu_us(sources: Path, rounds: int, python: str = sys.executable) -> float:
    """The server's processor time for one player to go to the next game, in microseconds."""
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        async with served(sources, store.url, python) as (pid, players):
            await play(players, WARM_UP_ROUNDS)
            before_seconds = cpu_seconds(pid)
            await play(players, rounds)
            return (cpu_seconds(pid) - before_seconds) / rounds / SEATS * 1e6


async def instructions(sources: Path, rounds: int, python: str = sys.executable) -> float:
    """The server's instructions for one player to go to the next game."""
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        counts = Path(directory) / "counts"
        async with served(sources, store.url, python, counted(counts)) as (pid, players):
            await play(players, WARM_UP_ROUNDS, VALGRIND_CONCURRENCY)
            await control(pid, "--instr=on")
            # Valgrind translates anew what it is to count, the first time that it is executed.
            await play(players, 1, VALGRIND_CONCURRENCY)
            await control(pid, "--zero")
            begun_s = time.monotonic()
            await play(players, rounds, VALGRIND_CONCURRENCY)
            seconds = time.monotonic() - begun_s
            await control(pid, "--dump=play")
            await asyncio.sleep(IDLE_SECONDS)
            await control(pid, "--dump=idle")
        idle_per_second = dumped(counts, 2) / IDLE_SECONDS
        return (dumped(counts, 1) - idle_per_second * seconds) / rounds / SEATS


async def main(given: argparse.Namespace) -> None:
    """Measure, and print the medians of the turns."""
    measure, unit = (instructions, "instructions") if given.instructions else (cpu_us, "us")
    found: dict[str, list[float]] = {}
    for _ in range(given.turns):
        for sources in filter(None, (given.beside, ROOT)):
            found.setdefault(str(sources), []).append(await measure(sources, given.rounds))
    for name, each in found.items():
        spread = f"of {min(each):,.0f} to {max(each):,.0f}"
        sys.stdout.write(f"{name}: {median(each):,.0f} {unit} a player, {spread}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--instructions", action="store_true")
    uvloop.run(main(parser.parse_args()))
