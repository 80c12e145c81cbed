import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
import uvloop
from redis.asyncio import Redis

from server.dev.store import EmbeddedStore
from server.store.errors import StoreUnavailable
from server.store.health import ShardHealthCheck
from server.store.timings import TIMINGS
from server.store.topology import PlainShard
from tests.store.subscriber import UNHURRIED, Subscriber
from tests.support.proxy import Proxy
from tests.support.store_content import command
from tests.support.wait import TIMEOUT_SECONDS, until

RESETS = 2_500
CLOSES = 300
"""Of which two or three in a hundred come while a ping is being sent."""


StartSubscriber = Callable[..., Awaitable[Subscriber]]


@pytest.fixture
async def start_subscriber() -> AsyncIterator[StartSubscriber]:
    """Starts a `Subscriber`, which is connected then; it is closed after the test."""
    async with AsyncExitStack() as stack:

        async def start(url: str, **options: Any) -> Subscriber:
            subscriber = Subscriber(url, **options)
            stack.push_async_callback(subscriber.close)
            await until(lambda: subscriber.subscription.alive)
            return subscriber

        yield start


async def published(redis: Redis, *messages: str, channel: str = "channel") -> None:
    for message in messages:
        await command(redis, "SPUBLISH", channel, message)


async def receives(
    subscriber: Subscriber, redis: Redis, message: str, channel: str = "channel"
) -> None:
    """The subscriber receives this message."""
    await published(redis, message, channel=channel)
    await until(lambda: subscriber.received[-1:] == [message])


async def receives_again(subscriber: Subscriber, redis: Redis) -> None:
    """The subscriber receives what is published from then on."""
    before = len(subscriber.received)

    async def received_something_new() -> bool:
        await published(redis, "still there?")
        return len(subscriber.received) > before

    await until(received_something_new)


@pytest.mark.parametrize("publish", ["PUBLISH", "SPUBLISH"])
async def test_messages_are_received_in_order_from_the_confirmation_on(
    publish: str, start_subscriber: StartSubscriber, store_url: str, redis: Redis
) -> None:
    subscriber = await start_subscriber(store_url, sharded=publish == "SPUBLISH")
    await subscriber.listen()
    messages = [str(number) for number in range(1_000)]
    for message in messages:
        await command(redis, publish, "channel", message)
    await until(lambda: len(subscriber.received) == len(messages))
    assert subscriber.received == messages


async def test_each_listener_receives_its_own_channel(
    start_subscriber: StartSubscriber, store_url: str, redis: Redis
) -> None:
    subscriber = await start_subscriber(store_url)
    await subscriber.listen()
    others: list[str] = []
    await subscriber.subscription.subscribe("other", others.append)
    await published(redis, "here")
    await published(redis, "there", channel="other")
    await until(lambda: others == ["there"])
    assert subscriber.received == ["here"]


async def test_a_listener_that_fails_costs_neither_others_nor_itself_what_comes_later(
    start_subscriber: StartSubscriber, store_url: str, redis: Redis
) -> None:
    subscriber = await start_subscriber(store_url)
    numbers: list[int] = []
    await subscriber.subscription.subscribe("numbers", lambda message: numbers.append(int(message)))
    await subscriber.listen()
    await published(redis, "one", "2", channel="numbers")
    await published(redis, "three")
    await until(lambda: subscriber.received == ["three"])
    assert numbers == [2]


