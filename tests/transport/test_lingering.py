"""Whoever is still sending when we close receives our last bytes all the same."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import pytest
import uvloop
from aiohttp import web

from protocol.errors import Refused
from server.transport.close_reason import CloseReason
from server.transport.http.requests import read_body
from server.transport.lingering import linger
from server.transport.problems import problem
from tests.support.http import serve_app
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.transport.conftest import ConnectRaw, RunScenario
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient

MOST_BYTES = 1000
MEGABYTE = 1_000_000
TEXT, CLOSE = 0x81, 0x08

Scenario = Callable[[int], Awaitable[None]]


@asynccontextmanager
async def talk(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection, which in the end is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def send_all_then_read(port: int, *pieces: bytes) -> bytes:
    """What a client receives that does not read before it has sent everything. Raises
    ConnectionError where the answer would be lost."""
    async with asyncio.timeout(TIMEOUT_SECONDS), talk(port) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await reader.read()


async def judge_body(request: web.Request) -> web.StreamResponse:
    body = await read_body(request, MOST_BYTES)
    return problem(body) if isinstance(body, Refused) else web.Response(body=body)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def with_server(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    """Runs a scenario with the port of a server that takes bodies of MOST_BYTES at `/`."""

    async def serve(scenario: Scenario) -> None:
        app = web.Application()
        app.router.add_post("/", judge_body)
        async with serve_app(app) as url:
            await scenario(int(url.rpartition(":")[2]))

    def run(scenario: Scenario) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(serve(scenario))

    return run


HOST = b"Host: localhost\r\n"
CHUNK = b"64\r\n" + b"x" * 100 + b"\r\n"
UNREAD = {
    "a body that is too long": (
        b"413",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 10000000\r\n\r\n",
        b"x" * 10 * MEGABYTE,
    ),
    "chunks that are too many": (
        b"413",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n",
        CHUNK * 50_000,
    ),
    "an encoding that nobody knows": (
        b"415",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Encoding: zip\r\nContent-Length: 5000000\r\n\r\n",
        b"x" * 5 * MEGABYTE,
    ),
    "a body for what is not there": (
        b"404",
        b"POST /nothing HTTP/1.1\r\n" + HOST + b"Content-Length: 5000000\r\n\r\n",
        b"x" * 5 * MEGABYTE,
    ),
    "a header that is too long": (b"431", b"GET / HTTP/1.1\r\nX: ", b"x" * 5 * MEGABYTE),
    "headers that are too many": (b"431", b"GET / HTTP/1.1\r\n" + HOST, b"X: y\r\n" * MEGABYTE),
    "what is no HTTP": (b"400", b"\x16\x03\x01", b"x" * 5 * MEGABYTE),
}


@pytest.mark.parametrize("said", UNREAD.values(), ids=UNREAD.keys())
@pytest.mark.filterwarnings("default")
def test_an_answer_before_the_end_of_a_request_is_received(
    with_server: Callable[[Scenario], None], said: tuple[bytes, bytes, bytes]
) -> None:
    status, *pieces = said

    async def scenario(port: int) -> None:
        answer = await send_all_then_read(port, *pieces)
        head = answer.partition(b"\r\n\r\n")[0]
        assert head.split()[1] == status
        assert b"Connection: close" in head or head.startswith(b"HTTP/1.0")

    with_server(scenario)


def test_after_a_whole_request_the_connection_stays(
    with_server: Callable[[Scenario], None],
) -> None:
    async def scenario(port: int) -> None:
        async with asyncio.timeout(TIMEOUT_SECONDS), talk(port) as (reader, writer):
            for status in (b"200", b"413", b"200"):
                length = 2000 if status == b"413" else 5
                head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % length
                writer.write(head + b"x" * length)
                answer = await reader.readuntil(b"\r\n\r\n")
                assert answer.split()[1] == status
                assert b"Connection: close" not in answer
                fields = dict(line.split(b": ") for line in answer.split(b"\r\n")[1:] if line)
                await reader.readexactly(int(fields[b"Content-Length"]))

    with_server(scenario)


@pytest.mark.parametrize(("seconds", "most_bytes"), [(0.1, 10**12), (TIMEOUT_SECONDS, MEGABYTE)])
def test_who_never_stops_sending_is_left(run: RunScenario, seconds: float, most_bytes: int) -> None:
    async def scenario(_server: Server) -> None:
        left = asyncio.Event()

        def send_until_cut(port: int) -> None:
            with socket.create_connection(("127.0.0.1", port)) as client, suppress(OSError):
                while True:
                    client.sendall(b"x" * 10_000)

        class Linger(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.lingering = asyncio.create_task(
                    self.linger(cast(asyncio.Transport, transport))
                )

            async def linger(self, transport: asyncio.Transport) -> None:
                await linger(transport, seconds, most_bytes)
                transport.abort()
                left.set()

        server = await asyncio.get_running_loop().create_server(Linger, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(TIMEOUT_SECONDS / 2):
            await asyncio.gather(asyncio.to_thread(send_until_cut, port), left.wait())
        server.close()

    run(scenario)


async def last_words(client: RawClient) -> tuple[list[str], int]:
    """The packets but for pings, and the close code. Raises ConnectionError at a reset, as at the
    next message of a client that does not look before it has sent everything."""
    packets, close_code = [], 0
    try:
        while True:
            opcode, payload = await client.frame()
            if opcode == CLOSE:
                (close_code,) = struct.unpack("!H", payload[:2])
            elif payload != b"2":
                packets.append(payload.decode())
    except asyncio.IncompleteReadError:
        return packets, close_code


async def test_who_sends_a_message_that_is_too_long_receives_the_reason_of_the_close(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    client.send_frame(TEXT, b"x" * 700_000)
    await client.writer.drain()

    assert await last_words(client) == ([], 1009)
    assert server.counts.ended[CloseReason.MALFORMED] == 1


@pytest.mark.usefixtures("long_flood")
async def test_who_floods_is_disconnected_for_good(server: Server, connect_raw: ConnectRaw) -> None:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    for _ in range(3000):
        client.send('42/echo,["echo"]')
    await client.writer.drain()

    packets, close_code = await last_words(client)

    assert packets[-1] == "41/echo,"
    assert close_code == 1008
    assert server.counts.ended[CloseReason.FLOODED] == 1
    await until(lambda: not server.gateway.eio.sockets)
