"""Clients that take their time with a request: they are sent away, and nobody waits for them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from protocol.errors import ErrorCode, Refused
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.transport.http.requests import BODY_SECONDS, read_body
from server.transport.http.runner import KEEP_ALIVE_SECONDS
from server.transport.problems import problem
from tests.support.http import serve_app
from tests.support.wait import until
from tests.system.game_server import running_app

HALF_A_HEAD = b"POST /api/game/join HTTP/1.1\r\nHost: localhost\r\nX-Padding: "
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf of it"
TIMEOUT_SECONDS = 200.0
MOST_BYTES = 1000

Connect = Callable[[int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens TCP connections."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_connection(
            port: int,
        ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.push_async_callback(close, writer)
            return reader, writer

        yield open_connection


async def close(writer: asyncio.StreamWriter) -> None:
    """End a connection, whatever state it is in."""
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def answer_until_the_end(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server closes the connection."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def send_a_byte_now_and_then(writer: asyncio.StreamWriter) -> None:
    """Keep the connection from being idle."""
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.1)


async def test_half_requests_are_gone_in_time_and_a_player_joins_meanwhile(
    store_url: str, issuer: DevIssuer, provider: DevProvider, connect: Connect
) -> None:
    async with running_app(store_url, issuer, provider, 2) as game:
        slow = [await connect(game.port) for _ in range(200)]
        for _, writer in slow:
            writer.write(HALF_A_HEAD)

        joined = await game.join("alice")

        assert joined["lobby_id"]
        ends = await asyncio.gather(*(answer_until_the_end(reader) for reader, _ in slow))
        assert set(ends) == {b""}


async def test_a_head_that_trickles_in_does_not_win_time(
    store_url: str, issuer: DevIssuer, provider: DevProvider, connect: Connect
) -> None:
    async with running_app(store_url, issuer, provider, 1) as game:
        reader, writer = await connect(game.port)
        writer.write(HALF_A_HEAD)
        trickling = asyncio.create_task(send_a_byte_now_and_then(writer))

        assert await answer_until_the_end(reader) == b""

        trickling.cancel()


async def test_the_head_of_a_later_request_has_no_more_time(
    store_url: str, issuer: DevIssuer, provider: DevProvider, connect: Connect
) -> None:
    async with running_app(store_url, issuer, provider, 1) as game:
        reader, writer = await connect(game.port)
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n" + HALF_A_HEAD)

        said = await answer_until_the_end(reader)

        assert said.startswith(b"HTTP/1.1 200")


def test_a_request_has_less_than_half_a_minute() -> None:
    assert max(KEEP_ALIVE_SECONDS + 15, BODY_SECONDS) < 30  # see KEEP_ALIVE_SECONDS


async def slow_body(request: web.Request) -> web.StreamResponse:
    """Answers what became of the body, which has a moment."""
    body = await read_body(request, MOST_BYTES, most_seconds=0.5)
    return problem(body) if isinstance(body, Refused) else web.Response(body=body)


async def test_a_body_that_does_not_come_in_time_is_refused_and_the_connection_closed(
    connect: Connect,
) -> None:
    app = web.Application()
    app.router.add_post("/", slow_body)
    async with serve_app(app) as url:
        reader, writer = await connect(int(url.rpartition(":")[2]))
        writer.write(HALF_A_BODY)
        trickling = asyncio.create_task(send_a_byte_now_and_then(writer))

        said = await answer_until_the_end(reader)

        trickling.cancel()
        assert said.startswith(b"HTTP/1.1 429")
        assert b'"code":"too_slow"' in said


async def test_who_hangs_up_within_a_body_is_refused_and_is_no_error_of_ours(
    connect: Connect,
) -> None:
    outcomes: list[bytes | Refused] = []
    reading = asyncio.Event()

    async def note(request: web.Request) -> web.StreamResponse:
        reading.set()
        outcomes.append(await read_body(request, MOST_BYTES))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", note)
    async with serve_app(app) as url:
        _, writer = await connect(int(url.rpartition(":")[2]))
        writer.write(HALF_A_BODY)
        await reading.wait()

        writer.transport.abort()

        await until(lambda: len(outcomes) == 1)
    assert outcomes == [Refused(ErrorCode.INVALID_MESSAGE)]
