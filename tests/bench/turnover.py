"""What a player between two games costs a server: `python -m tests.bench.turnover [--beside DIR]`.

Each leaves the last room for the front desk, takes a seat, pays it over HTTP, enters the new room
and arranges a ticket; ten sit in a room, and receive events of each other. `--beside` measures the
sources in another directory too, such as an earlier commit's, taking turns with these;
`--instructions` counts what the server executes outside the kernel, with valgrind: it varies by a
hundredth where processor time does by a tenth and more. Under valgrind all takes fifty times as
long: so what a server does by time alone is counted for itself and taken off, which a machine that
has much else to do makes too large to be relied on.
"""

import argparse
import asyncio
import os
import sys
import time
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
IDLE_SECONDS: Final = 5


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
                await clients.arrive(SEATS + 1, FEW)
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


async def instructions(sources: Path, rounds: int, python: str = sys.executable) -> float:
    """The server's instructions for one player."""
    with TemporaryDirectory() as directory, EmbeddedStore(Path(directory)) as store:
        counts = Path(directory) / "counts"
        valgrind = ("valgrind", "--tool=callgrind", "--instr-atstart=no")
        wrapper = (*valgrind, f"--callgrind-out-file={counts}")
        async with served(sources, store.url, wrapper, python) as (process, clients):
            await play(clients, WARM_UP_ROUNDS, FEW)
            await control(process.pid, "--instr=on")
            await play(clients, 1, FEW)  # what is counted for the first time is translated anew
            await control(process.pid, "--zero")
            begun_s = time.monotonic()
            await play(clients, rounds, FEW)
            seconds = time.monotonic() - begun_s
            await control(process.pid, "--dump=play")
            await asyncio.sleep(IDLE_SECONDS)
            await control(process.pid, "--dump=idle")
        played, idle = total(Path(f"{counts}.1")), total(Path(f"{counts}.2"))
        return (played - idle * seconds / IDLE_SECONDS) / rounds / SEATS


async def control(pid: int, command: str) -> None:
    """Have callgrind do something to the process that it runs."""
    # The names of valgrind's pipes have the variable HOST in them: it has to be the server's.
    variables = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1"}
    nothing = asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(
        "callgrind_control", command, str(pid), env=variables, stdout=nothing, stderr=nothing
    )
    assert await child.wait() == 0, command


def total(counts: Path) -> int:
    """The instructions in a file of callgrind."""
    totals = (line for line in counts.read_text().splitlines() if line.startswith("totals:"))
    return int(next(totals).split()[1])


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
