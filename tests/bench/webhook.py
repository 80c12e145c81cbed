"""How many payments a server takes: deliveries through its HTTP route, next to what bounds them.

    python -m tests.bench.webhook [--deliveries N] [--concurrency N]

One `fair-bingo serve` and one store, on this machine, with this client beside them. Each delivery
pays a seat of its own. The limits are measured on their own, in one process: checking the signature
and nothing else, and a commit of a payment's size and nothing else.
"""

import argparse
import asyncio
import itertools
import json
import platform
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from protocol.payments import SIGNATURE_HEADER
from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.store.commits import Check
from tests.support.game import Node, starting_nodes
from tests.support.process import ChildProcess
from tests.system.conftest import FAIR_BINGO
from tests.system.game_server import WEBHOOK, environment, published_keys

TIERS: Final = (1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000)
# Seats wait for their payments, and lobbies that are full wait for their grids, until the end.
PATIENT: Final = {
    "BUY_IN_TIERS": ",".join(map(str, TIERS)),
    "MAX_PLAYERS": "10",
    "SEAT_SECONDS": "3600",
    "FORMATION_SECONDS": "3600",
    "LOBBY_TTL_SECONDS": "7200",
    "ARRANGING_SECONDS": "3600",
    "HTTP_RATE": "0",
    "SOCKETS_PER_PLAYER": "0",
    "LOG_LEVEL": "warning",
    "ALLOW_WEAK_DURABILITY": "true",
}


class Measured(NamedTuple):
    """How often something was done, how long all took, and how long each."""

    times: int
    seconds: float
    each_ms: Sequence[float]

    @property
    def row(self) -> tuple[str, str, str]:
        """A second, the median and the 99th percentile of each."""
        percentiles = quantiles(self.each_ms, n=100)
        return (
            f"{self.times / self.seconds:,.0f}",
            f"{percentiles[49]:.2f}",
            f"{percentiles[98]:.2f}",
        )


async def main(deliveries: int, concurrency: int) -> None:
    """Measure, and print a table."""
    provider = DevProvider()
    table = Table("", "a second", "p50 ms", "p99 ms")
    table.add_row("Ed25519 check", *check_signatures(provider, deliveries).row)
    for fsync in ("always", "everysec"):
        async with started_store(fsync) as store:
            commits = await commit(store.url, deliveries, concurrency)
            delivered = await deliver(store.url, provider, deliveries, concurrency)
            store_version = await version_of(store.url)
        table.add_row(f"commit, appendfsync {fsync}", *commits.row)
        table.add_row(f"delivery, appendfsync {fsync}", *delivered.row)
    table.caption = (
        f"{deliveries} each, {concurrency} at a time; Python {platform.python_version()},"
        f" aiohttp {version('aiohttp')}, cryptography {version('cryptography')}, {store_version}"
    )
    Console().print(table)


@asynccontextmanager
async def started_store(fsync: str) -> AsyncIterator[EmbeddedStore]:
    """An empty store that syncs its file so."""
    with TemporaryDirectory() as data_dir, EmbeddedStore(Path(data_dir)) as store:
        async with Redis.from_url(store.url) as redis:
            await redis.config_set("appendfsync", fsync)
        yield store


async def version_of(store_url: str) -> str:
    """What the store calls itself."""
    async with Redis.from_url(store_url, decode_responses=True) as redis:
        said: Any = await redis.info("server")
    return f"{said.get('server_name', 'redis')} {said.get('valkey_version', said['redis_version'])}"


def check_signatures(provider: DevProvider, count: int) -> Measured:
    """Check one signature again and again."""
    body = json.dumps(provider.payload(dict.fromkeys(INVOICE_FIELDS, "x" * 40))).encode()
    signature = bytes.fromhex(provider.sign(body))
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(provider.public_key_hex))
    each_ms = []
    for _ in range(count):
        begun = time.perf_counter()
        key.verify(signature, body)
        each_ms.append((time.perf_counter() - begun) * 1000)
    return Measured(count, sum(each_ms) / 1000, each_ms)


INVOICE_FIELDS: Final = ("invoice_id", "recipient", "amount", "token", "network")


