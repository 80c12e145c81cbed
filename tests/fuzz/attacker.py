"""Connections that send anything, end in any way, and listen."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final, Literal

from protocol.errors import ErrorCode
from tests.transport.raw import TIMEOUT_SECONDS, RawClient

PING: Final = 0x89
PONG: Final = 0x0A
CLOSE: Final = 0x08

End = Literal["reset", "half-closed"]


@asynccontextmanager
async def tcp(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A TCP connection, which is cut in the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def websocket(port: int) -> AsyncIterator[RawClient]:
    """A connection after its handshake, which is cut in the end."""
    client = await RawClient.connect(port)
    try:
        yield client
    finally:
        await client.close()


async def send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pieces: Iterable[bytes], end: End
) -> bytes:
    """Send bytes piece by piece, then nothing more: what comes back until the server closes, empty
    if the connection is to be reset. Raises TimeoutError if the server does not close."""
    with contextlib.suppress(OSError):  # the server may have ended it already
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if end == "half-closed":
            writer.write_eof()
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await reader.read()
    return b""


async def receive_all(client: RawClient) -> list[str]:
    """The packets until a ping that is sent now is answered, or until the connection ends. Raises
    TimeoutError if neither happens."""
    packets: list[str] = []
    question = b"still there?"
    client.send_frame(PING, question)
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while (frame := await client.frame()) != (PONG, question):
            opcode, payload = frame
            if opcode == CLOSE:
                break
            packets.append(payload.decode())
    return packets


def refusals(packets: Iterable[str]) -> list[ErrorCode]:
    """The codes of the refused connects and commands among these packets."""
    codes = []
    for packet in packets:
        if packet.startswith(("43", "44")):
            body = json.loads(packet[packet.index("{") : packet.rindex("}") + 1])
            error = body.get("error") or body.get("data")
            codes += [ErrorCode(error["code"])] if error else []
    return codes
