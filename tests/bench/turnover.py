"""What a player between two games costs a server: `python -m tests.bench.turnover [--beside DIR]`.

Each leaves the last room for the front desk, takes a seat, pays it over HTTP, enters the new room
and arranges a ticket; ten sit in a room, and receive events of each other. `--beside` measures the
sources in another directory too, such as an earlier commit's, taking turns with these;
`--instructions` counts the instructions of the server's processor, with valgrind, which no other
load on the machine changes, where processor time varies by a tenth and more."""

import argparse
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import aiohttp
import uvloop

from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.bench.commands import UNLIMITED
from tests.bench.commands_clients import Clients, Player
from tests.bench.commands_timing import at_once, cpu_seconds_of
from tests.support.process import ChildProcess
from tests.system.game_server import environment, published_keys

HERE: Final = Path(__file__).parents[2]
SEATS: Final = 10
TIER: Final = 1000
FEW: Final = 3
"""So slow is a server under valgrind that more would wait too long for their turn."""
WARM_UP_ROUNDS: Final = 5
START_SECONDS: Final = 300
SERVE: Final = ("-P", "-c", "from server.cli.main import main; main()", "serve")
VALGRIND: Final = (
    *("valgrind", "--tool=cachegrind", "--cache-sim=no"),
    "--cachegrind-out-file=/dev/null",
)
INSTRUCTIONS: Final = r"I +refs: +([\d,]+)"


async def play(clients: Clients, rounds: int, together: int = SEATS) -> None:
    """Have all players but the first, who stays at the front desk, go to their next game so many
    times, so many of them at a time."""
    for _ in range(rounds):
        await at_once(together)([partial(_turn_over, clients, p) for p in clients.players[1:]])


async def _turn_over(clients: Clients, player: Player) -> None:
    await player.to_front_desk()
    await player.join(TIER)
    await clients.sit_down([player])
    await player.arrange()


@asynccontextmanager
async def served(
    sources: Path, store_url: str, wrapper: Sequence[str] = (), python: str = sys.executable
) -> AsyncIterator[tuple[ChildProcess, Clients]]:
    """A server of these sources, run by this `python`, and eleven players at its front desk."""
    issuer, provider = DevIssuer("https://issuer.test", "provider"), DevProvider()
    async with published_keys(issuer) as jwks_url, aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{(port := free_port())}"
        variables = environment(store_url, jwks_url, issuer, provider) | UNLIMITED
        changes = {"PORT": str(port), "PYTHONPATH": str(sources), "PYTHONHASHSEED": "1"}
        changes["BUY_IN_TIERS"] = str(TIER)
        with TemporaryDirectory() as directory:
            command = [*wrapper, python, *SERVE]
            process = ChildProcess(command, variables | changes, Path(directory) / "output")
            try:
                await process.wait_for_url(f"{url}/health/ready", timeout_seconds=START_SECONDS)
                clients = Clients(url, issuer, provider, http)
                await clients.arrive(SEATS + 1)
                yield process, clients
                clients.leave()
            finally:
                process.kill()


async def cpu_us(sources: Path, rounds: int, python: str = sys.executable) -> float:
    """The server's processor time for one player, in microseconds."""
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        async with served(sources, store.url, python=python) as (process, clients):
            await play(clients, WARM_UP_ROUNDS)
            before = cpu_seconds_of(process.pid)
            await play(clients, rounds)
            return (cpu_seconds_of(process.pid) - before) / rounds / SEATS * 1e6


async def instructions(sources: Path, rounds: int) -> float:
    """The server's instructions for one player: those of so many more rounds, after the first."""
    few, many = [await _counted(sources, n) for n in (WARM_UP_ROUNDS, WARM_UP_ROUNDS + rounds)]
    return (many - few) / rounds / SEATS


async def _counted(sources: Path, rounds: int) -> int:
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        async with served(sources, store.url, VALGRIND) as (process, clients):
            await play(clients, rounds, FEW)
            os.kill(process.pid, signal.SIGTERM)
            await process.wait(START_SECONDS)
            found = re.search(INSTRUCTIONS, process.output)
            assert found is not None, process.output
            return int(found[1].replace(",", ""))


async def main(given: argparse.Namespace) -> Mapping[str, list[float]]:
    """Measure, and print it."""
    measure, unit = (instructions, "instructions") if given.instructions else (cpu_us, "us")
    found: dict[str, list[float]] = {}
    for _ in range(given.turns):
        for sources in filter(None, (given.beside, HERE)):
            found.setdefault(str(sources), []).append(await measure(sources, given.rounds))
    for name, each in found.items():
        spread = f"of {min(each):,.0f} to {max(each):,.0f}"
        sys.stdout.write(f"{name}: {median(each):,.0f} {unit} a player, {spread}\n")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--instructions", action="store_true")
    uvloop.run(main(parser.parse_args()))
