"""What no route ever sees: HTTP that is malformed or too long, and connections without any."""

import asyncio
import inspect
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from server.assembly.http import BACKLOG
from server.transport.http.connection import (
    MAX_FIELD_BYTES,
    MAX_LINE_BYTES,
)
from server.transport.http.runner import Runner
from tests.support import garbage
from tests.support.wait import until
from tests.system.game_server import GameServer
from tests.transport.http.raw_requests import BIG, HOST, answer_to

JOIN = b"POST /api/game/join HTTP/1.1\r\n" + HOST


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
    assert problem_of(await answer_to(game.port, data)) == expected
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
    answer = await answer_to(game.port, head + HOST + b"Connection: close\r\n\r\n")

    assert problem_of(answer) == expected


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n", b"5\r\n{}", b"2\r\n{}xx", b"-1\r\n"])
async def test_chunks_that_are_none_are_an_invalid_message_and_the_last(
    game: GameServer, body: bytes
) -> None:
    token = game.issuer.token("alice").encode()
    head = JOIN + b"Authorization: Bearer " + token + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await answer_to(game.port, head + body + b"\r\n0\r\n\r\n")

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

    await answer_to(game.port, b"hello\r\n\r\n")
    before = alive()

    for _ in range(10):
        await answer_to(game.port, b"hello\r\n\r\n")

    await until(lambda: alive() <= before)


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
        assert await asyncio.gather(*(answer_to(port, b"") for _ in range(300))) == 300 * [b""]
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
