import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
import uvloop
from redis.asyncio import Redis

from server.dev.store import EmbeddedStore
from server.store.connection import open_redis
from server.store.errors import StoreUnavailable
from server.store.health import StoreHealth
from server.store.timings import TIMINGS
from tests.store.ear import Ear
from tests.support.proxy import Proxy
from tests.support.store_content import command
from tests.support.wait import until

OUTAGE_SECONDS = 5
HALF_OPEN_SECONDS = 15
RESETS = 5_000
CLOSES = 300
"""Of which two or three in a hundred come while a ping is being sent."""


StartEar = Callable[..., Awaitable[Ear]]


@pytest.fixture
async def start_ear() -> AsyncIterator[StartEar]:
    """Starts an `Ear`, which is connected then; it is closed after the test."""
    async with AsyncExitStack() as stack:

        async def start(url: str, **options: Any) -> Ear:
            ear = Ear(url, **options)
            stack.push_async_callback(ear.close)
            await until(lambda: ear.subscription.alive)
            return ear

        yield start


async def said(redis: Redis, *messages: str, channel: str = "channel") -> None:
    for message in messages:
        await command(redis, "SPUBLISH", channel, message)


async def hears(ear: Ear, redis: Redis, message: str, channel: str = "channel") -> None:
    """The ear hears this message."""
    await said(redis, message, channel=channel)
    await until(lambda: ear.heard[-1:] == [message])


async def hears_again(ear: Ear, redis: Redis, within_seconds: float) -> None:
    """The ear hears, in so many seconds, what is said from then on."""

    before = len(ear.heard)

    async def heard_something_new() -> bool:
        await said(redis, "still there?")
        return len(ear.heard) > before

    await until(heard_something_new, within_seconds)


@pytest.mark.parametrize("publish", ["PUBLISH", "SPUBLISH"])
async def test_what_is_said_is_heard_in_order_from_the_confirmation_on(
    publish: str, start_ear: StartEar, store_url: str, redis: Redis
) -> None:
    ear = await start_ear(store_url, sharded=publish == "SPUBLISH")
    await ear.listen()
    messages = [str(number) for number in range(1_000)]
    for message in messages:
        await command(redis, publish, "channel", message)
    await until(lambda: len(ear.heard) == len(messages))
    assert ear.heard == messages


async def test_each_listener_hears_its_own_channel(
    start_ear: StartEar, store_url: str, redis: Redis
) -> None:
    ear = await start_ear(store_url)
    await ear.listen()
    others: list[str] = []
    await ear.subscription.subscribe("other", others.append)
    await said(redis, "here")
    await said(redis, "there", channel="other")
    await until(lambda: others == ["there"])
    assert ear.heard == ["here"]


async def test_a_listener_that_fails_costs_neither_others_nor_itself_what_comes_later(
    start_ear: StartEar, store_url: str, redis: Redis
) -> None:
    ear = await start_ear(store_url)
    numbers: list[int] = []
    await ear.subscription.subscribe("numbers", lambda message: numbers.append(int(message)))
    await ear.listen()
    await said(redis, "one", "2", channel="numbers")
    await said(redis, "three")
    await until(lambda: ear.heard == ["three"])
    assert numbers == [2]