async def commit(store_url: str, count: int, concurrency: int) -> Measured:
    """Commit writes like those of a payment, in as many lobbies as go on at a time."""
    async with starting_nodes() as start:
        node = await start(store_url)
        versions = [0] * concurrency

        async def commit_one(worker: int) -> None:
            versions[worker] += 1
            await commit_like_a_payment(node, f"lobby:{{bench}}:{worker}", versions[worker])

        return await measure(commit_one, count, concurrency)


async def commit_like_a_payment(node: Node, lobby: str, number: int) -> None:
    """The `number`-th commit of a lobby, from 1: one check and the nine writes of a payment."""
    text = "x" * 40
    entry = ["kind", "pot", "amount", "3500", "lobby_id", text, "invoice_id", text, "event", text]
    ledger = ("XADD", "ledger:{bench}", "*", *entry)
    unchanged = Check(("HGET", lobby, "version"), str(number - 1) if number > 1 else "")
    done = await node.commits.commit(
        [unchanged],
        [
            ("HSET", lobby, "version", number, "pot", "3500", "invoices", text * 10),
            ("HSET", f"{lobby}:player", *[part for i in range(12) for part in (str(i), text)]),
            ("XADD", f"{lobby}:events", "*", "type", "seat_paid", "data", text * 5),
            ("HSET", f"invoice:{{bench}}:{lobby}", "status", "paid", "tx_hash", text),
            ("HSET", f"invoice:{{bench}}:{lobby}", f"delivery:{number}", "0"),
            ledger,
            ledger,
            ("SPUBLISH", f"{lobby}:events", text * 10),
            ("SPUBLISH", "front_desk:{bench}", text * 15),
        ],
        node.clock.now_ms(),
    )
    if not done:
        raise RuntimeError("a commit of its own lobby was refused")


async def deliver(store_url: str, provider: DevProvider, count: int, concurrency: int) -> Measured:
    """Deliver a payment for each of so many seats."""
    issuer = DevIssuer("https://issuer.test", "provider")
    async with (
        published_keys(issuer) as jwks_url,
        serving(environment(store_url, jwks_url, issuer, provider) | PATIENT) as url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as http,
    ):
        bodies: list[bytes] = []

        async def join_one(_worker: int) -> None:
            number = len(bodies)
            bodies.append(b"")
            token = issuer.token(f"player-{number}")
            body = {"buy_in_amount": TIERS[number % len(TIERS)]}
            headers = {"Authorization": f"Bearer {token}"}
            async with http.post(url + "/api/game/join", json=body, headers=headers) as answer:
                invoice = (await answer.json())["invoice"]
            bodies[number] = json.dumps(provider.payload(invoice)).encode()

        await measure(join_one, count, concurrency)
        signed = iter([(body, {SIGNATURE_HEADER: provider.sign(body)}) for body in bodies])

        async def deliver_one(_worker: int) -> None:
            body, headers = next(signed)
            async with http.post(url + WEBHOOK, data=body, headers=headers) as answer:
                said = await answer.json()
            if said != {"success": True, "processed": True}:
                raise RuntimeError(f"a payment was not taken: {said}")

        return await measure(deliver_one, count, concurrency)


@asynccontextmanager
async def serving(variables: dict[str, str]) -> AsyncIterator[str]:
    """The URL of a server in a process of its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with TemporaryDirectory() as directory:
        process = ChildProcess(
            [FAIR_BINGO, "serve"], variables | {"PORT": str(port)}, Path(directory) / "output"
        )
        try:
            await process.wait_for_url(url + "/health/ready")
            yield url
        finally:
            process.kill()


async def measure(do: Callable[[int], Awaitable[None]], count: int, concurrency: int) -> Measured:
    """Do something so many times, by so many workers, which pass it their number."""
    each_ms: list[float] = []
    turns = itertools.count()

    async def work(worker: int) -> None:
        while next(turns) < count:
            begun = time.perf_counter()
            await do(worker)
            each_ms.append((time.perf_counter() - begun) * 1000)

    begun = time.perf_counter()
    await asyncio.gather(*map(work, range(concurrency)))
    return Measured(count, time.perf_counter() - begun, each_ms)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deliveries", type=int, default=5_000)
    parser.add_argument("--concurrency", type=int, default=32)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.deliveries, arguments.concurrency))
