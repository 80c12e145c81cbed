"""What passes the guard before aiohttp's reader, and what fragments cost."""

import asyncio
import os
import struct
from typing import Any

import pytest
from aiohttp import WebSocketError
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WebSocketReader
from hypothesis import given
from hypothesis import strategies as st

from server.transport.close_reason import CloseReason
from server.transport.limits import Rate
from server.transport.websocket import FrameGuard
from tests.transport.conftest import ConnectRaw, StartServer
from tests.transport.echo_server import Server
from tests.transport.raw import client_frame

MOST_BYTES = 70_000

texts = st.text(max_size=20) | st.integers(100, 300).map("x".__mul__) | st.just("y" * 66_000)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, int]:
    """The frames of a message, with control frames between them, and how many are fragments."""
    pieces = [piece.encode() for piece in draw(st.lists(texts, min_size=1, max_size=4))]
    frames = []
    for number, piece in enumerate(pieces):
        final = 0x80 if number == len(pieces) - 1 else 0
        frames.append(client_frame(final | (0 if number else 1), piece))
        if draw(st.booleans()):
            frames.append(client_frame(draw(st.sampled_from([0x89, 0x8A])), b"p"))
    return b"".join(frames), len(pieces) - 1


@given(st.lists(messages(), min_size=1, max_size=3), st.lists(st.integers(1, 40), max_size=30))
def test_the_guard_passes_on_what_is_right_however_it_is_cut(
    sent: list[tuple[bytes, int]], sizes: list[int]
) -> None:
    data = b"".join(frames for frames, _ in sent)
    pieces, position = [], 0
    for size in sizes:
        pieces.append(data[position : position + size])
        position += size
    pieces.append(data[position:])

    guarded, fragments = asyncio.run(read(pieces, guarded=True))

    assert guarded == asyncio.run(read([data], guarded=False))[0]
    assert fragments == sum(count for _, count in sent)


async def read(pieces: list[bytes], *, guarded: bool) -> tuple[list[Any], int]:
    """What aiohttp reads, and how many fragments the guard counted."""
    fragments = 0

    def count() -> bool:
        nonlocal fragments
        fragments += 1
        return True

    loop = asyncio.get_running_loop()
    queue = WebSocketDataQueue(BaseProtocol(loop), 2**30, loop=loop)
    reader = WebSocketReader(queue, MOST_BYTES * 10, compress=False, decode_text=True)
    guard = FrameGuard(reader, queue, count) if guarded else reader
    for piece in pieces:
        assert guard.feed_data(piece) == (False, b"")
    queue.feed_eof()
    found: list[Any] = []
    while queue._buffer:
        found.append(await queue.read())
    return found, fragments


async def test_after_a_fault_nothing_is_read() -> None:
    loop = asyncio.get_running_loop()
    queue = WebSocketDataQueue(BaseProtocol(loop), 2**20, loop=loop)
    reader = WebSocketReader(queue, MOST_BYTES, compress=False, decode_text=True)
    guard = FrameGuard(reader, queue, lambda: True)

    assert guard.feed_data(b"\x81\x01x") == (True, b"")
    assert guard.feed_data(client_frame(0x81, b"x")) == (True, b"")

    assert isinstance(queue.exception(), WebSocketError)
    assert not queue._buffer


async def test_a_message_in_fragments_is_one_message(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()

    mask = os.urandom(4)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(b"4"))
    client.writer.write(struct.pack("!BB", 0x01, 0x81) + mask + masked)
    client.send_frame(0x00, b'2/echo,7["ec')
    client.send_frame(0x80, b'ho",{}]')

    assert await client.packet() == '43/echo,7[{"ok":true,"payload":{}}]'


@pytest.mark.usefixtures("long_flood")
async def test_fragments_count_as_messages(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(messages=Rate(0.001, 5))
    client = await connect_raw(server)

    client.send_frame(0x01, b"")
    for _ in range(2000):
        client.send_frame(0x00, b"")
    await client.tcp_end()

    assert client.close_code == 1008
    assert server.counts.ended[CloseReason.FLOODED] == 1


async def test_a_message_after_too_many_fragments_is_refused(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(messages=Rate(0.001, 5))
    client = await connect_raw(server)

    client.send_frame(0x01, b"4")
    for _ in range(20):
        client.send_frame(0x00, b"")
    client.send_frame(0x80, b'0/echo,{"token":"alice"}')

    assert '"code":"rate_limited"' in await client.packet()


async def test_what_comes_with_the_handshake_is_guarded_too(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server, body=b"\x81\x013")

    await client.tcp_end()

    assert client.close_code == 1002
