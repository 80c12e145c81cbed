"""Each promise is kept here and broken by the stock parts: so these tests can fail.

A promise that the stock parts keep one day is one that we need not keep for them.
"""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import pytest

from server.transport.close_reason import CloseReason
from server.transport.limits import SocketLimits
from tests.support.wait import TIMEOUT_SECONDS
from tests.transport.conftest import unhurried
from tests.transport.echo_server import Server
from tests.transport.raw import HANDSHAKE, RawClient
from tests.transport.stock import stock_server

STOCK_PATIENCE_SECONDS = 1.5
CONNECT_SECONDS = 0.5
"""How long who joins nothing may stay, in the test of that; the stock parts are given longer."""


class Abused(Protocol):
    """A server with something to abuse."""

    @property
    def port(self) -> int:
        """Where it listens."""

    @property
    def welcomed(self) -> int:
        """How often its handler of connects has run."""

    async def dismiss(self) -> None:
        """Disconnect everyone."""


@dataclass
class Ours:
    """Our transport before a handler that echoes."""

    server: Server

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def welcomed(self) -> int:
        return self.server.echo.welcomed

    async def dismiss(self) -> None:
        for session in list(self.server.gateway.eio.sockets.values()):
            session.close(CloseReason.EXPIRED)


@asynccontextmanager
async def our_server(limits: SocketLimits) -> AsyncIterator[Ours]:
    server = Server(limits)
    await server.start()
    try:
        yield Ours(server)
    finally:
        await server.stop()


@asynccontextmanager
async def client_of(server: Abused) -> AsyncIterator[RawClient]:
    client = await RawClient.connect(server.port)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def inside(server: Abused) -> AsyncIterator[RawClient]:
    async with client_of(server) as client:
        assert (await client.join("/echo", "alice")).startswith("40")
        yield client


async def end(client: RawClient) -> None:
    """Return when TCP is closed by the server, which gets its pongs."""
    try:
        while True:
            await client.packet()
    except (ConnectionError, asyncio.IncompleteReadError):
        await client.tcp_end()


async def acknowledged(client: RawClient) -> str:
    """The next acknowledgement."""
    while not (packet := await client.packet()).startswith("43"):
        pass
    return packet


async def response_head(server: Abused, headers: str) -> str:
    """What a handshake with further headers is answered with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    key = base64.b64encode(os.urandom(16)).decode()
    path, host = "/socket.io/?EIO=4&transport=websocket", f"127.0.0.1:{server.port}"
    writer.write(HANDSHAKE.format(path=path, host=host, key=key, extra=headers).encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
    return head.decode()


async def no_reserved_word_reaches_a_handler(server: Abused) -> None:
    async with inside(server) as client:
        client.send('42/echo,["connect",{"REMOTE_ADDR":"forged"},{"token":"bob"}]')
        client.send('42/echo,1["echo"]')
        await acknowledged(client)
        assert server.welcomed == 1


async def who_joins_nothing_is_sent_away(server: Abused) -> None:
    async with client_of(server) as client:
        await end(client)


async def who_is_refused_again_and_again_is_sent_away(server: Abused) -> None:
    async with client_of(server) as client:
        for _ in range(5):
            client.send('40/echo,{"token":""}')
        await end(client)


async def a_dismissal_closes_tcp(server: Abused) -> None:
    async with inside(server) as client:
        await server.dismiss()
        await end(client)


async def binary_packets_end_the_connection(server: Abused) -> None:
    async with inside(server) as client:
        client.send('4551-/echo,["echo",{"_placeholder":true,"num":0}]')
        for _ in range(3):
            client.send_frame(0x82, b"an attachment")
        await end(client)


async def malformed_packets_end_the_connection(server: Abused) -> None:
    async with inside(server) as client:
        client.send('42/echo,1["echo"')
        await end(client)


async def what_is_no_number_ends_the_connection(server: Abused) -> None:
    async with inside(server) as client:
        client.send('42/echo,1["echo",NaN]')
        await end(client)


async def a_duplicate_key_ends_the_connection(server: Abused) -> None:
    async with inside(server) as client:
        client.send('42/echo,1["echo",{"amount":1,"amount":2}]')
        await end(client)


async def there_is_no_long_polling(server: Abused) -> None:
    url = f"http://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=polling"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert answer.status == 400


async def a_session_has_eight_namespaces(server: Abused) -> None:
    async with client_of(server) as client:
        for number in range(8):
            client.send(f'40/echo-{number},{{"token":"alice"}}')
        client.send('40/echo-8,{"token":"alice"}')
        while "/echo-8," not in (packet := await client.packet()):
            pass
        assert packet.startswith("44")


async def the_default_namespace_is_closed(server: Abused) -> None:
    async with client_of(server) as client:
        client.send('40{"token":"alice"}')
        assert (await client.packet()).startswith("44")


async def a_forwarded_host_is_no_origin(server: Abused) -> None:
    forged = (
        "Origin: http://evil.example\r\n"
        "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\n"
    )
    assert "101" not in (await response_head(server, forged)).partition("\r\n")[0]


async def compression_is_not_offered(server: Abused) -> None:
    offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    assert "permessage-deflate" not in await response_head(server, offer)


async def who_behaves_is_served(server: Abused) -> None:
    async with inside(server) as client:
        client.send('42/echo,1["echo",{"number":5}]')
        assert '"number":5' in await acknowledged(client)


Promise = Callable[[Abused], Awaitable[None]]

PROMISES: list[Promise] = [
    no_reserved_word_reaches_a_handler,
    who_joins_nothing_is_sent_away,
    who_is_refused_again_and_again_is_sent_away,
    a_dismissal_closes_tcp,
    binary_packets_end_the_connection,
    malformed_packets_end_the_connection,
    what_is_no_number_ends_the_connection,
    a_duplicate_key_ends_the_connection,
    there_is_no_long_polling,
    a_session_has_eight_namespaces,
    the_default_namespace_is_closed,
    a_forwarded_host_is_no_origin,
    compression_is_not_offered,
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_a_promise_is_kept(promise: Promise) -> None:
    hurried = unhurried(connect_timeout_seconds=CONNECT_SECONDS)
    limits = hurried if promise is who_joins_nothing_is_sent_away else unhurried()
    async with our_server(limits) as ours, asyncio.timeout(TIMEOUT_SECONDS):
        await promise(ours)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_the_stock_parts_do_not_keep_it(promise: Promise) -> None:
    async with stock_server() as server:
        with pytest.raises((AssertionError, TimeoutError)):
            async with asyncio.timeout(STOCK_PATIENCE_SECONDS):
                await promise(server)


async def test_both_serve_who_behaves() -> None:
    async with (
        asyncio.timeout(TIMEOUT_SECONDS),
        stock_server() as stock,
        our_server(unhurried()) as ours,
    ):
        await who_behaves_is_served(ours)
        await who_behaves_is_served(stock)
