"""What a flooding client costs the others: `python -m tests.bench.flood [--help]`.

One `fair-bingo serve` with its limits as they are by default calls numbers in many lobbies; quiet
spectators note how long after its commit each number reaches them. A flooding client is let loose
and stopped again, every other moment, so that both are measured in one run.
"""

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import aiohttp
import orjson

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.support.process import ChildProcess
from tests.support.wait import until
from tests.system.faults.servers import Server, ended
from tests.system.game_server import GameServer, environment, game_server, published_keys

CALLS: Final = 50
PHASE_SECONDS: Final = 2.0
SETTLING_SECONDS: Final = 0.2  # at the beginning of a phase, which belongs to neither
SOCKET: Final = "/socket.io/?EIO=4&transport=websocket"


@dataclass(slots=True)
class Pushes:
    """How long after its commit each number was there, in ms; `into` is the list of the moment.
    `cut_off` is how often the flooding client was."""

    cut_off: int = 0
    without_ms: list[float] = field(default_factory=list)
    with_ms: list[float] = field(default_factory=list)
    into: list[float] | None = None

    def count(self, at_ms: float) -> None:
        """A number that was committed at that Unix time is here."""
        if self.into is not None:
            self.into.append(time.time() * 1000 - at_ms)


async def measure(
    store: EmbeddedStore,
    directory: Path,
    *,
    lobbies: int,
    watchers: int,
    seconds: float,
    pause_seconds: float,
) -> Pushes:
    """Watch so many lobbies by so many spectators each, half of the time with a flooding client
    that comes back `pause_seconds` after it was cut off."""
    issuer = DevIssuer("https://issuer.test", "00000001000000000000000000000000")
    pushes = Pushes()
    async with (
        running_server(store, directory, issuer, 1.5 * seconds / CALLS) as game,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        asyncio.TaskGroup() as watching,
    ):
        namespace, token = f"/{await game.ready('alice', 'bob')}", issuer.token("flood")
        arguments = [str(game.port), namespace, token, str(pause_seconds)]
        flooder = ChildProcess(
            [sys.executable, "-m", "tests.bench.flooder", *arguments], {}, directory / "flooder"
        )
        tasks = []
        try:
            await until(partial(was_cut_off, game))  # it has begun
            flooder.pause()
            rooms = [await game.ready("alice", "bob") for _ in range(lobbies)]
            tasks = [
                watching.create_task(watch(http, game, lobby_id, f"quiet-{number}", pushes))
                for lobby_id in rooms
                for number in range(watchers)
            ]
            await alternate(flooder, pushes, seconds)
            pushes.cut_off = await cut_off(game)
        finally:
            flooder.kill()
            for task in tasks:
                task.cancel()
    return pushes


@asynccontextmanager
async def running_server(
    store: EmbeddedStore, directory: Path, issuer: DevIssuer, call_interval_seconds: float
) -> AsyncIterator[GameServer]:
    """A server in a process of its own."""
    provider = DevProvider()
    async with AsyncExitStack() as stack:
        jwks_url = await stack.enter_async_context(published_keys(issuer))
        variables = environment(store.url, jwks_url, issuer, provider) | {
            "CALL_INTERVAL_SECONDS": str(call_interval_seconds),
            "HTTP_RATE": "0",  # all lobbies are filled by the same two
            "SOCKETS_PER_PLAYER": "0",
            "LOG_LEVEL": "warning",
        }
        server = Server(variables, directory)
        stack.enter_context(ended(server))
        await server.wait_until_ready()
        yield await stack.enter_async_context(game_server(server.url, issuer, provider))


async def watch(
    http: aiohttp.ClientSession, game: GameServer, lobby_id: str, name: str, pushes: Pushes
) -> None:
    """Be a spectator, until cancelled or the game is over."""
    connect = orjson.dumps({"token": game.issuer.token(name)}).decode()
    event = f'42/{lobby_id},["number_called",'
    async with http.ws_connect(game.url + SOCKET) as socket:
        await socket.send_str(f"40/{lobby_id},{connect}")
        async for message in socket:
            text: str = message.data
            if text.startswith(event):
                called: Any = orjson.loads(text[len(event) : -1])
                pushes.count(called["at"])
            elif text == "2":
                await socket.send_str("3")


async def alternate(flooder: ChildProcess, pushes: Pushes, seconds: float) -> None:
    """Measure without and with the flood by turns, for so long in all."""
    for _ in range(max(1, round(seconds / PHASE_SECONDS / 2))):
        for running, figures in ((False, pushes.without_ms), (True, pushes.with_ms)):
            flooder.resume() if running else flooder.pause()
            await asyncio.sleep(SETTLING_SECONDS)
            pushes.into = figures
            await asyncio.sleep(PHASE_SECONDS - SETTLING_SECONDS)
            pushes.into = None


async def cut_off(game: GameServer) -> int:
    """How many connections the server has ended for their flood."""
    text = (await game.get("/metrics")).body.decode()
    found = re.search(r'^fair_bingo_connections_ended_total{reason="flooded"} (\d+)', text, re.M)
    return 0 if found is None else int(found[1])


async def was_cut_off(game: GameServer) -> bool:
    """Whether the server has ended any connection for its flood."""
    return await cut_off(game) > 0


def line(name: str, each_ms: Sequence[float]) -> str:
    """The percentiles of a measurement."""
    percent = quantiles(each_ms, n=100)
    return f"{name}: {len(each_ms)} pushes, p50 {percent[49]:.2f} ms, p99 {percent[98]:.2f} ms"


def main() -> None:
    """Measure, and print both and what lies between."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lobbies", type=int, default=50)
    parser.add_argument("--watchers", type=int, default=4, help="in each lobby")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=1, help="before it comes back, in seconds")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "store") as store,
    ):
        pushes = asyncio.run(
            measure(
                store,
                Path(directory),
                lobbies=given.lobbies,
                watchers=given.watchers,
                seconds=given.seconds,
                pause_seconds=given.pause,
            )
        )
    p99s = [quantiles(each_ms, n=100)[98] for each_ms in (pushes.without_ms, pushes.with_ms)]
    sys.stdout.write(f"{line('without a flood', pushes.without_ms)}\n")
    sys.stdout.write(f"{line('with a flood', pushes.with_ms)}\n")
    change = 100 * (p99s[1] / p99s[0] - 1)
    sys.stdout.write(f"p99 {change:+.1f} %; the flood was cut off {pushes.cut_off} times\n")


if __name__ == "__main__":
    main()
