"""The topology of docker-compose.yml, without containers: two servers behind the load balancer with
the repository's own configuration, and the store as production has it."""

import asyncio
import json
import os
import re
import shutil
from functools import partial
from pathlib import Path

import pytest
import yaml

from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.support.game import starting_nodes
from tests.support.http import http_session
from tests.support.process import StartProcess
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.system.conftest import Serve
from tests.system.faults.servers import Server, ended
from tests.system.faults.verdict import Tally, events_for_room, judge
from tests.system.game_server import environment, game_server, published_keys

ROOT = Path(__file__).parents[2]
HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
METRICS = (
    *(
        "/metrics",
        "/%6detrics",
        "/%6D%65%74%72%69%63%73",
        "//metrics",
        "/./metrics",
        "/x/../metrics",
    ),
    *(
        "/metrics?x",
        "/metrics#x",
        "/metrics/",
        "/metrics%00",
        "/metrics%3f",
        "/metrics;x",
        "/METRICS",
    ),
    *("/%2fmetrics", "/%2e/metrics", "/%256detrics", "http://localhost/metrics", "\\metrics"),
    *("http://localhost/%6detrics", "http://localhost//metrics", "/\\metrics", "metrics"),
)
PACE = {"CALL_INTERVAL_SECONDS": "0.15", "DRAIN_SECONDS": "1", "TRUSTED_PROXIES": "127.0.0.1"}


needs_haproxy = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")


@needs_haproxy
@pytest.mark.usefixtures("node_modules")
async def test_a_game_behind_the_load_balancer_does_not_notice_a_rolling_restart(
    own_store: EmbeddedStore,
    issuer: DevIssuer,
    provider: DevProvider,
    start_process: StartProcess,
    tmp_path: Path,
) -> None:
    address = f"127.0.0.1:{free_port()}"
    async with (
        published_keys(issuer) as jwks_url,
        game_server(f"http://{address}", issuer, provider) as balanced,
        starting_nodes() as start_node,
    ):
        variables = environment(own_store.url, jwks_url, issuer, provider) | PACE
        with ended(Server(variables, tmp_path), Server(variables, tmp_path)) as servers:
            for server in servers:
                await server.wait_until_ready()
            balancer = start_process(
                str(HAPROXY),
                *("-db", "-f", str(ROOT / ".deploy/haproxy.cfg")),
                BIND=address,
                **{f"NODE{n}": f"127.0.0.1:{server.port}" for n, server in enumerate(servers, 1)},
            )
            await balancer.wait_for_url(f"{balanced.url}/health/ready")
            lobby_id = await balanced.seat("alice", "bob")
            script = str(ROOT / "tests/system/js/follow.js")
            carol = start_process("node", script, balanced.url, issuer.token("carol"), lobby_id)
            await carol.wait_for_line("player_joined")
            # Hers is the first: the game may be over when the second drains.
            followed = [await sockets(server) for server in servers]
            in_order = servers if followed[0] > followed[1] else servers[::-1]
            await balanced.arrange(lobby_id, "alice", "bob")
            await carol.wait_for_line("number_called")
            for server in in_order:
                assert await server.drain() == 0
                await server.restart()
            assert await carol.wait(2 * TIMEOUT_SECONDS) == 0, carol.output

        received = [tuple(json.loads(line)) for line in carol.output.splitlines()]
        assert "draining" in [name for name, _ in received]
        tally = Tally()
        records = await judge(await start_node(own_store.url), lobby_id, tally)
        assert [event for event in received if event[0] != "draining"] == events_for_room(records)
        assert (tally.calls, tally.wrong) == (50, 0)


async def sockets(server: Server) -> int:
    """How many connections of players it has."""
    async with http_session() as http, http.get(f"{server.url}/metrics") as answer:
        found = re.search(r"^fair_bingo_sockets (\d+)", await answer.text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


@needs_haproxy
@pytest.mark.parametrize("has_port", [True, False], ids=["own port", "public port"])
async def test_no_spelling_of_metrics_passes_the_load_balancer(
    serve: Serve, start_process: StartProcess, has_port: bool
) -> None:
    server = await serve(**({"METRICS_PORT": str(free_port())} if has_port else {}))
    port = free_port()
    node = f"127.0.0.1:{server.port}"
    command = (str(HAPROXY), "-db", "-f", str(ROOT / ".deploy/haproxy.cfg"))
    balancer = start_process(*command, BIND=f"127.0.0.1:{port}", NODE1=node, NODE2=node)
    await balancer.wait_for_url(f"http://127.0.0.1:{port}/health/ready")
    for target in METRICS:
        await until(partial(is_refused, port, target))


async def is_refused(port: int, target: str) -> bool:
    """Whether there is nothing under this target; false while the load balancer takes the node for
    down, for which one look of half a second is enough."""
    answered = await answer(port, target)
    if answered.startswith(b"HTTP/1.1 503 "):
        return False
    assert answered.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 ")), (target, answered)
    assert b"fair_bingo" not in answered, target
    return True


async def answer(port: int, target: str) -> bytes:
    """What a GET of this target brings, however it is written."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        writer.write(head.encode())
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await reader.read()
    finally:
        writer.transport.abort()


def test_the_compose_file_keeps_metrics_on_a_port_that_only_prometheus_knows() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    prometheus = yaml.safe_load((ROOT / ".deploy/prometheus.yml").read_text())
    (scraped,) = prometheus["scrape_configs"][0]["static_configs"]
    for node in ("node1", "node2"):
        port = services[node]["environment"]["METRICS_PORT"]
        assert f"{node}:{port}" in scraped["targets"]
        assert "ports" not in services[node]
        assert port not in services["balancer"]["environment"].values()
