"""Servers and clients that are gone after the test, whatever happened in it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import socketio
import uvloop

from server.transport.limits import Rate, SocketLimits
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient

StartServer = Callable[..., Awaitable[Server]]
ConnectRaw = Callable[..., Awaitable[RawClient]]
ConnectStock = Callable[..., Awaitable[socketio.AsyncClient]]
Scenario = Callable[[Server], Awaitable[None]]
RunScenario = Callable[[Scenario], None]

BUFFER_BYTES = 256 * 1024


@pytest.fixture
async def start_server() -> AsyncIterator[StartServer]:
    """Starts a server with the given limits."""
    async with AsyncExitStack() as stack:

        async def start(**limits: object) -> Server:
            server = Server(SocketLimits(**limits))  # type: ignore[arg-type]
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    """A server with the limits of production."""
    return await start_server()


@pytest.fixture
async def connect_raw() -> AsyncIterator[ConnectRaw]:
    """Opens raw connections."""
    async with AsyncExitStack() as stack:

        async def connect(server: Server, headers: str = "", **options: Any) -> RawClient:
            client = await RawClient.connect(server.port, headers, **options)
            stack.push_async_callback(client.close)
            return client

        yield connect


@pytest.fixture
async def stock_client() -> AsyncIterator[Callable[[], socketio.AsyncClient]]:
    """Makes clients of python-socketio."""
    async with AsyncExitStack() as stack:

        def make() -> socketio.AsyncClient:
            client = socketio.AsyncClient(reconnection=False)
            stack.push_async_callback(client.shutdown)
            return client

        yield make


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> RunScenario:
    """Runs a scenario with a server of its own, on the event loop of the standard library and on
    uvloop, whose write buffers work differently. BUFFER_BYTES is what a client may cost there."""

    async def with_server(scenario: Scenario) -> None:
        server = Server(
            SocketLimits(
                client_buffer_bytes=BUFFER_BYTES, messages=Rate(0, 0), sockets_per_player=0
            )
        )
        await server.start()
        try:
            await scenario(server)
        finally:
            await server.stop()

    def run_scenario(scenario: Scenario) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(with_server(scenario))

    return run_scenario
