"""What a flooding client costs the others: `python -m tests.bench.flood [--help]`.

One `fair-bingo serve` with its default limits calls numbers in many lobbies; spectators note how
long after its commit each number reaches them. A flooding client floods and is suspended in turns
of two seconds, so that both are measured in one run.
"""

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.bench.support.percentiles import p50_p99, summary
from tests.bench.support.serving import serving
from tests.support.http import http_session
from tests.support.process import ChildProcess
from tests.support.wait import until
from tests.system.game_server import GameServer, environment, game_server, published_keys

CALLS: Final = 50
PHASE_SECONDS: Final = 2.0
SETTLING_SECONDS: Final = 0.2  # at the beginning of a phase, which belongs to neither
WEBSOCKET_PATH: Final = "/socket.io/?EIO=4&transport=websocket"


@dataclass(slots=True)
class Pushes:
    """How long after its commit each number was received, without a flood and with one, in ms;
    `current` is the list of the phase, if there is one. The server cut the flooding client off
    `cut_off` times."""

    cut_off: int = 0
    without_ms: list[float] = field(default_factory=list)
    with_ms: list[float] = field(default_factory=list)
    current: list[float] | None = None

    def received(self, committed_at_ms: float) -> None:
        """Count a number that was committed at that Unix time, and was received now."""
        if self.current is not None:
            self.current.append(time.time() * 1000 - committed_at_ms)


async def measure(
    store: EmbeddedStore,
    directory: Path,
    *,
    lobbies: int,
    watchers: int,
    seconds: float,
    pause_seconds: float,
) -> Pushes:
    """Measure in so many lobbies with so many spectators each, half of the time with a client that
    floods and reconnects `pause_seconds` after it was cut off."""
    issuer = DevIssuer("https://issuer.test", "00000001000000000000000000000000")
    pushes = Pushes()
    async with (
        running_server(store, issuer, 1.5 * seconds / CALLS) as game,
        http_session() as http,
        asyncio.TaskGroup() as watching,
    ):
        namespace, token = f"/{await game.ready('alice', 'bob')}", issuer.token("flood")
        arguments = [str(game.port), namespace, token, str(pause_seconds)]
        flooder = ChildProcess(
            [sys.executable, "-m", "tests.bench.support.flooder", *arguments],
            {},
            directory / "flooder",
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
    store: EmbeddedStore, issuer: DevIssuer, call_interval_seconds: float
) -> AsyncIterator[GameServer]:
    """A server that calls numbers so often, and limits sockets as by default."""
    provider = DevProvider()
    async with published_keys(issuer) as jwks_url:
        variables = environment(store.url, jwks_url, issuer, provider) | {
            "CALL_INTERVAL_SECONDS": str(call_interval_seconds),
            "HTTP_RATE": "0",  # all lobbies are filled by the same two
            "SOCKETS_PER_PLAYER": "0",
            "LOG_LEVEL": "warning",
        }
        async with (
            serving(variables) as server,
            game_server(server.url, issuer, provider) as game,
        ):
            yield game


async def watch(
    http: aiohttp.ClientSession, game: GameServer, lobby_id: str, name: str, pushes: Pushes
) -> None:
    """Be a spectator called `name`, until cancelled or the game is over."""
    connect = orjson.dumps({"token": game.issuer.token(name)}).decode()
    event = f'42/{lobby_id},["number_called",'
    async with http.ws_connect(game.url + WEBSOCKET_PATH) as socket:
        await socket.send_str(f"40/{lobby_id},{connect}")
        async for message in socket:
            text: str = message.data
            if text.startswith(event):
                called: Any = orjson.loads(text[len(event) : -1])
                pushes.received(called["at"])
            elif text == "2":
                await socket.send_str("3")


async def alternate(flooder: ChildProcess, pushes: Pushes, seconds: float) -> None:
    """Measure without and with the flood by turns, for so long in all."""
    for _ in range(max(1, round(seconds / PHASE_SECONDS / 2))):
        for floods, latencies_ms in ((False, pushes.without_ms), (True, pushes.with_ms)):
            flooder.resume() if floods else flooder.pause()
            await asyncio.sleep(SETTLING_SECONDS)
            pushes.current = latencies_ms
            await asyncio.sleep(PHASE_SECONDS - SETTLING_SECONDS)
            pushes.current = None


async def cut_off(game: GameServer) -> int:
    """How many connections the server has ended because they flooded it."""
    text = (await game.get("/metrics")).body.decode()
    found = re.search(r'^fair_bingo_connections_ended_total{reason="flooded"} (\d+)', text, re.M)
    return 0 if found is None else int(found[1])


async def was_cut_off(game: GameServer) -> bool:
    """Whether the server has ended any connection because it flooded it."""
    return await cut_off(game) > 0


def main() -> None:
    """Measure, and print both and by how much they differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lobbies", type=int, default=50)
    parser.add_argument("--watchers", type=int, default=4, help="spectators of each lobby")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=1, help="seconds until it reconnects")
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
    (_, without_ms), (_, with_ms) = p50_p99(pushes.without_ms), p50_p99(pushes.with_ms)
    sys.stdout.write(f"{summary('without a flood', 'pushes', pushes.without_ms)}\n")
    sys.stdout.write(f"{summary('with a flood', 'pushes', pushes.with_ms)}\n")
    change = 100 * (with_ms / without_ms - 1)
    sys.stdout.write(f"p99 {change:+.1f} %; the flood was cut off {pushes.cut_off} times\n")


if __name__ == "__main__":
    main()
