"""What strangers try, and what a connection costs that behaves badly."""

import asyncio
from collections.abc import Callable

import pytest
import structlog

from server.transport.close_reason import CloseReason
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.transport.conftest import ConnectRaw
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient, client_frame

TEXT, BINARY, CLOSE, PING = 0x81, 0x82, 0x88, 0x89

# What does not depend on the speed of the machine is checked exactly; the promise is 1 s.

MALFORMED: dict[str, Callable[[RawClient], None]] = {
    "binary frame": lambda client: client.send_frame(BINARY, b"4xyz"),
    "binary event": lambda client: client.send('451-/echo,["echo",{"_placeholder":true,"num":0}]'),
    "binary acknowledgement": lambda client: client.send("461-/echo,1[]"),
    "base64 packet": lambda client: client.send("bAAAA"),
    "no packet": lambda client: client.send("hello"),
    "empty message": lambda client: client.send(""),
    "open packet": lambda client: client.send("0{}"),
    "ping packet": lambda client: client.send("2probe"),
    "upgrade packet": lambda client: client.send("5"),
    "noop packet": lambda client: client.send("6"),
    "broken JSON": lambda client: client.send('42/echo,1["echo"'),
    "duplicate keys": lambda client: client.send('42/echo,1["echo",{"a":1,"a":2}]'),
    "not a number": lambda client: client.send('42/echo,1["echo",NaN]'),
    "no name": lambda client: client.send("42/echo,1[]"),
    "deep nesting": lambda client: client.send("42/echo,1" + "[" * 16_000),
    "malformed for another namespace": lambda client: client.send("42/elsewhere,1{}"),
    "too long": lambda client: client.send('42/echo,1["echo","' + "x" * 16_384 + '"]'),
    "invalid UTF-8": lambda client: client.send_frame(TEXT, b'42/echo,1["\xff"]'),
    "reserved bits": lambda client: client.send_frame(TEXT | 0x40, b"3"),
    "unknown opcode": lambda client: client.send_frame(0x83, b"3"),
    "reserved bits of a ping": lambda client: client.send_frame(PING | 0x40, b""),
    "not masked": lambda client: client.writer.write(b"\x81\x013"),
    "long and not masked": lambda client: client.writer.write(b"\x81\x7e\x01\x00" + b" " * 256),
    "continuation of nothing": lambda client: client.send_frame(0x80, b"3"),
    "message within a fragmented one": lambda client: client.writer.write(
        client_frame(0x01, b"") + client_frame(TEXT, b"3")
    ),
    "fragmented control frame": lambda client: client.send_frame(0x09, b"x"),
    "close frame of one byte": lambda client: client.send_frame(CLOSE, b"x"),
    "close reason that is no text": lambda client: client.send_frame(CLOSE, b"\x03\xe8\xff"),
    "long control frame": lambda client: client.send_frame(PING, b"x" * 126),
    "garbage instead of a frame": lambda client: client.writer.write(b"\xff" * 100),
}


async def inside(server: Server, connect_raw: ConnectRaw) -> RawClient:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()
    return client


@pytest.mark.parametrize("attack", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_packet_closes_the_connection_at_once(
    server: Server, connect_raw: ConnectRaw, attack: Callable[[RawClient], None]
) -> None:
    client = await inside(server, connect_raw)

    attack(client)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        assert await client.tcp_end() == []

    assert server.counts.ended[CloseReason.MALFORMED] == 1
    assert server.rooms.rooms == {}


@pytest.mark.parametrize(
    ("attack", "close_code"),
    [
        ("not masked", 1002),
        ("reserved bits", 1002),
        ("reserved bits of a ping", 1002),
        ("unknown opcode", 1002),
        ("fragmented control frame", 1002),
        ("message within a fragmented one", 1002),
        ("invalid UTF-8", 1007),
        ("too long", 1009),
    ],
)
async def test_the_close_code_names_what_was_wrong_with_a_frame(
    server: Server, connect_raw: ConnectRaw, attack: str, close_code: int
) -> None:
    client = await inside(server, connect_raw)

    MALFORMED[attack](client)
    await client.tcp_end()

    assert client.close_code == close_code


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
async def test_a_close_code_that_no_client_may_send_is_a_protocol_error(
    server: Server, connect_raw: ConnectRaw, code: int
) -> None:
    client = await inside(server, connect_raw)

    client.send_frame(CLOSE, code.to_bytes(2))
    await client.tcp_end()

    assert client.close_code == 1002
    assert server.counts.ended[CloseReason.MALFORMED] == 1


@pytest.mark.parametrize("code", [None, 1000, 1001, 1003, 1007, 1014, 3000, 4999])
async def test_a_client_may_close_with_a_close_code(
    server: Server, connect_raw: ConnectRaw, code: int | None
) -> None:
    client = await inside(server, connect_raw)

    client.send_frame(CLOSE, b"" if code is None else code.to_bytes(2))
    await client.tcp_end()

    assert client.close_code == 1000
    assert server.counts.ended[CloseReason.LEFT] == 1


@pytest.mark.parametrize("attack", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_packet_leaves_one_short_line_in_the_log(
    server: Server,
    connect_raw: ConnectRaw,
    attack: Callable[[RawClient], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = await inside(server, connect_raw)

    with structlog.testing.capture_logs() as lines:
        attack(client)
        await client.tcp_end()

    assert len(lines) == 1
    assert len(str(lines[0])) < 300
    assert caplog.records == []  # neither aiohttp nor socketio has something to add


async def test_a_message_of_exactly_the_limit_is_taken(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    head, tail = '42/echo,1["echo",{"text":"', '"}]'
    filling = "x" * (16_384 - len(head) - len(tail))

    client.send(head + filling + tail)

    assert filling in await client.packet()


async def test_a_fragmented_message_over_the_limit_closes_the_connection(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)

    client.send_frame(0x01, b'42/echo,1["echo","' + b"x" * 10_000)
    client.send_frame(0x80, b"x" * 10_000)

    assert await client.tcp_end() == []


async def test_websocket_pings_are_answered(server: Server, connect_raw: ConnectRaw) -> None:
    client = await inside(server, connect_raw)

    client.send_frame(PING, b"are you there")

    assert await client.frame() == (0x0A, b"are you there")


async def test_thousands_of_unknown_namespaces_cost_nothing(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    for number in range(60):
        client.send(f'42/lobby-{number},["echo"]')
        client.send(f'40/lobby-{number},{{"token":"alice"}}')

    await client.tcp_end()

    assert server.rooms.rooms == {}
    assert server.gateway.environ == {}
    assert server.gateway.handlers == {}


async def test_a_client_that_sends_without_end_waits_in_its_own_connection(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await inside(server, connect_raw)
    client.send('42/echo,1["slow"]')
    message = b"42/echo," + b" " * 16_000 + b'["echo"]'
    sent_bytes = 0

    async def send_forever() -> None:
        nonlocal sent_bytes
        while True:
            client.send_frame(TEXT, message)
            await client.writer.drain()
            sent_bytes += len(message)

    async def stuck() -> bool:
        before = sent_bytes
        await asyncio.sleep(1)
        return 0 < before == sent_bytes

    sending = asyncio.create_task(send_forever())
    await until(stuck)  # the kernel's buffers are full, and ours stay small
    sending.cancel()

    assert sent_bytes < 64 * 1024 * 1024
    client.reset()
