"""Answers that whoever asked does not read: for how long, and of how many, they are kept."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from server.transport.http.connection import MOST_UNREAD_ANSWERS
from server.transport.http.runner import Runner
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.transport.http.raw_requests import BIG, HOST, answer_to


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
            return len(await answer_to(port, asked)) > 10 * len(BIG)

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
