"""`serve --workers N`: several processes on one port, and what becomes of it when some end."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
import redis

from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.support.http import answers
from tests.support.process import ChildProcess
from tests.support.wait import until
from tests.system.conftest import READY, StartServe
from tests.system.game_server import GameServer, game_server

OPS_TOKEN = "the-operator-may-look"

# What reading a file of /proc says of a process that ended before it was opened, or since.
GONE = (FileNotFoundError, ProcessLookupError)


def workers(parent: ChildProcess) -> set[int]:
    """The process ids of a parent's workers."""
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    try:
        return {int(pid) for pid in children.read_text().split()}
    except GONE:
        return set()


async def all_ready(parent: ChildProcess, how_many: int) -> str:
    """The URL, when so many workers have become ready since the start."""
    url = (await parent.wait_for_line(READY))[1]
    await until(lambda: parent.output.count('"event": "worker_ready"') >= how_many)
    return url


def is_alive(pid: int) -> bool:
    """Whether it runs; one that has ended and whom nobody has asked does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except GONE:
        return False
    return state not in "ZX"


async def scraped(server: GameServer) -> dict[str, float]:
    """Every sample of /metrics, by its name and labels as written."""
    answer = await server.get_again("/metrics")
    assert answer.status == 200, answer
    lines = (line for line in answer.body.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@asynccontextmanager
async def visiting(url: str, how_many: int) -> AsyncIterator[None]:
    """So many connections stay open."""
    opened = 0

    async def stay(http: aiohttp.ClientSession) -> None:
        nonlocal opened
        async with http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket") as ws:
            opened += 1
            async for message in ws:
                if message.data == "2":
                    await ws.send_str("3")

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        staying = [asyncio.create_task(stay(http)) for _ in range(how_many)]
        await until(lambda: opened == how_many)
        yield
        for task in staying:
            task.cancel()
        await asyncio.wait(staying)


def counters(samples: dict[str, float]) -> dict[str, float]:
    """Those that may never fall."""
    kinds = ("_total", "_count", "_bucket")
    return {name: value for name, value in samples.items() if name.split("{")[0].endswith(kinds)}


async def test_workers_share_the_players_and_are_seen_as_one(
    start_serve: StartServe, issuer: DevIssuer, provider: DevProvider
) -> None:
    how_many = 90
    parent = start_serve(
        WORKERS="3", OPS_TOKEN=OPS_TOKEN, CONNECT_RATE="0", CONNECT_TIMEOUT_SECONDS="600"
    )
    url = await all_ready(parent, 3)
    pids = workers(parent)
    async with (
        game_server(url, issuer, provider) as server,
        visiting(url, how_many),
    ):

        async def are_one() -> bool:
            # Not at once: of a worker that has no processor for long the last report counts.
            seen = await scraped(server)
            names = ("sockets", "max_sockets", "scheduler_up")
            values = [seen[f"fair_bingo_{name}"] for name in names]
            return values == [how_many, 3 * 20000, 1]

        for _ in range(5):  # whoever of them is asked
            await until(are_one)

        async def listed() -> dict[str, dict[str, float]]:
            auth = aiohttp.encode_basic_auth("ops", OPS_TOKEN)
            headers = {"Authorization": auth}
            answer = await server.request_again("GET", "/ops/nodes", headers=headers)
            assert answer.status == 200, answer
            return dict(answer.body)

        nodes: dict[str, dict[str, float]] = {}

        async def all_tell() -> bool:
            nonlocal nodes
            nodes = await listed()
            return sum(node["fair_bingo_sockets"] for node in nodes.values()) == how_many

        await until(all_tell)
        assert {int(name.rpartition("-")[2]) for name in nodes} == pids
        shares = [node["fair_bingo_sockets"] for node in nodes.values()]
        assert max(shares) <= 5 * min(shares)  # each takes what comes to it, by chance
    for number in (1, 2, 3):
        assert f'"worker": {number}' in parent.output


async def test_what_waits_for_a_worker_that_dies_is_served_by_its_successor(
    start_serve: StartServe, issuer: DevIssuer, provider: DevProvider
) -> None:
    parent = start_serve(WORKERS="2", CONNECT_RATE="0")
    url = await all_ready(parent, 2)
    async with game_server(url, issuer, provider) as server:
        await server.seat("alice", "bob")
        before = counters(await scraped(server))
        killed = min(workers(parent))
        os.kill(killed, signal.SIGSTOP)  # from now on what comes to it has to wait
        asking = [asyncio.create_task(anew(url)) for _ in range(40)]
        await until(lambda: sum(task.done() for task in asking) > 0)
        os.kill(killed, signal.SIGKILL)

        assert await asyncio.gather(*asking) == [200] * 40
        await until(lambda: len(workers(parent)) == 2)
        await all_ready(parent, 3)
        for _ in range(5):
            after = counters(await scraped(server))
            assert {name for name in before if after[name] < before[name]} == set()
            before = after
        assert after['fair_bingo_worker_deaths_total{cause="died"}'] == 1
    assert parent.exit_code is None


async def anew(url: str) -> int:
    """The status of a request on a connection of its own."""
    timeout = aiohttp.ClientTimeout(total=100)
    async with aiohttp.ClientSession(timeout=timeout) as http, http.get(f"{url}/health/live") as a:
        return a.status


async def test_no_worker_outlives_a_parent_that_is_killed(start_serve: StartServe) -> None:
    parent = start_serve(WORKERS="2")
    url = await all_ready(parent, 2)
    orphans = workers(parent)
    assert len(orphans) == 2
    parent.kill()
    await until(lambda: not any(map(is_alive, orphans)))
    assert not await answers(f"{url}/health/live")


async def test_sigterm_is_passed_on_and_everyone_is_sent_away(
    start_serve: StartServe, issuer: DevIssuer, provider: DevProvider
) -> None:
    parent = start_serve(WORKERS="2", DRAIN_SECONDS="0.2")
    url = await all_ready(parent, 2)
    async with (
        game_server(url, issuer, provider) as server,
        server.visitor("alice") as alice,
        server.visitor("bob") as bob,
    ):
        await alice.enter("lobbies")
        await bob.enter(await server.seat("bob"))
        parent.terminate()
        for visitor in (alice, bob):
            assert (await visitor.receives("draining"))["retry_after_ms"] > 0
            await visitor.ends()
        assert await parent.wait() == 0
    assert "Traceback" not in parent.output


async def test_a_store_that_may_lose_payments_ends_all_with_one_line(
    start_serve: StartServe, own_store: EmbeddedStore
) -> None:
    with redis.Redis.from_url(own_store.url) as client:
        client.config_set("appendfsync", "everysec")
    parent = start_serve(WORKERS="2", REDIS_URL=own_store.url)
    assert await parent.wait() == 2
    (line,) = parent.told
    assert "appendfsync" in line


async def test_workers_that_die_at_once_again_and_again_end_all(start_serve: StartServe) -> None:
    parent = start_serve(WORKERS="2")

    async def ended() -> bool:
        for pid in workers(parent):
            with suppress(ProcessLookupError):  # it may have ended since it was listed
                os.kill(pid, signal.SIGKILL)
        return parent.exit_code is not None

    await until(ended)
    assert parent.exit_code == 1
    assert "workers_die_at_once" in parent.output


@pytest.mark.parametrize(
    ("setting", "shared", "workers"),
    [
        ("PORT", False, "2"),
        ("PORT", True, "2"),
        ("METRICS_PORT", True, "2"),
        ("METRICS_PORT", False, "1"),
    ],
)
async def test_a_port_that_others_have_stops_the_start_with_one_line(
    start_serve: StartServe, setting: str, shared: bool, workers: str
) -> None:
    with socket.socket() as taken:
        port = free_port()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
        taken.bind(("127.0.0.1", port))
        taken.listen()
        parent = start_serve(WORKERS=workers, **{setting: str(port)})
        assert await parent.wait() == 1
    (line,) = parent.output.splitlines()
    assert line == f"cannot listen on HOST 127.0.0.1, {setting} {port}: Address already in use"


async def test_a_number_of_workers_that_is_none_stops_the_start_with_one_line(
    start_serve: StartServe,
) -> None:
    process = start_serve(WORKERS="-1")
    assert await process.wait() == 2
    (line,) = process.told
    assert "WORKERS" in line
