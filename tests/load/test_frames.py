"""The load tool's own WebSocket."""

import asyncio
import os
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from server.load.frames import CLOSE, PING, TEXT, handshake, split_frames, status_of, text_frame
from server.transport.frames import close_frame as server_close_frame
from server.transport.frames import text_frame as server_text_frame
from tests.support.http import serve_app

LENGTHS = [0, 1, 125, 126, 65_535, 65_536]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_of_the_server_is_read_whatever_its_length(length: int) -> None:
    frame = server_text_frame(b"x" * length)

    assert split_frames(frame + b"\x81") == ([(TEXT, b"x" * length)], b"\x81")


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_that_is_not_whole_is_left_for_later(length: int) -> None:
    frame = server_text_frame(b"x" * length)
    cuts = {*range(min(12, len(frame))), len(frame) - 1}

    assert all(split_frames(frame[:cut]) == ([], frame[:cut]) for cut in cuts)


def test_frames_that_arrive_together_are_read_in_order() -> None:
    data = server_text_frame(b"one") + b"\x89\x02hi" + server_close_frame(1001)

    frames, rest = split_frames(data)

    assert frames == [(TEXT, b"one"), (PING, b"hi"), (CLOSE, b"\x03\xe9")]
    assert rest == b""


@pytest.mark.parametrize("length", [0, 125, 126, 65_535])
async def test_another_websocket_library_understands_the_client(length: int) -> None:
    app = web.Application()
    app.router.add_get("/", _echo)
    async with serve_app(app) as url:
        port = urlsplit(url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        key = os.urandom(16)
        writer.write(handshake(f"127.0.0.1:{port}", "/", key))
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(text_frame(b"x" * length))
        echoed = await reader.readexactly(len(server_text_frame(b"x" * length)))
        writer.close()

    assert status_of(head, key) == 101
    assert echoed == server_text_frame(b"x" * length)


def test_an_answer_to_another_handshake_is_no_success() -> None:
    head = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: abc"

    assert status_of(head, os.urandom(16)) == 502


async def _echo(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    await ws.send_str((await ws.receive()).data)
    await ws.close()
    return ws