async def test_it_is_renewed_when_the_store_drops_the_connection(
    start_ear: StartEar, store_url: str, redis: Redis
) -> None:
    ear = await start_ear(store_url)
    await ear.listen()
    await command(redis, "CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: ear.restored == 1, OUTAGE_SECONDS)
    await hears(ear, redis, "back")


async def test_it_is_renewed_after_the_store_was_started_again(
    start_ear: StartEar, own_store: EmbeddedStore
) -> None:
    ear = await start_ear(own_store.url)
    await ear.listen()
    own_store.kill()
    await until(lambda: not ear.subscription.alive)
    own_store.start()
    await until(lambda: ear.restored == 1, OUTAGE_SECONDS)
    assert ear.subscription.alive


async def test_a_link_that_went_dead_is_noticed_and_renewed(
    start_ear: StartEar, store_url: str, redis: Redis
) -> None:
    async with Proxy(store_url) as proxy:
        ear = await start_ear(proxy.url)
        await ear.listen()
        went_dead = time.monotonic()
        proxy.silent = True
        await until(lambda: not ear.subscription.alive, HALF_OPEN_SECONDS)
        proxy.silent = False
        await hears_again(ear, redis, HALF_OPEN_SECONDS - (time.monotonic() - went_dead))
        assert ear.restored == 1


async def test_it_ends_when_it_is_closed_whatever_it_was_doing(
    start_ear: StartEar, store_url: str
) -> None:
    timings = replace(TIMINGS, ping=0.0005)
    for pauses in range(CLOSES):
        ear = await start_ear(store_url, timings=timings)
        await asyncio.sleep(0.0001 * (pauses % 20))
        await ear.close()


async def is_well(health: StoreHealth) -> bool:
    try:
        await health.ping()
    except StoreUnavailable:
        return False
    return True


def test_connections_that_are_reset_while_they_are_made_cost_nothing_for_good(
    store_url: str,
) -> None:
    timings = replace(TIMINGS, reconnect=0.001)

    async def reset_again_and_again() -> None:
        async with Proxy(store_url) as proxy:
            proxy.resetting = True
            ear, health = Ear(proxy.url, timings=timings), StoreHealth(open_redis(proxy.url))
            for _ in range(RESETS):
                with pytest.raises(StoreUnavailable):
                    await health.ping()
            proxy.resetting = False
            await until(lambda: ear.subscription.alive)
            await until(lambda: is_well(health))
            await ear.close()
            await health.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # it fails in more ways
        runner.run(reset_again_and_again())


async def test_a_link_on_which_nothing_is_said_stays_up(
    start_ear: StartEar, store_url: str, redis: Redis
) -> None:
    ear = await start_ear(store_url)
    await ear.listen()
    await asyncio.sleep(7)
    assert ear.subscription.alive
    assert ear.restored == 0
    await hears_again(ear, redis, OUTAGE_SECONDS)


async def test_who_stops_listening_hears_nothing_more(
    start_ear: StartEar, store_url: str, redis: Redis
) -> None:
    ear = await start_ear(store_url)
    await ear.listen()
    ear.subscription.unsubscribe("channel")
    await said(redis, "too late")
    await until(lambda: subscribers_are(redis, 0))
    assert ear.heard == []


async def subscribers_are(redis: Redis, expected: int) -> bool:
    _, found = await command(redis, "PUBSUB", "SHARDNUMSUB", "channel")
    return bool(found == expected)


@pytest.mark.parametrize("pauses", range(4))
async def test_who_stops_listening_and_starts_again_at_once_hears(
    pauses: int, start_ear: StartEar, store_url: str, redis: Redis
) -> None:
    ear = await start_ear(store_url)
    await ear.listen()
    for number in range(20):
        ear.subscription.unsubscribe("channel")
        for _ in range(pauses):
            await asyncio.sleep(0)
        await ear.listen()
        await hears(ear, redis, str(number))
    assert await subscribers_are(redis, 1)


async def test_a_subscription_that_the_store_cannot_confirm_leaves_nothing(
    start_ear: StartEar, own_store: EmbeddedStore
) -> None:
    ear = await start_ear(own_store.url)
    await ear.listen("first")
    own_store.kill()
    async with asyncio.timeout(2 * TIMINGS.confirm):
        with pytest.raises(StoreUnavailable):
            await ear.listen()
    own_store.start()
    await until(lambda: ear.restored == 1)
    async with Redis.from_url(own_store.url, decode_responses=True) as redis:
        assert await subscribers_are(redis, 0)
        await hears(ear, redis, "hello", channel="first")


async def test_who_starts_listening_while_the_connection_is_renewed_hears_when_it_is(
    start_ear: StartEar, store_url: str, redis: Redis
) -> None:
    ear = await start_ear(store_url)
    await ear.listen("first")
    await command(redis, "CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: not ear.subscription.alive)
    await ear.listen()
    await hears(ear, redis, "hello")
