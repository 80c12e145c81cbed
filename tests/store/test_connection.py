import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hiredis import pack_command
from redis import ResponseError, exceptions
from redis.asyncio import Redis

from server.dev.ports import free_port
from server.dev.store import EmbeddedStore
from server.runtime.log_context import add_ids, bind_ids, unbind_ids
from server.store.connection import Ask
from server.store.errors import StoreUnavailable
from server.store.timings import TIMINGS
from server.store.wire import Inbox, Wire
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
    node = await start_node(own_store.url)
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


PING = pack_command(("PING",))


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    redis = Redis.from_url(url)
    pool: Any = redis.connection_pool
    connection = pool.make_connection()
    await connection.connect()
    try:
        yield connection
    finally:
        await connection.disconnect(nowait=True)
        await redis.aclose()


async def test_what_redis_py_has_of_a_connection_that_the_wire_takes_over(node: Node) -> None:
    async with connected(node.url) as connection:
        assert not connection._reader.at_eof()
        assert not connection._reader._buffer
        assert not connection._writer.transport.is_closing()
        assert isinstance(connection._parser.parse_error("ERR no such thing"), ResponseError)
        wire = Wire(connection)
        assert wire.is_usable
        assert await wire.answers_to(PING + PING, 2) == ["PONG", "PONG"]
        assert wire.is_usable


async def test_a_batch_on_a_connection_that_ends_raises(node: Node) -> None:
    async with connected(node.url) as connection:
        wire = Wire(connection)
        sent = asyncio.create_task(wire.answers_to(b"", 1))
        asyncio.get_running_loop().call_soon(connection._writer.transport.abort)
        with pytest.raises(exceptions.ConnectionError):
            await sent
        assert not wire.is_usable


async def test_a_batch_on_a_connection_that_has_ended_raises_at_once(node: Node) -> None:
    async with connected(node.url) as connection:
        wire = Wire(connection)
        connection._writer.transport.abort()
        await until(lambda: not wire.is_usable)
        for _ in range(2):
            with pytest.raises(exceptions.ConnectionError):
                async with asyncio.timeout(10):  # else nothing ends it
                    await wire.answers_to(PING, 1)


async def test_nothing_more_is_asked_of_a_connection_on_which_something_came_unasked(
    node: Node,
) -> None:
    async with connected(node.url) as connection:
        wire = Wire(connection)
        await wire.answers_to(PING + PING, 1)
        await until(lambda: not wire.is_usable)


async def test_what_is_published_reaches_whoever_took_a_connection_over(
    node: Node, redis: Redis
) -> None:
    async with connected(node.url) as connection:
        received: list[Any] = []
        inbox = Inbox(connection, received.append)
        inbox.send("SUBSCRIBE", "here")
        await until(lambda: len(received) == 1)
        for number in range(100):
            await command(redis, "PUBLISH", "here", str(number))
        await until(lambda: len(received) == 101)
        assert received[1:] == [["message", "here", str(number)] for number in range(100)]
        connection._writer.transport.abort()
        with pytest.raises(exceptions.ConnectionError):
            await inbox.ended
        with pytest.raises(exceptions.ConnectionError):
            inbox.send("PING")


async def test_a_reply_that_nobody_understands_ends_what_comes_unasked(node: Node) -> None:
    async with connected(node.url) as connection:

        def refuse(reply: Any) -> None:
            if isinstance(reply, Exception):
                raise reply

        inbox = Inbox(connection, refuse)
        inbox.send("NOSUCHCOMMAND")
        with pytest.raises(ResponseError):
            await inbox.ended
