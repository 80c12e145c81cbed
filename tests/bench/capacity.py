"""The whole server at size: `python -m tests.bench.capacity [--players N] [--servers N] ...`.

Each `fair-bingo serve` has a core to itself, the store and the players share the last one. Tokens,
payments and games are real. Ten play in a lobby and nobody claims, so that every game lasts all its
calls; whoever's game is over joins the next one.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.bench.health import HealthProbe
from tests.bench.storm import Storm
from tests.bench.usage import Usage
from tests.support.process import ChildProcess
from tests.system.conftest import FAIR_BINGO
from tests.system.faults.servers import Server, ended
from tests.system.game_server import environment, published_keys

_SETTINGS: Final = {
    "MAX_PLAYERS": "10",
    "CONNECT_RATE": "0",
    "SOCKETS_PER_PLAYER": "0",
    "HTTP_RATE": "0",
    "MAX_SOCKETS": "0",
}
_TIERS: Final = (3500, 7000, 17500)
_END_SECONDS: Final = 120
_COUNTS: Final = ("sockets", "connections", "games", "missed", "duplicates", "errors")
_STEADY: Final = (
    *("events_per_second", "late_p50_ms", "late_p99_ms", "jitter_p99_ms", "jitter_max_ms"),
    *(
        "late_max_ms",
        "push_p50_ms",
        "push_p99_ms",
        "join_p50_ms",
        "join_p99_ms",
        "tool_lag_p99_ms",
        "cpu_percent",
    ),
)


@dataclass(frozen=True, slots=True)
class Size:
    """What to measure: so many players on each of so many servers. Times are in seconds;
    `reconnect_at` counts from the start, None: nobody is dropped. With `tier_each` the players of a
    server are in lobbies of their own; else those of all servers sit together."""

    players: int
    servers: int = 1
    call_interval_seconds: float = 1.08  # 18,000 players receive as much as 50,000 at 3 s
    ramp_seconds: float = 60
    seconds: float = 60
    reconnect_at: float | None = None
    load_processes: int = 2
    tier_each: bool = False


async def measure(
    size: Size, store: EmbeddedStore, directory: Path, cores: Sequence[int]
) -> list[dict[str, Any]]:
    """Carry it out, with the servers on the first `cores`. For each server the counts of the whole
    time; and of the time in which everybody played what the load tool measured and what the server
    and the store used."""
    issuer = DevIssuer("https://issuer.test", "capacity", directory)
    provider = DevProvider(directory)
    async with AsyncExitStack() as stack:
        jwks_url = await stack.enter_async_context(published_keys(issuer))
        variables = environment(store.url, jwks_url, issuer, provider) | _SETTINGS
        variables["CALL_INTERVAL_SECONDS"] = str(size.call_interval_seconds)
        started = [Server(variables, directory) for _ in range(size.servers)]
        servers = stack.enter_context(ended(*started))
        for server, core in zip(servers, cores, strict=False):
            os.sched_setaffinity(server.process.pid, [core])
            await server.wait_until_ready()
        usages = [Usage(server.process.pid) for server in servers]
        for usage in (*usages, store_usage := Usage(store.pid)):
            stack.enter_context(usage.noted())
        probes = [HealthProbe(server.url) for server in servers]
        for probe in probes:
            stack.enter_context(probe.asking())
        kid = issuer.keys["EdDSA"].kid
        tiers = cycle(_TIERS if size.tier_each else _TIERS[:1])
        pairs = zip(servers, tiers, strict=False)
        loads = [_load(size, server, tier, kid, directory) for server, tier in pairs]
        await asyncio.gather(*(_ended(load, size) for load in loads))
        return [
            _found(size, directory / str(server.port), usage, store_usage)
            | {"health_p95_ms": probe.p95_ms}
            for server, usage, probe in zip(servers, usages, probes, strict=True)
        ]


def _load(size: Size, server: Server, tier: int, kid: str, directory: Path) -> ChildProcess:
    options = {
        "token-key": directory / "issuer-ed25519.pem",
        "webhook-key": directory / "provider-ed25519.pem",
        "issuer": "https://issuer.test",
        "audience": "capacity",
        "kid": kid,
        "players": size.players,
        "tiers": tier,
        "ramp-seconds": size.ramp_seconds,
        "duration-seconds": size.seconds,
        "processes": size.load_processes,
        "call-interval-seconds": size.call_interval_seconds,
        "report": directory / str(server.port),
    }
    if size.reconnect_at is not None:
        options["reconnect-at"] = size.reconnect_at
    given = [f"--{name}={value}" for name, value in options.items()]
    command = [FAIR_BINGO, "load", server.url, "--no-claims", *given]
    return ChildProcess(command, {}, directory / f"load-{server.port}.log")


async def _ended(load: ChildProcess, size: Size) -> None:
    await load.wait(2 * size.ramp_seconds + size.seconds + _END_SECONDS)
    assert load.exit_code == 0, load.output


def _found(size: Size, report: Path, server: Usage, store: Usage) -> dict[str, Any]:
    said = json.loads((report / "report.json").read_bytes())
    begin, end = int(size.ramp_seconds) + 1, int(size.ramp_seconds + size.seconds)
    away = [second for second in said["series"][begin:end] if second["sockets"] < size.players]
    gone_at = size.reconnect_at
    storm = None if gone_at is None else Storm.of(said, gone_at, size.players)
    return {
        **{name: said["figures"][name] for name in _COUNTS},
        **{name: said["steady"][name] for name in _STEADY},
        "errors_by_code": said["errors"],
        "storm": None if storm is None else asdict(storm),
        "seconds_with_someone_away": len(away),
        "server_cpu_percent": round(server.cpu_percent(begin, end), 1),
        "server_mb": round(server.rss_bytes(end) / 1e6, 1),
        "kb_a_player": round((server.rss_bytes(end) - server.rss_bytes(0)) / size.players / 1e3, 1),
        "store_cpu_percent": round(store.cpu_percent(begin, end), 1),
    }


def main() -> None:
    """Measure, by default what takes two minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--players", type=int, default=2000)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--call-interval-seconds", type=float, default=1.08)
    parser.add_argument("--ramp-seconds", type=float, default=40)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--reconnect-at", type=float)
    parser.add_argument("--load-processes", type=int, default=2)
    parser.add_argument("--tier-each", action="store_true")
    size = Size(**vars(parser.parse_args()))
    cores = sorted(os.sched_getaffinity(0))
    # What is started here shares the last core, but for the servers, which are moved.
    os.sched_setaffinity(0, cores[-1:])
    with (
        TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "store") as store,
    ):
        found = asyncio.run(measure(size, store, Path(directory), cores))
    sys.stdout.write(f"{json.dumps(found, indent=1)}\n")
    for storm in (server["storm"] for server in found if server["storm"] is not None):
        sys.stdout.write(f"{Storm(**storm)}\n")


if __name__ == "__main__":
    main()
