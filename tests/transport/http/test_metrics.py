"""`/metrics` has what happened, in Prometheus's own form."""

import asyncio
import time

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.runtime.metrics import Metrics, Values
from server.transport.http.metrics import MetricsRoute, RarelyWritten
from tests.support.http import serve_app
from tests.system.game_server import GameServer, running_app

FAST = {"FORMATION_SECONDS": "0.3", "CALL_INTERVAL_SECONDS": "0.05", "ARRANGING_SECONDS": "0.3"}


async def samples(server: GameServer) -> dict[str, float]:
    """Every sample by its name and the values of its labels, in the order of their names."""
    answer = await server.get("/metrics")
    assert (answer.status, answer.content_type) == (200, "text/plain")
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


async def test_a_game_shows_in_the_metrics(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with running_app(store_url, issuer, provider, **FAST) as server:
        lobby_id = await server.seat("alice", "bob")
        async with server.visitor("alice") as alice:
            await alice.enter(lobby_id)
            await alice.receives("number_called")
            seen = await samples(server)
    assert seen["fair_bingo_sockets"] == 1
    assert seen["fair_bingo_subscription_up"] == 1
    assert seen["fair_bingo_payment_deliveries_total processed"] == 2
    assert seen["fair_bingo_events_pushed_total number_called"] >= 1
    assert seen["fair_bingo_lobby_replicas active 3500"] == 1
    assert seen["fair_bingo_call_jitter_seconds_count"] >= 1
    assert seen["fair_bingo_push_latency_seconds_count"] >= 1
    assert seen["fair_bingo_commits_total committed"] >= 5


@pytest.mark.parametrize(
    "path", ["/metrics", "/%6detrics", "/%6D%65trics", "/metrics?x", "/metrics#x"]
)
async def test_with_a_port_of_their_own_the_public_one_does_not_have_them(
    store_url: str, issuer: DevIssuer, provider: DevProvider, path: str
) -> None:
    port = free_port()
    async with (
        running_app(store_url, issuer, provider, METRICS_PORT=str(port)) as server,
        aiohttp.ClientSession() as http,
    ):
        public = await server.get(path)
        assert (public.status, public.body["code"]) == (404, "unknown_command")
        async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.status == 200
            assert "fair_bingo_sockets" in await answer.text()
        async with http.get(f"http://127.0.0.1:{port}/health") as answer:
            assert answer.status == 404


async def test_many_who_ask_at_once_share_what_it_costs() -> None:
    asked, read = 50, 0

    def slow() -> Values:
        nonlocal read
        read += 1
        time.sleep(0.05)
        return {(): read}

    metrics = Metrics()
    metrics.watch("fair_bingo_test", "How often it was read.", (), slow)
    app = web.Application()
    MetricsRoute(RarelyWritten(metrics.render)).add_to(app)
    async with serve_app(app) as url, aiohttp.ClientSession() as http:

        async def ask() -> int:
            async with http.get(f"{url}/metrics") as answer:
                return len(await answer.read())

        read = 0
        assert all(await asyncio.gather(*(ask() for _ in range(asked))))
    assert 0 < read < asked / 2
