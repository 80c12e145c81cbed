import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Any

import pytest
from redis import ResponseError
from redis.asyncio import Redis

from server.dev.ports import free_port
from server.dev.store import EmbeddedStore
from server.runtime.log_context import add_ids, bind_ids, unbind_ids
from server.store.connection import Ask
from server.store.errors import StoreUnavailable
from server.store.timings import TIMINGS
from tests.support.game import Node, StartNode
from tests.support.proxy import Proxy
from tests.support.store_content import command, store_content
from tests.support.wait import TIMEOUT_SECONDS, until

MANY = 2_000


async def echoed(node: Node, number: int) -> bool:
    return bool(await node.connection.call("ECHO", number) == str(number))


async def test_each_command_gets_its_own_answer_however_many_wait(node: Node) -> None:
    assert all(await asyncio.gather(*(echoed(node, n) for n in range(MANY))))


async def test_callers_who_give_up_do_not_disturb_the_others(node: Node) -> None:
    tasks = [asyncio.create_task(echoed(node, n)) for n in range(MANY)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    assert all(await asyncio.gather(*tasks[1::2]))
    assert await echoed(node, MANY)


async def test_commands_that_wait_together_travel_together(node: Node, redis: Redis) -> None:
    async def reads() -> int:
        info = await redis.info("stats")
        return int(info["total_reads_processed"])

    before = await reads()
    await asyncio.gather(*(echoed(node, n) for n in range(MANY)))
    assert await reads() - before < MANY / 10


async def test_a_wrong_command_fails_for_its_own_caller_only(node: Node, redis: Redis) -> None:
    await redis.hset("hash", "field", "value")
    calls = [node.connection.call("ECHO", n) for n in range(10)]
    calls.insert(5, node.connection.call("RPUSH", "hash", 1))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    wrong = answers.pop(5)
    assert isinstance(wrong, ResponseError)
    assert "WRONGTYPE" in str(wrong)
    assert answers == [str(n) for n in range(10)]


async def test_a_killed_store_is_unavailable_and_works_again_after_its_start(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url)
    seated = await node.sit("ann")
    own_store.kill()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        with pytest.raises(StoreUnavailable):
            await node.seats.join("bob", 3500, "")
    own_store.start()
    assert [*(await node.sit("bob")).lobby.players] == [*seated.lobby.players, "bob"]


async def test_commands_that_are_under_way_when_the_store_is_killed_all_end(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url)
    os.kill(own_store.pid, signal.SIGSTOP)
    tasks = [asyncio.create_task(echoed(node, n)) for n in range(MANY)]
    await asyncio.sleep(0.1)
    own_store.kill()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)


async def test_no_command_waits_longer_than_its_time_for_a_store_that_hangs(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url, timings=TIMINGS)
    os.kill(own_store.pid, signal.SIGSTOP)

    async def is_refused_in_time() -> bool:
        calling = asyncio.ensure_future(node.connection.call("ECHO", 1))
        # A timer of the same loop: a pause of the machine delays both.
        too_long = asyncio.create_task(asyncio.sleep(TIMINGS.command_seconds + 1))
        done, _ = await asyncio.wait({calling, too_long}, return_when=asyncio.FIRST_COMPLETED)
        too_long.cancel()
        return calling in done and isinstance(calling.exception(), StoreUnavailable)

    async def one_after(seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return await is_refused_in_time()

    assert all(await asyncio.gather(*(one_after(0.3 * n) for n in range(8))))
    os.kill(own_store.pid, signal.SIGCONT)
    await until(lambda: answers(node))


async def answers(node: Node) -> bool:
    try:
        return await echoed(node, 1)
    except StoreUnavailable:
        return False


async def test_an_answer_that_is_none_means_unavailable_and_the_next_is_one_again(
    start_node: StartNode, store_url: str
) -> None:
    async with Proxy(store_url) as proxy:
        node = await start_node(proxy.url, listen_url=store_url)
        proxy.garble()
        answers = await asyncio.gather(
            *(node.connection.call("ECHO", n) for n in range(10)), return_exceptions=True
        )
        assert all(isinstance(answer, StoreUnavailable) for answer in answers)
        assert await echoed(node, 1)


def refusing(store_port: int) -> dict[str, Sequence[str]]:
    return {
        "no memory": ("CONFIG", "SET", "maxmemory", "1"),
        "no replica": ("CONFIG", "SET", "min-replicas-to-write", "1"),
        "it is a replica": ("REPLICAOF", "127.0.0.1", str(store_port)),
    }


@pytest.mark.parametrize("reason", refusing(0))
async def test_a_store_that_takes_no_writes_is_unavailable_and_nothing_is_written(
    reason: str, start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url)
    await node.sit("ann")
    async with Redis.from_url(own_store.url, decode_responses=True) as redis:
        await command(redis, *refusing(free_port())[reason])
        content = await store_content(redis)
        with pytest.raises(StoreUnavailable):
            await node.seats.join("bob", 3500, "")
        assert await store_content(redis) == content


async def test_a_new_connection_is_looked_at_before_any_command_goes_out_on_it(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url)
    looks: list[Any] = []

    async def look(_shard: str, ask: Ask) -> None:
        name, value, error = await ask(("CLIENT", "GETNAME"), ("GET", "key"), ("NOSUCH",))
        assert isinstance(error, ResponseError)
        looks.append((name, value))

    node.connection.look = look
    own_store.kill()
    own_store.start()

    async def is_written() -> bool:
        try:
            await node.connection.call("SET", "key", "written")
        except StoreUnavailable:
            return False
        return True

    await until(is_written)
    await node.connection.call("SET", "key", "again")
    assert looks == [(None, None)]


async def test_a_connection_whose_look_fails_is_given_up(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url)
    looks = 0

    async def look(_shard: str, _ask: Ask) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise StoreUnavailable("not yet")

    node.connection.look = look
    own_store.kill()
    own_store.start()
    await until(lambda: answers(node))
    assert looks > 1


async def test_a_command_whose_caller_gave_up_is_not_sent_when_the_connection_is_there(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url)
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def look(_shard: str, _ask: Ask) -> None:
        begun.set()
        await may_end.wait()

    node.connection.look = look
    given_up = asyncio.ensure_future(node.connection.call("SET", "key", "given up"))
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await begun.wait()
    given_up.cancel()
    may_end.set()
    assert await node.connection.call("GET", "key") is None


async def test_what_is_logged_of_a_connection_is_not_of_who_asked_first(
    start_node: StartNode, own_store: EmbeddedStore
) -> None:
    node = await start_node(own_store.url)
    seen: list[Any] = []

    async def look(_shard: str, _ask: Ask) -> None:
        seen.append(add_ids(None, "", {}))

    node.connection.look = look
    bound = bind_ids(alien_id="ann")
    await node.connection.call("PING")
    unbind_ids(bound)
    assert seen == [{}]
