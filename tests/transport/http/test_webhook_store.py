"""A store that takes nothing: the provider is asked to come again."""

import json

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.transport.http.payment_desk import (
    ALREADY_PROCESSED,
    PROCESSED,
    open_desk,
)


@pytest.mark.parametrize("setting", [{"maxmemory": "1"}, {"min-replicas-to-write": "1"}])
async def test_what_the_store_refuses_to_write_is_unavailable_and_the_repeat_counts_once(
    own_store: EmbeddedStore, issuer: DevIssuer, provider: DevProvider, setting: dict[str, str]
) -> None:
    async with (
        Redis.from_url(own_store.url) as redis,
        open_desk(own_store.url, issuer, provider) as desk,
    ):
        body = json.dumps(desk.payment(await desk.invoice("alice"))).encode()
        before = await desk.content()
        for name, value in setting.items():
            await redis.config_set(name, value)
        answer = await desk.send(body)
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        assert await desk.content() == before
        for name in setting:
            await redis.config_set(name, "0")
        assert (await desk.send(body)).body == PROCESSED
        assert (await desk.send(body)).body == ALREADY_PROCESSED
        assert await desk.sums() == {"received": 3500, "pot": 3500}


async def test_a_store_that_died_is_unavailable_until_it_is_back(
    own_store: EmbeddedStore, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with open_desk(own_store.url, issuer, provider) as desk:
        body = json.dumps(desk.payment(await desk.invoice("alice"))).encode()
        own_store.kill()
        answer = await desk.send(body)
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        own_store.start()
        assert (await desk.send(body)).body == PROCESSED
        assert await desk.sums() == {"received": 3500, "pot": 3500}
