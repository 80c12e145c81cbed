"""What no route ever sees: HTTP that is malformed, too long, or not read by whoever asked."""

import asyncio
import inspect
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from server.assembly.http import BACKLOG
from server.transport.http.connection import (
    MAX_FIELD_BYTES,
    MAX_LINE_BYTES,
    MOST_UNREAD_ANSWERS,
)
from server.transport.http.runner import Runner
from tests.support import garbage
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.system.game_server import GameServer

HOST = b"Host: localhost\r\n"
JOIN = b"POST /api/game/join HTTP/1.1\r\n" + HOST
BIG = b"x" * 1_000_000


async def said(port: int, data: bytes) -> bytes:
    """All that the server says until it closes the connection, which is no reset."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await reader.read()
    finally:
        writer.transport.abort()


def problem_of(answer: bytes) -> tuple[int, str]:
    """Status and code of the only answer, which is like every other refusal."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert "content-type: application/problem+json" in lines, answer
    assert "x-content-type-options: nosniff" in lines
    problem = json.loads(body)
    assert set(problem) == {"type", "title", "status", "detail", "code"}
    assert lines[0].split()[1] == str(problem["status"])
    return problem["status"], problem["code"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"hello\r\n\r\n", (400, "invalid_message")),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", (400, "invalid_message")),
        (b"FLY / HTTP/1.1\r\n" + HOST + b"\r\n", (400, "invalid_message")),
        (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", (400, "invalid_message")),
        (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", (400, "invalid_message")),
        (b"GET / HTTP/1.1\r\n\r\n", (400, "invalid_message")),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", (400, "invalid_message")),
        (b"GET nowhere HTTP/1.1\r\n" + HOST + b"\r\n", (400, "invalid_message")),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X Y: 1\r\n\r\n", (400, "invalid_message")),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", (400, "invalid_message")),
        (b"GET / HTTP/1.1\r\n" + HOST + b" folded\r\n\r\n", (400, "invalid_message")),
        (JOIN + b"Content-Length: -1\r\n\r\n", (400, "invalid_message")),
        (JOIN + b"Content-Length: 1, 2\r\n\r\n", (400, "invalid_message")),
        (JOIN + b"Content-Length: 99999999999999999999\r\n\r\n", (400, "invalid_message")),
        (
            JOIN + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            (400, "invalid_message"),
        ),
        (JOIN + b"Transfer-Encoding: gzip\r\n\r\n", (400, "invalid_message")),
        (b"GET /" + b"x" * MAX_LINE_BYTES + b" HTTP/1.1\r\n" + HOST, (414, "too_large")),
        (b"GET /?" + BIG, (414, "too_large")),
        (
            b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * MAX_FIELD_BYTES + b"y\r\n\r\n",
            (431, "too_large"),
        ),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: " + BIG, (431, "too_large")),
        (b"GET / HTTP/1.1\r\n" + HOST + 1000 * b"X: y\r\n" + b"\r\n", (431, "too_large")),
    ],
    ids=lambda value: value[:70].decode("latin-1") if isinstance(value, bytes) else None,
)
async def test_what_is_no_request_is_a_problem_like_any_other(
    game: GameServer, data: bytes, expected: tuple[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert problem_of(await said(game.port, data)) == expected
    assert caplog.records == []  # anyone may send it


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET /nowhere HTTP/1.1\r\n", (404, "unknown_command")),
        (b"OPTIONS * HTTP/1.1\r\n", (404, "unknown_command")),
        (b"CONNECT localhost:80 HTTP/1.1\r\n", (404, "unknown_command")),
        (b"PROPFIND /health HTTP/1.1\r\n", (405, "unknown_command")),
        (b"GET /health HTTP/1.1\r\nExpect: the unexpected\r\n", (417, "invalid_message")),
        (b"POST /api/game/join HTTP/1.1\r\n", (401, "unauthorized")),
    ],
)
async def test_what_no_route_takes_is_a_problem_too(
    game: GameServer, head: bytes, expected: tuple[int, str]
) -> None:
    answer = await said(game.port, head + HOST + b"Connection: close\r\n\r\n")

    assert problem_of(answer) == expected


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n", b"5\r\n{}", b"2\r\n{}xx", b"-1\r\n"])
async def test_chunks_that_are_none_are_an_invalid_message_and_the_last(
    game: GameServer, body: bytes
) -> None:
    token = game.issuer.token("alice").encode()
    head = JOIN + b"Authorization: Bearer " + token + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await said(game.port, head + body + b"\r\n0\r\n\r\n")

    assert problem_of(answer) == (400, "invalid_message")


