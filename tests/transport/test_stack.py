"""What we rely on in python-socketio, python-engineio and aiohttp, beyond their documented use.

A test that fails here after an update names the module of ours to look at.
"""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import engineio
import pytest
import socketio
from aiohttp import WSCloseCode, web
from aiohttp.web_protocol import RequestHandler

from tests.support.wait import TIMEOUT_SECONDS, until
from tests.transport.clients import inside, member, news, waiting_bytes
from tests.transport.conftest import ConnectRaw, RunScenario, StartServer
from tests.transport.echo_server import Server


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_socketio_registers_three_hooks_on_the_engine_that_we_give_it(server: Server) -> None:
    gateway = server.gateway

    assert type(gateway.eio).__name__ == "Engine", "gateway.py: _engineio_server_class"
    assert gateway.eio.handlers == {
        "connect": gateway._handle_eio_connect,
        "message": gateway._handle_eio_message,
        "disconnect": gateway._handle_eio_disconnect,
    }, "gateway.py: the hooks"


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("_handle_eio_connect", ["self", "eio_sid", "environ"]),
        ("_handle_eio_message", ["self", "eio_sid", "data"]),
        ("_handle_eio_disconnect", ["self", "eio_sid", "reason"]),
        ("_engineio_server_class", ["self"]),
    ],
)
def test_the_hooks_that_the_gateway_replaces_exist(hook: str, expected: list[str]) -> None:
    assert parameters(getattr(socketio.AsyncServer, hook)) == expected, "gateway.py"


def test_socketio_passes_what_it_does_not_know_to_the_engine() -> None:
    assert parameters(socketio.AsyncServer.__init__)[-1] == "kwargs", "gateway.py: __init__"


def test_socketio_asks_the_manager_to_emit() -> None:
    expected = ["self", "event", "data", "namespace"]

    assert parameters(socketio.AsyncManager.emit)[:4] == expected, "rooms.py: emit"
    assert parameters(socketio.AsyncManager.set_server) == ["self", "server"], "rooms.py"


def test_the_engine_is_asked_for_every_request(server: Server) -> None:
    app = web.Application()
    server.gateway.attach(app)

    routes = {(route.method, route.handler) for route in app.router.routes()}

    handler = server.gateway.eio.handle_request
    assert {("GET", handler), ("POST", handler), ("OPTIONS", handler)} <= routes, "engine.py"


def test_the_engine_has_a_table_of_sockets_and_makes_ids(server: Server) -> None:
    assert server.gateway.eio.sockets == {}, "engine.py: sockets"
    ids = {engineio.AsyncServer.generate_id(server.gateway.eio) for _ in range(100)}
    assert len(ids) == 100, "engine.py: generate_id"


def test_no_task_watches_the_connections(server: Server) -> None:
    assert server.gateway.eio.start_service_task is False, "gateway.py: monitor_clients"
    assert server.gateway.eio.service_task_handle is None


@pytest.mark.parametrize("option", ["autoclose", "autoping", "compress", "max_msg_size"])
def test_aiohttp_has_the_websocket_options_that_we_set(option: str) -> None:
    assert option in parameters(web.WebSocketResponse.__init__), "engine.py: handle_request"


def test_aiohttp_begins_to_read_where_the_guard_is_put(server: Server) -> None:
    expected = ["self", "request", "protocol", "writer"]
    assert parameters(web.WebSocketResponse._post_start) == expected, "websocket.py: _post_start"
    for name in ("_message_tail", "_payload_parser"):
        assert name in RequestHandler.__slots__, "websocket.py: _post_start"


def test_aiohttp_answers_everything_in_one_place_of_what_its_runner_makes() -> None:
    answered = parameters(web.RequestHandler.finish_response)

    assert answered == ["self", "request", "resp", "start_time"], "connection.py"
    assert parameters(web.AppRunner._make_server) == ["self"], "runner.py"
    runner = web.AppRunner(web.Application(), lingering_time=0)
    assert runner._kwargs["lingering_time"] == 0, "runner.py"


async def test_aiohttp_writes_the_handshake_before_it_returns_from_prepare(
    server: Server, connect_raw: ConnectRaw
) -> None:
    # Our open packet goes straight to the transport: the response head must be there already.
    client = await connect_raw(server)

    assert client.response_head.startswith("HTTP/1.1 101"), "engine.py: _serve"


async def test_aiohttp_needs_one_task_to_accept_and_one_to_serve(
    server: Server, connect_raw: ConnectRaw
) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(10):
        await connect_raw(server)

    assert len(asyncio.all_tasks()) - before == 20, "session.py: a connection has no other task"


async def test_a_websocket_whose_transport_is_closing_is_not_closed_again(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    # We write the close frame ourselves; when the handler returns, aiohttp must not add one
    # (session.py: hang_up).
    server = await start_server(close_seconds=TIMEOUT_SECONDS)
    client = await connect_raw(server)
    client.send("1")

    assert (await client.frame())[0] == 0x8
    client.send_frame(0x88, b"\x03\xe8")

    with pytest.raises(asyncio.IncompleteReadError):
        await client.frame()


def test_aiohttp_knows_the_close_codes_that_we_send() -> None:
    assert (WSCloseCode.SERVICE_RESTART, WSCloseCode.POLICY_VIOLATION) == (1012, 1008), (
        "close_reason.py"
    )


def test_a_transport_hands_a_frame_to_the_kernel_at_once(run: RunScenario) -> None:
    # What waits is what the kernel refused: so a burst to who reads is no backlog, and a broadcast
    # is out when it returns.
    async def scenario(server: Server) -> None:
        async with inside(server, "a"):
            one = member(server, "a")
            for number in range(10):
                one.send("news", news(number, 100))
                assert waiting_bytes(one) == 0, "session.py: write"

    run(scenario)


def test_a_transport_that_was_aborted_is_closing_at_once(run: RunScenario) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "a"):
            session = member(server, "a").session
            session._transport.abort()

            assert session._transport.is_closing(), "session.py: write"
            session.write(b"nobody receives this")
            await until(lambda: server.echo.gone == 1)

    run(scenario)
