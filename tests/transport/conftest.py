"""Servers and clients that are gone after the test, whatever happened in it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
import socketio
import uvloop

from server.transport.limits import Rate, SocketLimits
from tests.support.wait import TIMEOUT_SECONDS
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient

StartServer = Callable[..., Awaitable[Server]]
ConnectRaw = Callable[..., Awaitable[RawClient]]
ConnectStock = Callable[..., Awaitable[socketio.AsyncClient]]
Scenario = Callable[[Server], Awaitable[None]]
RunScenario = Callable[[Scenario], None]

BUFFER_BYTES = 256 * 1024


def unhurried(**limits: Any) -> SocketLimits:
    """The limits of production, but for those that are given; and a client may take its time to
    join and to answer a ping, for a machine that is held up holds up the client as well."""
    patience = {
        "connect_timeout_seconds": TIMEOUT_SECONDS,
        "ping_interval_seconds": TIMEOUT_SECONDS,
    }
    return SocketLimits(**(patience | limits))


@pytest.fixture(autouse=True)
def patient_servers() -> Iterator[None]:
    """A pause of this machine is no outage of the store, and no client that hangs on."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (
            "server.store.health.PING_SECONDS",
            "server.transport.http.connection.LINGER_SECONDS",
            "server.transport.http.webhook.STORE_SECONDS",
        ):
            patch.setattr(name, TIMEOUT_SECONDS)
        yield


@pytest.fixture
def long_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a slow machine takes long to read is a flood all the same."""
    monkeypatch.setattr("server.transport.limits.FLOOD_WINDOW_SECONDS", TIMEOUT_SECONDS)


@pytest.fixture
async def start_server() -> AsyncIterator[StartServer]:
    """Starts a server with the given limits, the others `unhurried`."""
    async with AsyncExitStack() as stack:

        async def start(**limits: object) -> Server:
            server = Server(unhurried(**limits))
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    """A server with the limits of production, `unhurried`."""
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
            client.connect = partial(client.connect, wait_timeout=TIMEOUT_SECONDS)
            stack.push_async_callback(client.shutdown)
            return client

        yield make


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> RunScenario:
    """Runs a scenario with a server of its own, on the event loop of the standard library and on
    uvloop, whose write buffers work differently. BUFFER_BYTES is what a client may cost there."""

    async def with_server(scenario: Scenario) -> None:
        server = Server(
            unhurried(client_buffer_bytes=BUFFER_BYTES, messages=Rate(0, 0), sockets_per_player=0)
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
