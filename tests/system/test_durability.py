"""What was acknowledged to the payment provider is in the ledger, once, whatever dies."""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import aiohttp
import pytest
from redis.asyncio import Redis

from protocol.payments import SIGNATURE_HEADER
from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.rules.evolve import fold
from server.store.log import NOTHING
from tests.support.game import Node, starting_nodes
from tests.support.process import ChildProcess, StartProcess
from tests.support.store_content import ledger
from tests.support.wait import until
from tests.system.cashiers import Cashiers, TornStore
from tests.system.conftest import FAIR_BINGO, Serve
from tests.system.game_server import WEBHOOK

FAULT_SECONDS = float(os.environ.get("FAULT_SECONDS", "10"))
CASHIERS = 16
FAST_GAMES = {
    "HTTP_RATE": "0",
    "MAX_PLAYERS": "4",
    "SEAT_SECONDS": "1",
    "FORMATION_SECONDS": "1",
    "LOBBY_TTL_SECONDS": "3",
    "ARRANGING_SECONDS": "0.1",
    "CALL_INTERVAL_SECONDS": "0.02",
}

StartServe = Callable[..., ChildProcess]


class Faults:
    """Hurts the store and the servers, one at a time, and heals them."""

    def __init__(self, torn: TornStore, start_serve: StartServe, ports: list[int]) -> None:
        self.happened: Counter[str] = Counter()
        self._torn = torn
        self._start_serve = start_serve
        self._servers = {port: start_serve(PORT=str(port)) for port in ports}

    def __str__(self) -> str:
        return ", ".join(f"{count} {fault}" for fault, count in self.happened.items())

    async def work(self, seconds: float) -> None:
        """Do so for a while; all is well again afterwards."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await asyncio.sleep(random.uniform(0.1, 1))
            faults = [self._kill_server, self._crash_store, self._crash_store, self._pause_store]
            await random.choice(faults)()
        for server in self._servers.values():
            await server.wait_for_line('"ready"')

    async def end(self) -> None:
        """Stop the servers, which must still be there."""
        for server in self._servers.values():
            server.terminate()
        for server in self._servers.values():
            assert await server.wait() == 0, server.output

    async def _kill_server(self) -> None:
        port, server = random.choice([*self._servers.items()])
        server.kill()
        self.happened["servers killed"] += 1
        self._servers[port] = self._start_serve(PORT=str(port))

    async def _crash_store(self) -> None:
        self.happened["bytes cut off"] += self._torn.crash()
        self.happened["stores killed"] += 1

    async def _pause_store(self) -> None:
        os.kill(self._torn.store.pid, signal.SIGSTOP)
        await asyncio.sleep(random.uniform(0.1, 1.5))
        os.kill(self._torn.store.pid, signal.SIGCONT)
        self.happened["stores paused"] += 1


@pytest.mark.timeout(120 + 2 * FAULT_SECONDS)
async def test_every_acknowledged_payment_is_in_the_ledger_once_whatever_dies(
    own_store: EmbeddedStore,
    start_serve: StartServe,
    start_process: StartProcess,
    variables: dict[str, str],
    issuer: DevIssuer,
    provider: DevProvider,
) -> None:
    variables |= FAST_GAMES | {"REDIS_URL": own_store.url}
    ports = [free_port(), free_port()]
    torn = TornStore(own_store)
    faults = Faults(torn, start_serve, ports)
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    cashiers = Cashiers(urls, issuer, provider, torn)
    async with asyncio.TaskGroup() as working:
        for number in range(CASHIERS):
            working.create_task(cashiers.work(number))
        await faults.work(FAULT_SECONDS)
        cashiers.stopping = True
    await faults.end()

    print(  # noqa: T201 - shown by `pytest -s`
        f"\n{len(cashiers.acknowledged)} acknowledged, {cashiers.repeats} repeated; {faults}"
    )
    assert cashiers.repeats > 0
    await assert_counted_once(own_store.url, cashiers)
    await assert_folds(own_store.url)
    audit = start_process(FAIR_BINGO, "audit", **variables)
    assert await audit.wait() == 0, audit.output


async def assert_counted_once(store_url: str, cashiers: Cashiers) -> None:
    """Every acknowledged payment was received once, with its amount, and nothing else was."""
    async with Redis.from_url(store_url, decode_responses=True) as redis:
        entries = await ledger(redis, "3500")
    received = [
        (entry["event"], entry["amount"]) for entry in entries if entry["kind"] == "received"
    ]
    paid = [
        (tx, payload["amount"])
        for tx, payload in cashiers.acknowledged.items()
        if payload["status"] == "finalized"
    ]
    assert len(paid) > CASHIERS
    assert sorted(received) == sorted(paid)


async def assert_folds(store_url: str) -> None:
    """Every lobby in the store is what its own log says."""
    async with starting_nodes() as start, Redis.from_url(store_url, decode_responses=True) as redis:
        node = await start(store_url)
        logs = [key async for key in redis.scan_iter("lobby:*:events", count=1_000)]
        assert logs
        for log in logs:
            await assert_fold(node, log.split(":")[2])


async def assert_fold(node: Node, lobby_id: str) -> None:
    records = await node.store.records_after(lobby_id, NOTHING, 10_000)
    stored = await node.store.load(lobby_id)
    assert stored.lobby == fold(record.event for record in records)
    assert stored.head == records[-1].head


async def test_a_store_that_hangs_is_unavailable_soon_and_the_repeat_counts_once(
    own_store: EmbeddedStore, serve: Serve, provider: DevProvider
) -> None:
    server = await serve(REDIS_URL=own_store.url)
    bodies = [
        json.dumps(provider.payload((await server.join(name))["invoice"])).encode()
        for name in ("alice", "bob")
    ]

    async def deliver(body: bytes) -> tuple[int, str | None]:
        signed = {SIGNATURE_HEADER: provider.sign(body)}
        answer = await server.request("POST", WEBHOOK, data=body, headers=signed)
        return answer.status, answer.headers.get("Retry-After")

    async def is_taken(body: bytes) -> bool:
        return await deliver(body) == (200, None)

    os.kill(own_store.pid, signal.SIGSTOP)
    asked_at = time.monotonic()
    answers = await asyncio.gather(*map(deliver, bodies))
    waited_seconds = time.monotonic() - asked_at
    os.kill(own_store.pid, signal.SIGCONT)
    assert answers == [(503, "1")] * 2
    assert waited_seconds < 8  # promised are 5; the rest is for a busy machine
    for body in bodies:
        await until(partial(is_taken, body))
        assert await is_taken(body)
    async with Redis.from_url(own_store.url, decode_responses=True) as redis:
        entries = await ledger(redis, "3500")
    assert sorted(entry["kind"] for entry in entries) == ["pot", "pot", "received", "received"]


@pytest.mark.parametrize(
    "setting", [("appendonly", "no"), ("appendfsync", "everysec"), ("appendfsync", "no")]
)
async def test_a_store_that_may_forget_is_refused_at_the_start(
    own_store: EmbeddedStore, start_serve: StartServe, setting: tuple[str, str]
) -> None:
    async with Redis.from_url(own_store.url) as redis:
        await redis.config_set(*setting)
    server = start_serve(REDIS_URL=own_store.url)
    assert await server.wait() == 2
    (line,) = [line for line in server.output.splitlines() if not line.startswith("{")]
    assert " ".join(setting) in line
    assert "ALLOW_WEAK_DURABILITY" in line


async def test_nothing_is_acknowledged_before_the_store_is_known_not_to_forget(
    own_store: EmbeddedStore, serve: Serve, start_serve: StartServe, provider: DevProvider
) -> None:
    elsewhere = await serve(REDIS_URL=own_store.url)
    payload = provider.payload((await elsewhere.join("alice"))["invoice"])
    body = json.dumps(payload).encode()
    signed = {SIGNATURE_HEADER: provider.sign(body)}
    async with Redis.from_url(own_store.url) as redis:
        await redis.config_set("appendfsync", "everysec")
    os.kill(own_store.pid, signal.SIGSTOP)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    starting = start_serve(REDIS_URL=own_store.url, PORT=str(port))
    await starting.wait_for_line("waiting_for_store")
    os.kill(own_store.pid, signal.SIGCONT)
    answers = set()
    async with aiohttp.ClientSession() as http:
        with suppress(aiohttp.ClientError):
            while starting.exit_code is None:
                async with http.post(url + WEBHOOK, data=body, headers=signed) as answer:
                    answers.add(answer.status)
    assert await starting.wait() == 2
    assert answers == {503}


async def test_a_store_that_may_forget_is_taken_by_those_who_accept_that(
    own_store: EmbeddedStore, serve: Serve
) -> None:
    async with Redis.from_url(own_store.url) as redis:
        await redis.config_set("appendfsync", "everysec")
    server = await serve(REDIS_URL=own_store.url, ALLOW_WEAK_DURABILITY="true")
    await server.seat("alice")


async def test_a_store_that_hides_its_settings_is_taken_with_a_warning(
    own_store: EmbeddedStore, start_serve: StartServe
) -> None:
    async with Redis.from_url(own_store.url) as redis:
        await redis.acl_setuser(
            "shy",
            enabled=True,
            passwords=["+secret"],
            keys=["*"],
            channels=["*"],
            commands=["+@all", "-config"],
        )
    server = start_serve(REDIS_URL=own_store.url.replace("//", "//shy:secret@"))
    await server.wait_for_line('"ready"')
    await server.wait_for_line("durability_unknown.*warning")
