"""Requests as bytes, whether they are any or not."""

import asyncio

from tests.support.wait import TIMEOUT_SECONDS

HOST = b"Host: localhost\r\n"
BIG = b"x" * 1_000_000


async def answer_to(port: int, data: bytes) -> bytes:
    """All that the server says until it closes the connection, which is no reset."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await reader.read()
    finally:
        writer.transport.abort()
