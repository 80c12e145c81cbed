"""`fair-bingo serve` as benchmarks start it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from redis.asyncio import Redis

from tests.bench.support.cores import move_to
from tests.system.faults.servers import Server, ended

TIERS: Final = (1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000)
UNLIMITED: Final = {
    "BUY_IN_TIERS": ",".join(map(str, TIERS)),
    "MAX_PLAYERS": "10",
    "SEAT_SECONDS": "3600",
    "FORMATION_SECONDS": "3600",
    "LOBBY_TTL_SECONDS": "7200",
    "ARRANGING_SECONDS": "3600",
    "CALL_INTERVAL_SECONDS": "600",
    "HTTP_RATE": "0",
    "MESSAGE_RATE": "0",
    "CONNECT_RATE": "0",
    "SOCKETS_PER_PLAYER": "0",
    "LOG_LEVEL": "warning",
    "ALLOW_WEAK_DURABILITY": "true",
}
"""Settings of a server that limits nobody, and whose lobbies of ten do nothing by themselves for as
long as a benchmark takes: seats wait for their payments, full lobbies for their grids."""


BENCHMARK_SECONDS: Final = 900.0
"""In so long a benchmark at its smallest ends on a machine that is slow and has other work."""


@asynccontextmanager
async def serving(variables: Mapping[str, str], core: int | None = None) -> AsyncIterator[Server]:
    """A server with these variables in its environment, on a free port and on that core if one is
    given: ready to take players, and killed in the end."""
    with TemporaryDirectory() as directory:
        server = Server(variables, Path(directory))
        with ended(server):
            if core is not None:
                move_to(core, server.process.pid)
            await server.wait_until_ready()
            yield server


async def store_version(store_url: str) -> str:
    """The name and version of a store, such as `valkey 9.1.2`."""
    async with Redis.from_url(store_url, decode_responses=True) as redis:
        info: Any = await redis.info("server")
    return f"{info.get('server_name', 'redis')} {info.get('valkey_version', info['redis_version'])}"
