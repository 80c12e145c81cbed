"""How many payments a server takes: deliveries through its HTTP route, next to what bounds them.

    python -m tests.bench.webhook [--deliveries N] [--concurrency N]

One `fair-bingo serve` and one store, on this machine, with this client beside them. Each delivery
pays for a seat of its own. The limits are measured by themselves, in this process: the check of the
signature and nothing else, and a commit of a payment's size and nothing else.
"""

import argparse
import asyncio
import json
import os
import platform
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from protocol.payments import SIGNATURE_HEADER
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.load.http import post
from tests.bench.support.granted import deliver, granted
from tests.bench.support.payment_commit import commit_like_a_payment
from tests.bench.support.serving import TIERS, UNLIMITED, serving, store_version
from tests.bench.support.timing import Operation, Timing, closed_loop
from tests.support.game import starting_nodes
from tests.support.http import http_session
from tests.system.game_server import WEBHOOK, environment, published_keys

INVOICE_FIELDS: Final = ("invoice_id", "recipient", "amount", "token", "network")


async def main(deliveries: int, concurrency: int) -> None:
    """Measure, and print a table."""
    provider = DevProvider()
    table = Table("", "a second", "p50 ms", "p99 ms")
    table.add_row("Ed25519 check", *row(await checked_signatures(provider, deliveries)))
    for fsync in ("always", "everysec"):
        async with started_store(fsync) as store:
            commits = await committed(store.url, deliveries, concurrency)
            delivered = await delivered_payments(store.url, provider, deliveries, concurrency)
            version_of_store = await store_version(store.url)
        table.add_row(f"commit, appendfsync {fsync}", *row(commits))
        table.add_row(f"delivery, appendfsync {fsync}", *row(delivered))
    table.caption = (
        f"{deliveries} each, {concurrency} at a time; Python {platform.python_version()},"
        f" aiohttp {version('aiohttp')}, cryptography {version('cryptography')}, {version_of_store}"
    )
    Console().print(table)


def row(timing: Timing) -> tuple[str, str, str]:
    """The throughput, and the median and the 99th percentile in ms."""
    p50_ms, p99_ms = timing.p50_p99_ms
    return f"{timing.rate:,.0f}", f"{p50_ms:.2f}", f"{p99_ms:.2f}"


@asynccontextmanager
async def started_store(fsync: str) -> AsyncIterator[EmbeddedStore]:
    """An empty store with that `appendfsync`."""
    with TemporaryDirectory() as data_dir, EmbeddedStore(Path(data_dir)) as store:
        async with Redis.from_url(store.url) as redis:
            await redis.config_set("appendfsync", fsync)
        yield store


async def checked_signatures(provider: DevProvider, count: int) -> Timing:
    """Check one signature so many times."""
    body = json.dumps(provider.payload(dict.fromkeys(INVOICE_FIELDS, "x" * 40))).encode()
    signature = bytes.fromhex(provider.sign(body))
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(provider.public_key_hex))

    async def check() -> None:
        key.verify(signature, body)

    timing = Timing()
    await timing.add(closed_loop(1), [check] * count, os.getpid())
    return timing


async def committed(store_url: str, count: int, concurrency: int) -> Timing:
    """Commit what a payment writes so many times, in as many lobbies as go on at a time."""
    timing = Timing()
    async with starting_nodes() as start:
        node = await start(store_url)
        idle = deque((f"lobby:{{bench}}:{number}", 0) for number in range(concurrency))

        async def commit() -> None:
            lobby, commits = idle.popleft()
            await commit_like_a_payment(node, lobby, commits + 1)
            idle.append((lobby, commits + 1))

        await timing.add(closed_loop(concurrency), [commit] * count, os.getpid())
    return timing


async def delivered_payments(
    store_url: str, provider: DevProvider, count: int, concurrency: int
) -> Timing:
    """Deliver a payment for each of so many seats, so many at a time."""
    issuer, timing = DevIssuer("https://issuer.test", "provider"), Timing()
    async with (
        published_keys(issuer) as jwks_url,
        serving(environment(store_url, jwks_url, issuer, provider) | UNLIMITED) as server,
        http_session(concurrency) as http,
    ):
        deliveries: list[bytes] = []

        async def join(number: int) -> None:
            body = json.dumps({"buy_in_amount": TIERS[number % len(TIERS)]}).encode()
            headers = {"Authorization": f"Bearer {issuer.token(f'player-{number}')}"}
            url = f"{server.url}/api/game/join"
            joined = await granted(partial(post, http, url, body, headers))
            assert joined is not None
            deliveries.append(json.dumps(provider.payload(joined["invoice"])).encode())

        def delivery(body: bytes) -> Operation:
            headers = {SIGNATURE_HEADER: provider.sign(body)}
            return partial(deliver, http, server.url + WEBHOOK, body, headers)

        load = closed_loop(concurrency)
        await load([partial(join, number) for number in range(count)])
        await timing.add(load, list(map(delivery, deliveries)), server.process.pid)
    return timing


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deliveries", type=int, default=5_000)
    parser.add_argument("--concurrency", type=int, default=32)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.deliveries, arguments.concurrency))
