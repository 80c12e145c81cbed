"""Whoever sends much waits for the others, not they for them."""

import asyncio
import time

from server.transport.limits import Rate
from server.transport.reader import OVER_LIMIT_SECONDS
from tests.support.wait import TIMEOUT_SECONDS
from tests.transport.conftest import ConnectRaw, StartServer
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient, client_frame


async def inside(server: Server, connect_raw: ConnectRaw) -> RawClient:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()
    return client


async def test_a_connection_gets_one_message_done_before_it_is_everyone_elses_turn(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(messages=Rate(0, 0))
    client = await inside(server, connect_raw)
    client.writer.write(500 * client_frame(0x81, b'42/echo,["echo"]'))

    most = done = 0
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while done < 500:
            await asyncio.sleep(0)
            most = max(most, len(server.echo.carried_out) - done)
            done = len(server.echo.carried_out)

    assert most == 1


async def test_a_connection_over_its_limit_is_read_slowly(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(messages=Rate(0.001, 1))
    client = await inside(server, connect_raw)
    begun = time.monotonic()

    for number in range(20):
        assert not (await client.command("/echo", number, "echo"))["ok"]

    assert time.monotonic() - begun >= 19 * OVER_LIMIT_SECONDS
