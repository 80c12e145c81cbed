"""What a server uses for so many players, and how soon it answers them:

    python -m tests.bench.capacity [--players N] [--servers N] [--ramp-seconds N] [--seconds N] ...

Each `fair-bingo serve` has a core to itself, the store and the players share the last one. Tokens,
payments and games are real. Ten play in a lobby and nobody claims, so that every game lasts all its
calls; whoever's game is over joins the next one. Linux only.
"""

import argparse
import asyncio
import json
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
from tests.bench.support.cores import CORES, OTHER_CORE, move_to
from tests.bench.support.health import HealthProbe
from tests.bench.support.load_tool import load_tool
from tests.bench.support.storm import Storm
from tests.bench.support.usage import Usage
from tests.support.process import ChildProcess
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
    *("events_per_second", "late_p50_ms", "late_p99_ms", "late_max_ms"),
    *("jitter_p99_ms", "jitter_max_ms", "push_p50_ms", "push_p99_ms"),
    *("join_p50_ms", "join_p99_ms", "tool_lag_p99_ms", "cpu_percent"),
)
"""Those of the load tool's figures that are of the time in which everybody played."""


@dataclass(frozen=True, slots=True)
class Size:
    """What to measure: so many players on each of so many servers, who arrive within `ramp_seconds`
    and then all play for `seconds`. All are disconnected at once `reconnect_at` seconds after the
    start; None: nobody is. With `tier_each` the players of a server are in lobbies of their own;
    else those of all servers sit together."""

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
    """Carry it out, with the servers on the first `cores`. For each server: the counts of the whole
    run; and, of the time in which everybody played, the load tool's figures and what the server and
    the store used."""
    issuer = DevIssuer("https://issuer.test", "capacity", directory)
    provider = DevProvider(directory)
    async with AsyncExitStack() as stack:
        jwks_url = await stack.enter_async_context(published_keys(issuer))
        variables = environment(store.url, jwks_url, issuer, provider) | _SETTINGS
        variables["CALL_INTERVAL_SECONDS"] = str(size.call_interval_seconds)
        started = [Server(variables, directory) for _ in range(size.servers)]
        servers = stack.enter_context(ended(*started))
        for server, core in zip(servers, cycle(cores), strict=False):
            move_to(core, server.process.pid)
            await server.wait_until_ready()
        usages = [Usage(server.process.pid) for server in servers]
        for usage in (*usages, store_usage := Usage(store.pid)):
            stack.enter_context(usage.sampled())
        probes = [HealthProbe(server.url) for server in servers]
        for probe in probes:
            stack.enter_context(probe.asking())
        tiers = cycle(_TIERS if size.tier_each else _TIERS[:1])
        loads = [_load(size, server, next(tiers), issuer, directory) for server in servers]
        await asyncio.gather(*(_ended(load, size) for load in loads))
        return [
            _figures(size, _report_of(server, directory), usage, store_usage)
            | {"health_p95_ms": probe.p95_ms}
            for server, usage, probe in zip(servers, usages, probes, strict=True)
        ]


def _load(
    size: Size, server: Server, tier: int, issuer: DevIssuer, directory: Path
) -> ChildProcess:
    reconnect = {} if size.reconnect_at is None else {"reconnect_at": size.reconnect_at}
    return load_tool(
        server.url,
        issuer,
        directory,
        directory / f"load-{server.port}.log",
        players=size.players,
        tiers=tier,
        ramp_seconds=size.ramp_seconds,
        duration_seconds=size.seconds,
        processes=size.load_processes,
        call_interval_seconds=size.call_interval_seconds,
        report=_report_of(server, directory),
        **reconnect,
    )


def _report_of(server: Server, directory: Path) -> Path:
    return directory / str(server.port)


async def _ended(load: ChildProcess, size: Size) -> None:
    await load.wait(2 * size.ramp_seconds + size.seconds + _END_SECONDS)
    assert load.exit_code == 0, load.output


def _figures(size: Size, report: Path, server: Usage, store: Usage) -> dict[str, Any]:
    run = json.loads((report / "report.json").read_bytes())
    begin, end = int(size.ramp_seconds) + 1, int(size.ramp_seconds + size.seconds)
    incomplete = [second for second in run["series"][begin:end] if second["sockets"] < size.players]
    storm = None
    if size.reconnect_at is not None:
        storm = asdict(Storm.of(run, size.reconnect_at, size.players))
    return {
        **{name: run["figures"][name] for name in _COUNTS},
        **{name: run["steady"][name] for name in _STEADY},
        "errors_by_code": run["errors"],
        "storm": storm,
        "seconds_with_someone_away": len(incomplete),
        "server_cpu_percent": round(server.cpu_percent(begin, end), 2),
        "server_mb": round(server.rss_bytes(end) / 1e6, 1),
        "kb_a_player": round((server.rss_bytes(end) - server.rss_bytes(0)) / size.players / 1e3, 1),
        "store_cpu_percent": round(store.cpu_percent(begin, end), 1),
    }


def main() -> None:
    """Measure, by default for two minutes, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--players", type=int, default=2000, help="of each server")
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--call-interval-seconds", type=float, default=1.08)
    parser.add_argument("--ramp-seconds", type=float, default=40, help="until all play")
    parser.add_argument("--seconds", type=float, default=60, help="how long all play")
    parser.add_argument("--reconnect-at", type=float, metavar="SECONDS", help="disconnect all")
    parser.add_argument("--load-processes", type=int, default=2)
    parser.add_argument("--tier-each", action="store_true", help="for each server")
    size = Size(**vars(parser.parse_args()))
    move_to(OTHER_CORE)  # and all that is started here, but for the servers
    with (
        TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "store") as store,
    ):
        figures = asyncio.run(measure(size, store, Path(directory), CORES))
    sys.stdout.write(f"{json.dumps(figures, indent=1)}\n")
    for storm in (server["storm"] for server in figures if server["storm"] is not None):
        sys.stdout.write(f"{Storm(**storm)}\n")


if __name__ == "__main__":
    main()