async def test_it_is_renewed_when_the_store_drops_the_connection(
    start_subscriber: StartSubscriber, store_url: str, redis: Redis
) -> None:
    subscriber = await start_subscriber(store_url)
    await subscriber.listen()
    await command(redis, "CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: subscriber.restored == 1)
    await receives(subscriber, redis, "back")


async def test_it_is_renewed_after_the_store_was_started_again(
    start_subscriber: StartSubscriber, own_store: EmbeddedStore
) -> None:
    subscriber = await start_subscriber(own_store.url)
    await subscriber.listen()
    own_store.kill()
    await until(lambda: not subscriber.subscription.alive)
    own_store.start()
    await until(lambda: subscriber.restored == 1)
    assert subscriber.subscription.alive


async def test_a_link_that_went_dead_is_noticed_and_renewed(
    start_subscriber: StartSubscriber, store_url: str, redis: Redis
) -> None:
    async with Proxy(store_url) as proxy:
        subscriber = await start_subscriber(proxy.url)
        await subscriber.listen()
        proxy.silent = True
        await until(lambda: not subscriber.subscription.alive)
        proxy.silent = False
        await receives_again(subscriber, redis)
        assert subscriber.restored == 1


async def test_it_ends_when_it_is_closed_whatever_it_was_doing(
    start_subscriber: StartSubscriber, store_url: str
) -> None:
    timings = replace(TIMINGS, ping_seconds=0.0005)
    for pauses in range(CLOSES):
        subscriber = await start_subscriber(store_url, timings=timings)
        await asyncio.sleep(0.0001 * (pauses % 20))
        await subscriber.close()


async def is_well(health: ShardHealthCheck) -> bool:
    try:
        await health.ping()
    except StoreUnavailable:
        return False
    return True


def test_connections_that_are_reset_while_they_are_made_cost_nothing_for_good(
    store_url: str,
) -> None:
    timings = replace(TIMINGS, reconnect_seconds=0.001)

    async def reset_again_and_again() -> None:
        async with Proxy(store_url) as proxy:
            proxy.resetting = True
            subscriber, health = (
                Subscriber(proxy.url, timings=timings),
                ShardHealthCheck(PlainShard(proxy.url)),
            )
            for _ in range(RESETS):
                with pytest.raises(StoreUnavailable):
                    await health.ping()
            proxy.resetting = False
            await until(lambda: subscriber.subscription.alive)
            await until(lambda: is_well(health))
            await subscriber.close()
            await health.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # it fails in more ways
        runner.run(reset_again_and_again())


async def test_an_idle_connection_stays_up(
    start_subscriber: StartSubscriber, store_url: str, redis: Redis
) -> None:
    subscriber = await start_subscriber(store_url)
    await subscriber.listen()
    await asyncio.sleep(UNHURRIED.silence_seconds + 2)
    assert subscriber.subscription.alive
    assert subscriber.restored == 0
    await receives_again(subscriber, redis)


async def test_nothing_is_received_after_unsubscribing(
    start_subscriber: StartSubscriber, store_url: str, redis: Redis
) -> None:
    subscriber = await start_subscriber(store_url)
    await subscriber.listen()
    subscriber.subscription.unsubscribe("channel")
    await published(redis, "too late")
    await until(lambda: subscribers_are(redis, 0))
    assert subscriber.received == []


async def test_nothing_is_kept_of_channels_that_came_and_went(
    start_subscriber: StartSubscriber, store_url: str, redis: Redis
) -> None:
    subscriber = await start_subscriber(store_url)
    for number in range(20):
        await subscriber.listen(f"channel{number}")
        subscriber.subscription.unsubscribe(f"channel{number}")
    await subscriber.listen()
    await receives(subscriber, redis, "hello")  # what was asked before is answered
    kept = [v for v in vars(subscriber.subscription).values() if isinstance(v, (dict, set))]
    assert max(map(len, kept)) == 1


async def subscribers_are(redis: Redis, expected: int) -> bool:
    _, found = await command(redis, "PUBSUB", "SHARDNUMSUB", "channel")
    return bool(found == expected)


@pytest.mark.parametrize("pauses", range(4))
async def test_a_listener_that_subscribes_again_at_once_receives(
    pauses: int, start_subscriber: StartSubscriber, store_url: str, redis: Redis
) -> None:
    subscriber = await start_subscriber(store_url)
    await subscriber.listen()
    for number in range(20):
        subscriber.subscription.unsubscribe("channel")
        for _ in range(pauses):
            await asyncio.sleep(0)
        await subscriber.listen()
        await receives(subscriber, redis, str(number))
    assert await subscribers_are(redis, 1)


async def test_a_subscription_that_the_store_cannot_confirm_leaves_nothing(
    start_subscriber: StartSubscriber, own_store: EmbeddedStore
) -> None:
    hasty = replace(UNHURRIED, confirm_seconds=8)
    subscriber = await start_subscriber(own_store.url, timings=hasty)
    await subscriber.listen("first")
    own_store.kill()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        with pytest.raises(StoreUnavailable):
            await subscriber.listen()
    own_store.start()
    await until(lambda: subscriber.restored == 1)
    async with Redis.from_url(own_store.url, decode_responses=True) as redis:
        assert await subscribers_are(redis, 0)
        await receives(subscriber, redis, "hello", channel="first")


async def test_a_listener_that_subscribes_during_a_reconnect_receives_after_it(
    start_subscriber: StartSubscriber, store_url: str, redis: Redis
) -> None:
    subscriber = await start_subscriber(store_url)
    await subscriber.listen("first")
    await command(redis, "CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: not subscriber.subscription.alive)
    await subscriber.listen()
    await receives(subscriber, redis, "hello")
