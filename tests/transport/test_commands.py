import asyncio
import json
from collections.abc import Callable

import pytest
import socketio

from protocol.errors import ErrorCode, Refused, error_answer
from server.transport.close_reason import CloseReason
from server.transport.limits import Rate
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.transport.conftest import ConnectRaw, StartServer
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient


async def inside(server: Server, connect_raw: ConnectRaw) -> RawClient:
    """A client that has joined `/echo`."""
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()
    return client


async def test_a_stock_client_gets_the_answer_as_its_acknowledgement(
    server: Server, stock_client: Callable[[], socketio.AsyncClient]
) -> None:
    client = stock_client()
    await client.connect(
        server.url, transports=["websocket"], namespaces=["/echo"], auth={"token": "alice"}
    )

    answer = await client.call("echo", {"a": [1, "é"]}, namespace="/echo")

    assert answer == {"ok": True, "payload": {"a": [1, "é"]}}


async def test_a_missing_payload_is_an_empty_object(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)

    assert (await client.command("/echo", 1, "echo"))["payload"] == {}


@pytest.mark.parametrize("payload", [(None,), (5,), ("{}",), ([],), ({}, {})])
async def test_what_is_no_object_is_refused_without_a_handler(
    server: Server, connect_raw: ConnectRaw, payload: tuple[object, ...]
) -> None:
    client = await inside(server, connect_raw)

    answer = await client.command("/echo", 1, "echo", *payload)

    assert answer == error_answer(Refused(ErrorCode.INVALID_MESSAGE))
    assert server.echo.carried_out == []


@pytest.mark.parametrize(
    "packet",
    [
        r'["echo",{"client_seed":"luck \ud83d"}]',
        r'["echo",{"client_seed":"\udc00"}]',
        r'["echo",{"\ud83d":1}]',
        r'["echo",{},{"a":["\ud83d"]}]',
        r'["ec\ud83dho",{}]',
    ],
)
async def test_half_an_emoji_is_refused_and_ends_no_connection(
    server: Server, connect_raw: ConnectRaw, packet: str
) -> None:
    client = await inside(server, connect_raw)

    for ack_id in (1, 2):  # as often as it is tried
        client.send(f"42/echo,{ack_id}{packet}")
        (answer,) = json.loads((await client.packet()).removeprefix(f"43/echo,{ack_id}"))
        assert answer == error_answer(Refused(ErrorCode.INVALID_MESSAGE))

    client.send(f"42/echo,{packet}")  # without an acknowledgement nothing is said
    client.send(r'43/echo,7["\ud83d"]')
    assert (await client.command("/echo", 3, "echo"))["ok"]
    assert server.echo.carried_out == ["echo"]


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "admit", "", "*"])
async def test_a_reserved_word_is_just_an_unknown_command(
    server: Server, connect_raw: ConnectRaw, name: str
) -> None:
    client = await inside(server, connect_raw)

    answer = await client.command("/echo", 1, name, {"token": "bob"})

    assert answer == error_answer(Refused(ErrorCode.UNKNOWN_COMMAND))
    assert (server.echo.welcomed, server.echo.gone) == (1, 0)


async def test_an_error_of_ours_is_internal_and_reveals_nothing_more(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)

    answer = await client.command("/echo", 1, "bug")

    assert answer == error_answer(Refused(ErrorCode.INTERNAL))
    assert server.counts.failures == 1


async def test_an_event_without_an_id_is_carried_out_and_not_answered(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    client.send('42/echo,["echo",{"number":1}]')

    assert (await client.command("/echo", 7, "echo", {"number": 2}))["payload"] == {"number": 2}
    assert server.echo.carried_out == ["echo", "echo"]


async def test_packets_for_a_namespace_that_is_not_joined_are_ignored(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    for packet in ('42/elsewhere,1["echo"]', "41/elsewhere,", "43/elsewhere,1[]", '42["echo"]'):
        client.send(packet)

    assert (await client.command("/echo", 2, "echo"))["ok"]
    assert list(server.rooms.rooms) == ["/echo"]


async def test_acknowledgements_of_clients_are_ignored(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    client.send("43/echo,1[{}]")

    assert (await client.command("/echo", 2, "echo"))["ok"]


async def test_commands_of_one_connection_are_carried_out_in_their_order(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    client.send('42/echo,1["slow"]')
    client.send('42/echo,2["echo"]')
    await until(lambda: server.echo.carried_out == ["slow"])

    server.echo.open.set()

    assert (await client.packet()).startswith("43/echo,1")
    assert (await client.packet()).startswith("43/echo,2")


async def test_the_answer_to_who_has_left_is_not_sent(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    client.send('42/echo,1["slow"]')
    await until(lambda: server.echo.carried_out == ["slow"])
    (session,) = server.gateway.eio.sockets.values()
    session.close(CloseReason.EXPIRED)

    server.echo.open.set()

    assert await client.tcp_end() == ["41/echo,"]


async def test_messages_over_the_limit_are_refused_without_a_handler(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(messages=Rate(0.001, 3))
    client = await inside(server, connect_raw)  # the first of three

    assert (await client.command("/echo", 1, "echo"))["ok"]
    assert (await client.command("/echo", 2, "echo"))["ok"]
    answer = await client.command("/echo", 3, "echo")

    assert answer == error_answer(Refused(ErrorCode.RATE_LIMITED))
    assert server.echo.carried_out == ["echo", "echo"]
    assert server.counts.refused[ErrorCode.RATE_LIMITED] == 1


async def test_connects_over_the_limit_are_refused(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(messages=Rate(0.001, 1))
    client = await inside(server, connect_raw)

    packet = await client.join("/echo-2", "alice")

    assert json.loads(packet.removeprefix("44/echo-2,"))["data"]["code"] == "rate_limited"


async def test_a_stock_burst_is_within_the_limit(server: Server, connect_raw: ConnectRaw) -> None:
    client = await inside(server, connect_raw)

    answers = [await client.command("/echo", number, "echo") for number in range(19)]

    assert all(answer["ok"] for answer in answers)


@pytest.mark.parametrize(
    "packet", ['42/echo,1["echo"]', '42/elsewhere,["x"]', "43/echo,1[]", "3", "41/elsewhere,"]
)
@pytest.mark.usefixtures("long_flood")
async def test_a_flood_of_any_packet_ends_the_connection(
    start_server: StartServer, connect_raw: ConnectRaw, packet: str
) -> None:
    server = await start_server(messages=Rate(1, 1))
    client = await inside(server, connect_raw)
    for _ in range(200):
        client.send(packet)

    async with asyncio.timeout(TIMEOUT_SECONDS):
        await client.tcp_end()

    assert server.counts.ended[CloseReason.FLOODED] == 1


@pytest.mark.usefixtures("long_flood")
async def test_a_flood_of_websocket_pings_ends_the_connection(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(messages=Rate(1, 5))
    client = await inside(server, connect_raw)
    for _ in range(200):
        client.send_frame(0x89, b"ping")

    await client.tcp_end()

    assert server.counts.ended[CloseReason.FLOODED] == 1


async def test_a_message_rate_of_zero_is_no_limit(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(messages=Rate(0, 0))
    client = await inside(server, connect_raw)

    for number in range(300):
        assert (await client.command("/echo", number, "echo"))["ok"]
