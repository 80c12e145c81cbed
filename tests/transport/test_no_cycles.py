"""A connection that is over is gone without the garbage collector, which comes by seldom."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from server.transport.session import Session
from tests.support import garbage
from tests.support.wait import until
from tests.transport.conftest import RunScenario
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient

CONNECTIONS = 10
KINDS = (Session, RequestHandler, web.Request, web.WebSocketResponse)


def refused_for_good(client: RawClient) -> None:
    """Ask again and again for what is not there."""
    for number in range(20):
        client.send(f"40/nowhere-{number},")


ENDS: dict[str, Callable[[RawClient], object]] = {
    "close frame": lambda client: client.send_frame(0x88, b"\x03\xe8"),
    "Engine.IO close": lambda client: client.send("1"),
    "end of TCP": lambda client: client.writer.close(),
    "reset of TCP": RawClient.reset,
    "not a packet": lambda client: client.send("nonsense"),
    "binary": lambda client: client.send_frame(0x82, b"\x00"),
    "too long": lambda client: client.send("4" + "x" * 100_000),
    "not a frame": lambda client: client.writer.write(b"\xff" * 100),
    "refused for good": refused_for_good,
}


@pytest.fixture
def no_collector() -> Iterator[None]:
    with garbage.no_collector():
        yield


def alive() -> int:
    return garbage.alive(*KINDS)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.usefixtures("no_collector")
def test_nothing_of_a_connection_waits_for_the_collector(run: RunScenario, end: str) -> None:
    before = alive()

    async def come_and_go(server: Server) -> None:
        client = await RawClient.connect(server.port, "")
        await client.join("/echo", "alice")
        await client.packet()
        ENDS[end](client)
        await client.tcp_end()
        await client.close()

    async def scenario(server: Server) -> None:
        await asyncio.gather(*(come_and_go(server) for _ in range(CONNECTIONS)))
        await until(lambda: server.gateway.eio.sockets == {})
        await until(lambda: alive() == before)

    run(scenario)
