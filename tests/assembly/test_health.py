"""The health of a server whose store comes late, goes, hangs and comes back."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.support.store_content import command
from tests.support.wait import until
from tests.system.conftest import Serve, StartServe
from tests.system.game_server import GameServer, HttpAnswer, game_server
from tests.system.spec import assert_shape, iso_time, seconds, text

HEALTHY = {"status": "healthy", "redis_connected": True, "timestamp": iso_time, "version": text}
UNHEALTHY = {**HEALTHY, "status": "unhealthy", "redis_connected": False}
HEALTH_SECONDS = 1.0


async def test_a_healthy_server_reports_it_on_every_route(serve: Serve) -> None:
    server = await serve()
    health = await well(server, "/health")
    assert (health.status, health.content_type) == (200, "application/json")
    assert_shape(health.body, HEALTHY)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", health.body["timestamp"])
    assert await body_of(server, "/health/live") == (200, {"status": "ok"})
    ready = await well(server, "/health/ready")
    assert ready.body == {"status": "ok"}
    redis = await well(server, "/health/redis")
    shard = {"address": text, "status": "ok", "round_trip_ms": seconds}
    shape = {"status": "ok", "round_trip_ms": seconds, "topology": "plain", "shards": [shard]}
    assert_shape(redis.body, shape)


async def well(server: GameServer, path: str) -> HttpAnswer:
    """The answer of a health route, when it is 200: a store may be held up for longer than it is
    looked at."""
    answers: list[HttpAnswer] = []

    async def is_well() -> bool:
        answers[:] = [await server.get(path)]
        return answers[0].status == 200

    await until(is_well)
    return answers[0]


async def body_of(server: GameServer, path: str) -> tuple[int, object]:
    """Status and body of a route."""
    answer = await server.get(path)
    return answer.status, answer.body


async def test_without_its_store_it_is_up_but_unhealthy_and_recovers(
    serve: Serve, own_store: EmbeddedStore
) -> None:
    server = await serve(REDIS_URL=own_store.url)
    own_store.stop()
    await assert_unhealthy(server)

    async def degraded() -> bool:
        return await body_of(server, "/health/ready") == (503, {"status": "degraded"})

    await until(degraded)
    own_store.start()
    await until(lambda: is_ready(server))
    assert_shape((await well(server, "/health")).body, HEALTHY)
    assert (await server.join("alice"))["player_count"] == 1


async def test_a_store_that_hangs_is_distinguished_from_one_that_answers(
    serve: Serve, own_store: EmbeddedStore
) -> None:
    server = await serve(REDIS_URL=own_store.url)
    with stopped(own_store.pid):
        await assert_unhealthy(server)
    await until(lambda: is_ready(server))
    assert (await server.join("alice"))["player_count"] == 1


async def test_hundreds_of_health_checks_at_once_are_all_answered_healthy(
    open_server: GameServer,
) -> None:
    async def are_well(path: str) -> bool:
        answers = await asyncio.gather(*(open_server.get(path) for _ in range(300)))
        return {answer.status for answer in answers} == {200}

    for path in ("/health", "/health/redis"):
        await until(partial(are_well, path))


async def test_a_server_that_starts_before_its_store_waits_for_it(
    start_serve: StartServe,
    own_store: EmbeddedStore,
    issuer: DevIssuer,
    provider: DevProvider,
) -> None:
    own_store.stop()
    port = str(free_port())
    process = start_serve(REDIS_URL=own_store.url, PORT=port)
    url = f"http://127.0.0.1:{port}"
    await process.wait_for_url(f"{url}/health/live")
    async with game_server(url, issuer, provider) as server:
        assert await body_of(server, "/health/ready") == (503, {"status": "starting"})
        await assert_unhealthy(server)
        refused = await server.post("/api/game/join", "alice", {"buy_in_amount": 3500})
        assert (refused.status, refused.body["code"]) == (503, "unavailable")
        own_store.start()
        await until(lambda: is_ready(server))
        assert (await server.join("alice"))["player_count"] == 1


async def test_a_server_that_calls_no_more_takes_no_traffic(open_server: GameServer) -> None:
    await until(lambda: is_ready(open_server))
    calling = [t for t in asyncio.all_tasks() if "TickScheduler._serve" in repr(t.get_coro())]
    assert calling
    for task in calling:
        task.cancel()

    async def degraded() -> bool:
        return await body_of(open_server, "/health/ready") == (503, {"status": "degraded"})

    await until(degraded)


async def is_ready(server: GameServer) -> bool:
    """Whether the server takes traffic."""
    return (await server.get("/health/ready")).status == 200


async def assert_unhealthy(server: GameServer) -> None:
    """Fail unless every health route says that the store is missing, and each of them in time."""
    health = await in_time(server, "/health")
    assert health.status == 503
    assert_shape(health.body, UNHEALTHY)
    redis = await in_time(server, "/health/redis")
    assert redis.status == 503
    assert [shard["status"] for shard in redis.body.pop("shards")] == ["unavailable"]
    assert redis.body.pop("topology") == "plain"
    assert redis.body == {"status": "unavailable", "round_trip_ms": None}
    assert await body_of(server, "/health/live") == (200, {"status": "ok"})


async def in_time(server: GameServer, path: str) -> HttpAnswer:
    """The first answer that came in time: a busy machine may delay any one of them."""
    for _ in range(50):  # however often the machine pauses
        started = time.monotonic()
        answer = await server.get(path)
        if time.monotonic() - started < HEALTH_SECONDS:
            return answer
    raise AssertionError(f"{path} never answered within {HEALTH_SECONDS} s")


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that hangs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


CANNOT_WRITE = {
    "no memory": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "no replicas": (
        ("CONFIG", "SET", "min-replicas-to-write", "1"),
        ("CONFIG", "SET", "min-replicas-to-write", "0"),
    ),
    "no scripts": (
        ("ACL", "SETUSER", "server", "-evalsha"),
        ("ACL", "SETUSER", "server", "+evalsha"),
    ),
}


@pytest.mark.parametrize("reason", CANNOT_WRITE)
async def test_a_server_whose_store_takes_no_writes_takes_no_traffic_until_it_does(
    reason: str, own_store: EmbeddedStore, serve: Serve
) -> None:
    async with Redis.from_url(own_store.url) as admin:
        everything = ("on", ">secret", "+@all", "~*", "&*")
        await command(admin, "ACL", "SETUSER", "server", *everything)
        server = await serve(REDIS_URL=own_store.url.replace("//", "//server:secret@"))
        refuse, take_again = CANNOT_WRITE[reason]
        await command(admin, *refuse)

        async def degraded() -> bool:
            return await body_of(server, "/health/ready") == (503, {"status": "degraded"})

        await until(degraded)
        await command(admin, *take_again)
        await until(lambda: is_ready(server))
        assert (await server.join("alice"))["player_count"] == 1
