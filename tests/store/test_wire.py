import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hiredis import pack_command
from redis import ResponseError, exceptions
from redis.asyncio import Redis

from server.store.wire import Inbox, Wire
from tests.support.game import Node
from tests.support.store_content import command
from tests.support.wait import TIMEOUT_SECONDS, until

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
                async with asyncio.timeout(TIMEOUT_SECONDS):  # else nothing ends it
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
