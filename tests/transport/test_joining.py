import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import socketio

from protocol.errors import ErrorCode, Refused, error_body
from server.transport.close_reason import CloseReason
from tests.support.wait import until
from tests.transport.conftest import ConnectRaw, StartServer
from tests.transport.echo_server import Server

MakeStockClient = Callable[[], socketio.AsyncClient]


def refusal(packet: str, namespace: str) -> dict[str, Any]:
    """The error in a connect error."""
    head = "44" if namespace == "/" else f"44{namespace},"
    assert packet.startswith(head), packet
    error: dict[str, Any] = json.loads(packet.removeprefix(head))["data"]
    return error


async def test_a_stock_client_joins_and_gets_its_welcome_first(
    server: Server, stock_client: MakeStockClient
) -> None:
    client = stock_client()
    received: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    client.on("*", lambda event, data: received.put_nowait((event, data)), namespace="/echo")

    await client.connect(
        server.url, transports=["websocket"], namespaces=["/echo"], auth={"token": "alice"}
    )
    server.rooms.broadcast("/echo", "news", b"{}")

    assert await received.get() == ("welcome", {"auth": {"token": "alice"}})
    assert await received.get() == ("news", {})
    assert [member.alien_id for member in server.echo.inside] == ["alice"]


async def test_a_stock_client_gets_the_error_of_a_refused_connect(
    server: Server, stock_client: MakeStockClient
) -> None:
    client = stock_client()
    errors: list[Any] = []
    client.on("connect_error", errors.append, namespace="/echo-full")

    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(
            server.url,
            transports=["websocket"],
            namespaces=["/echo-full"],
            auth={"token": "alice"},
        )

    refused = Refused(ErrorCode.LOBBY_FULL, {"seats": 10})
    assert errors[0]["data"] == error_body(refused)
    assert errors[0]["message"] == error_body(refused)["message"]


@pytest.mark.parametrize(
    "auth",
    ["", "{}", "null", "[]", '"alice"', "5", '{"token":""}', r'"\ud83d"', r'{"\ud83d":"alice"}'],
)
async def test_a_connect_without_a_valid_token_is_unauthorized(
    server: Server, connect_raw: ConnectRaw, auth: str
) -> None:
    client = await connect_raw(server)
    client.send(f"40/echo,{auth}")

    assert refusal(await client.packet(), "/echo")["code"] == "unauthorized"


async def test_the_default_namespace_is_an_unknown_lobby(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    client.send('40{"token":"alice"}')

    assert refusal(await client.packet(), "/")["code"] == "unknown_lobby"


async def test_authentication_comes_before_the_namespace(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)

    assert refusal(await client.join("/nowhere", ""), "/nowhere")["code"] == "unauthorized"
    assert refusal(await client.join("/nowhere", "alice"), "/nowhere")["code"] == "unknown_lobby"


async def test_a_refused_connect_leaves_nothing_behind(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)

    await client.join("/nowhere", "alice")
    await client.join("/echo-full", "alice")

    assert server.rooms.rooms == {}
    assert [its.members for its in server.gateway.eio.sockets.values()] == [{}]


async def test_the_third_refused_connect_closes_the_connection(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    for _ in range(3):
        client.send('40/echo,{"token":""}')

    packets = await client.tcp_end()

    assert [refusal(packet, "/echo")["code"] for packet in packets] == ["unauthorized"] * 3


async def test_connects_refused_for_no_fault_of_the_client_end_no_connection(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()

    for _ in range(5):
        error = refusal(await client.join("/echo-away", "alice"), "/echo-away")
        assert (error["code"], error["retry"]) == ("unavailable", True)

    assert (await client.command("/echo", 1, "echo"))["ok"]


async def test_refused_connects_are_not_held_against_a_connection_for_ever(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(refusals_window_seconds=0.0)  # a minute passes each time
    client = await connect_raw(server)

    for _ in range(5):
        await client.join("/nowhere", "alice")

    assert (await client.join("/echo", "alice")).startswith("40/echo,")


async def test_a_ninth_namespace_is_refused(server: Server, connect_raw: ConnectRaw) -> None:
    client = await connect_raw(server)
    for number in range(8):
        assert (await client.join(f"/echo-{number}", "alice")).startswith("40")
        await client.packet()

    assert refusal(await client.join("/echo-9", "alice"), "/echo-9")["code"] == "rate_limited"


async def test_a_connection_belongs_to_one_player(server: Server, connect_raw: ConnectRaw) -> None:
    client = await connect_raw(server)
    await client.join("/echo-1", "alice")
    await client.packet()

    error = refusal(await client.join("/echo-2", "bob"), "/echo-2")

    assert error["code"] == "identity_mismatch"


async def test_a_second_connect_to_a_namespace_changes_nothing(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()

    client.send('40/echo,{"token":"alice"}')
    answer = await client.command("/echo", 1, "echo")

    assert answer["ok"]
    assert server.echo.welcomed == 1


async def test_who_left_a_namespace_may_join_it_again(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()
    client.send("41/echo,")

    assert (await client.join("/echo", "alice")).startswith("40/echo,")
    assert (server.echo.welcomed, server.echo.gone) == (2, 1)


@pytest.mark.parametrize("token", ["alice", "verifier-bug"])
async def test_an_error_of_ours_while_joining_is_internal_and_reveals_nothing_more(
    server: Server, connect_raw: ConnectRaw, token: str
) -> None:
    client = await connect_raw(server)

    packet = await client.join("/echo-bug", token)

    assert refusal(packet, "/echo-bug") == error_body(Refused(ErrorCode.INTERNAL))
    assert server.counts.failures == 1


async def test_who_is_gone_before_being_admitted_leaves_nothing_behind(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    client.send('40/echo-slow,{"token":"alice"}')
    await server.echo.admitting.wait()
    client.reset()

    server.echo.open.set()
    await until(lambda: server.echo.gone == 1)

    assert server.echo.welcomed == 1
    assert server.rooms.rooms == {}


async def test_a_connection_that_ends_while_being_admitted_gets_no_welcome(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    client.send('40/echo-slow,{"token":"alice"}')
    await server.echo.admitting.wait()
    (connection,) = server.gateway.eio.sockets.values()
    # Its time to join ends now, and not before the server has got so far.
    connection.set_deadline(0.2, partial(connection.close, CloseReason.NEVER_JOINED))
    await until(lambda: connection.close_reason is not None)

    server.echo.open.set()

    assert await client.tcp_end() == []
    await until(lambda: server.echo.gone == 1)
    assert server.echo.welcomed == 1


async def test_a_connection_that_joins_nothing_in_time_is_closed(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(connect_timeout_seconds=0.2)
    client = await connect_raw(server)

    assert await client.tcp_end() == []
    assert server.counts.ended[CloseReason.NEVER_JOINED] == 1


async def test_a_connection_that_joined_in_time_stays(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    (connection,) = server.gateway.eio.sockets.values()
    to_join = connection._deadline
    await client.join("/echo", "alice")
    await client.packet()

    assert to_join is not None
    assert to_join.cancelled()  # when it joined, and so it never comes
    assert (await client.command("/echo", 1, "echo"))["ok"]
