"""A store that hangs, that may forget, or that does not say."""

import asyncio
import json
import os
import signal
import time
from contextlib import suppress
from functools import partial

import aiohttp
import pytest
from redis.asyncio import Redis

from protocol.payments import SIGNATURE_HEADER
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.support.store_content import ledger
from tests.support.wait import until
from tests.system.conftest import Serve, StartServe
from tests.system.game_server import WEBHOOK


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
    assert waited_seconds < 25  # promised are 5; the rest is for a busy machine
    for body in bodies * 2:
        await until(partial(is_taken, body))
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
    (line,) = server.told
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
    answers = set()
    async with aiohttp.ClientSession() as http:

        async def deliver() -> None:
            async with http.post(url + WEBHOOK, data=body, headers=signed) as answer:
                answers.add(answer.status)

        await deliver()
        os.kill(own_store.pid, signal.SIGCONT)
        with suppress(aiohttp.ClientError):
            while starting.exit_code is None:
                await deliver()
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
