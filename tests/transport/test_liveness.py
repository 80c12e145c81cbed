"""A peer that is not there any more is noticed, and one that is there is not blamed."""

import asyncio
import time

import pytest

from server.transport.close_reason import CloseReason
from server.transport.limits import PING_INTERVAL_SECONDS
from server.transport.session import PONG_RECHECK_SECONDS
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.transport.conftest import ConnectRaw, StartServer
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    """A server that pings as often as in production."""
    return await start_server(ping_interval_seconds=PING_INTERVAL_SECONDS)


async def inside(server: Server, connect_raw: ConnectRaw) -> RawClient:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()
    return client


def test_silence_is_noticed_within_ten_seconds() -> None:
    assert 2 * PING_INTERVAL_SECONDS + PONG_RECHECK_SECONDS < 10


async def test_a_silent_peer_is_dropped(server: Server, connect_raw: ConnectRaw) -> None:
    client = await inside(server, connect_raw)
    start = time.monotonic()

    packets = await client.tcp_end()

    lasted = time.monotonic() - start
    assert (packets, client.pings) == ([], 2)
    assert PING_INTERVAL_SECONDS <= lasted < TIMEOUT_SECONDS
    assert server.counts.ended[CloseReason.SILENT] == 1
    await until(lambda: server.rooms.rooms == {} and server.gateway.eio.sockets == {})


async def test_a_peer_that_half_closes_is_dropped(server: Server, connect_raw: ConnectRaw) -> None:
    client = await inside(server, connect_raw)

    client.writer.write_eof()

    await until(lambda: server.rooms.rooms == {} and server.gateway.eio.sockets == {})


async def test_a_peer_that_answers_pings_stays(server: Server, connect_raw: ConnectRaw) -> None:
    client = await inside(server, connect_raw)
    pings = 0

    while pings < 2:
        _, payload = await client.frame()
        assert payload == b"2"
        pings += 1
        client.send("3")

    assert (await client.command("/echo", 1, "echo"))["ok"]


async def test_a_server_that_was_held_up_does_not_blame_its_peers(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    assert await client.frame() == (0x1, b"2")

    client.send("3")  # in the server's receive buffer before it may look
    time.sleep(PING_INTERVAL_SECONDS + 1)  # noqa: ASYNC251 - to hold up the loop is the point

    assert (await client.command("/echo", 1, "echo"))["ok"]


async def test_pings_are_answered_in_time_behind_a_slow_command(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    client.send('42/echo,1["slow"]')

    waiting = asyncio.create_task(client.packet())
    await asyncio.sleep(2 * PING_INTERVAL_SECONDS + 2)
    server.echo.open.set()

    assert (await waiting).startswith("43/echo,1")
    assert (await client.command("/echo", 2, "echo"))["ok"]


async def test_a_pong_behind_a_command_has_time_to_be_read_when_the_command_is_done(
    server: Server, connect_raw: ConnectRaw
) -> None:
    await inside(server, connect_raw)
    (session,) = server.gateway.eio.sockets.values()

    session.busy = True  # as if its message were being answered
    session.ping()
    session.ping()
    session.busy = False

    await asyncio.sleep(2 * PONG_RECHECK_SECONDS)
    assert session.close_reason is None


async def test_a_peer_that_vanishes_during_its_command_is_dropped_after_it(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    client.send('42/echo,1["slow"]')
    await asyncio.sleep(2 * PING_INTERVAL_SECONDS + 1)
    assert len(server.echo.inside) == 1

    server.echo.open.set()

    await until(lambda: server.echo.gone == 1)
    assert server.counts.ended[CloseReason.SILENT] == 1
