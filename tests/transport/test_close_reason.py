"""However a connection ends: everyone knows at once, TCP is closed soon, and nothing is left."""

import asyncio
import time

import pytest

from server.transport.close_reason import CloseReason
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.transport.conftest import ConnectRaw, StartServer
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient

# What does not depend on the speed of the machine is checked exactly; the promise is 5 s.
LONG_SECONDS = 2 * TIMEOUT_SECONDS


@pytest.fixture
async def long_close(start_server: StartServer) -> Server:
    """Whoever waits for a close frame waits long here, so that it shows who does not."""
    return await start_server(close_seconds=LONG_SECONDS)


async def inside(server: Server, connect_raw: ConnectRaw) -> RawClient:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()
    return client


async def test_a_close_frame_is_answered_and_tcp_closed(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)

    client.send_frame(0x88, b"\x03\xe8")

    assert await client.tcp_end() == []
    assert client.close_code == 1000
    assert server.counts.ended[CloseReason.LEFT] == 1


async def test_the_close_packet_of_engine_io_ends_the_connection(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)

    client.send("1")

    assert await client.tcp_end() == []
    assert server.counts.ended[CloseReason.LEFT] == 1


@pytest.mark.parametrize("end", ["reset", "close"])
async def test_a_lost_connection_is_gone_at_once(
    server: Server, connect_raw: ConnectRaw, end: str
) -> None:
    client = await inside(server, connect_raw)

    if end == "reset":
        client.reset()
    else:
        client.writer.close()

    await until(lambda: server.rooms.rooms == {} and server.echo.gone == 1)
    assert server.counts.ended[CloseReason.LOST] == 1


async def test_a_closed_session_is_gone_at_once_and_its_tcp_connection_soon(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    (session,) = server.gateway.eio.sockets.values()

    session.close(CloseReason.EXPIRED)

    assert (server.rooms.rooms, server.echo.gone) == ({}, 1)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        assert await client.tcp_end() == ["41/echo,"]
    await until(lambda: server.gateway.eio.sockets == {})


async def test_a_client_that_answers_the_close_frame_need_not_wait(
    long_close: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(long_close, connect_raw)
    (session,) = long_close.gateway.eio.sockets.values()
    start = time.monotonic()
    session.close(CloseReason.DRAINING)

    assert '"draining"' in await client.packet()
    assert (await client.frame())[0] == 0x8
    client.send_frame(0x88, b"\x03\xf0")
    await client.tcp_end()

    assert time.monotonic() - start < LONG_SECONDS


async def test_who_sent_a_malformed_packet_is_not_waited_for(
    long_close: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(long_close, connect_raw)
    start = time.monotonic()

    client.send("hello")
    await client.tcp_end()

    assert time.monotonic() - start < LONG_SECONDS


async def test_who_floods_a_closed_session_is_not_waited_for(
    long_close: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(long_close, connect_raw)
    (session,) = long_close.gateway.eio.sockets.values()
    start = time.monotonic()
    session.close(CloseReason.REFUSED)

    for _ in range(100):
        client.send("3")
    await client.tcp_end()

    assert time.monotonic() - start < LONG_SECONDS


async def test_what_a_closed_session_still_sends_is_ignored(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    (session,) = server.gateway.eio.sockets.values()
    session.close(CloseReason.REFUSED)

    client.send('42/echo,1["echo"]')
    client.send('40/echo,{"token":"alice"}')

    assert await client.tcp_end() == ["41/echo,"]
    assert server.echo.carried_out == []
    assert server.echo.welcomed == 1


async def test_an_error_of_a_namespace_handler_at_the_end_does_not_keep_a_connection(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    for namespace in ("/echo-bad-end", "/echo"):
        await client.join(namespace, "alice")
        await client.packet()
    client.reset()

    await until(lambda: server.echo.gone == 2)

    assert server.counts.failures == 1
    await until(lambda: server.gateway.eio.sockets == {})