async def test_every_header_that_a_player_may_send_is_taken(game: GameServer) -> None:
    for headers in (
        {"Cookie": "; ".join(f"c{number}={'x' * 50}" for number in range(300))},
        {f"X-{number}": "x" for number in range(40)},
        {"Authorization": "Bearer " + "x" * 8192},
    ):
        answer = await game.request("GET", "/health", headers=headers)
        assert answer.status == 200
    long = await game.request("POST", "/api/game/join", headers=headers)
    assert (long.status, long.body["code"]) == (401, "unauthorized")
    assert (await game.get("/health?" + "x" * 8192)).status == 200


@pytest.fixture
def no_collector() -> Iterator[None]:
    with garbage.no_collector():
        yield


@pytest.mark.usefixtures("no_collector")
async def test_nothing_of_what_is_no_request_waits_for_the_collector(game: GameServer) -> None:
    def alive() -> int:
        return garbage.alive(RequestHandler, web.BaseRequest, _ErrInfo, HttpProcessingError)

    await said(game.port, b"hello\r\n\r\n")
    before = alive()

    for _ in range(10):
        await said(game.port, b"hello\r\n\r\n")

    await until(lambda: alive() <= before)


@asynccontextmanager
async def serving(
    read_seconds: float, body: bytes, most_unread: int = MOST_UNREAD_ANSWERS
) -> AsyncIterator[int]:
    """The port of a server that answers everything with this body."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    app.router.add_get("/", answer)
    runner = Runner(
        app,
        keep_alive_seconds=60,
        shutdown_seconds=1,
        read_seconds=read_seconds,
        most_unread=most_unread,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class NonReader:
    """A client that asks, and reads no answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", port))

    def ask(self, times: int, headers: bytes = b"") -> None:
        self._socket.sendall(times * (b"GET / HTTP/1.1\r\n" + HOST + headers + b"\r\n"))

    def close(self) -> None:
        self._socket.close()

    @property
    def is_cut(self) -> bool:
        """Whether the server has reset the connection."""
        return bool(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) or (
            self._state() == 7  # TCP_CLOSE
        )

    def _state(self) -> int:
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


@pytest.mark.parametrize(
    ("times", "headers"),
    [(30, b""), (1, b"Connection: close\r\n")],
    ids=["pipelined", "the last one"],
)
async def test_who_does_not_read_is_cut_in_time(times: int, headers: bytes) -> None:
    async with serving(read_seconds=0.5, body=BIG * 10) as port, AsyncExitStack() as stack:
        clients = [NonReader(port) for _ in range(5)]
        for client in clients:
            stack.callback(client.close)
            client.ask(times, headers)

        await until(lambda: all(client.is_cut for client in clients))


async def test_only_so_many_of_an_address_may_leave_answers_unread() -> None:
    async with serving(600, BIG * 10, most_unread=3) as port, AsyncExitStack() as stack:
        clients = [NonReader(port) for _ in range(10)]
        for client in clients:
            stack.callback(client.close)
            client.ask(1)

        await until(lambda: sum(client.is_cut for client in clients) == 7)

        for client in clients:
            client.close()

        async def is_served() -> bool:
            asked = b"GET / HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
            return len(await said(port, asked)) > 10 * len(BIG)

        await until(is_served)


async def test_who_reads_slowly_but_in_time_gets_everything() -> None:
    async with serving(read_seconds=TIMEOUT_SECONDS, body=BIG * 3) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(2 * (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"))
        received = 0
        while received < 6 * len(BIG):
            chunk = await reader.read(100_000)
            assert chunk, f"the end after {received} bytes"
            received += len(chunk)
            await asyncio.sleep(0.001)
        writer.transport.abort()


async def test_connections_that_send_nothing_are_closed_in_time() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/", answer)
    runner = Runner(app, keep_alive_seconds=1, shutdown_seconds=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=BACKLOG).start()
        port = runner.addresses[0][1]
        started = time.monotonic()
        assert await asyncio.gather(*(said(port, b"") for _ in range(300))) == 300 * [b""]
        assert time.monotonic() - started >= 1
    finally:
        await runner.cleanup()


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_aiohttp_has_what_our_connections_override() -> None:
    """Look at connection.py and runner.py when this fails."""
    assert parameters(RequestHandler.finish_response) == ["self", "request", "resp", "start_time"]
    assert parameters(RequestHandler.handle_error) == [
        "self",
        "request",
        "status",
        "exc",
        "message",
    ]
    for name in ("start", "force_close", "close", "pause_writing", "resume_writing"):
        assert parameters(getattr(RequestHandler, name)) == ["self"]
    assert "_payload_parser" in RequestHandler.__slots__
    assert {"max_line_size", "max_field_size", "max_headers"} <= set(
        parameters(RequestHandler.__init__)
    )
    assert parameters(web.AppRunner._make_server) == ["self"]
