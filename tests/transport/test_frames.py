import asyncio

import pytest
from aiohttp import WSMsgType
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WebSocketReader

from server.transport.frames import close_frame, pong_frame, text_frame


async def read_with_aiohttp(data: bytes) -> tuple[WSMsgType, object]:
    loop = asyncio.get_running_loop()
    queue = WebSocketDataQueue(BaseProtocol(loop), 2**20, loop=loop)
    reader = WebSocketReader(queue, 2**20, compress=False, decode_text=True)
    reader.feed_data(data)
    message = await queue.read()
    return message.type, message.data


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
async def test_a_text_frame_of_any_length_reads_as_what_was_written(length: int) -> None:
    text = "é" * (length // 2) + "x" * (length % 2)

    assert await read_with_aiohttp(text_frame(text.encode())) == (WSMsgType.TEXT, text)


async def test_a_close_frame_carries_its_code() -> None:
    assert await read_with_aiohttp(close_frame(1008)) == (WSMsgType.CLOSE, 1008)


async def test_a_pong_frame_carries_the_payload_of_the_ping() -> None:
    assert await read_with_aiohttp(pong_frame(b"hello")) == (WSMsgType.PONG, b"hello")
