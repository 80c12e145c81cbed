"""A WebSocket client that does exactly what a test has it do, and nothing else: for rude
behaviour."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
from typing import Any

TIMEOUT_SECONDS = 200.0

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{extra}\r\n"
)


def client_frame(first_byte: int, payload: bytes) -> bytes:
    """Any frame; its mask is zero, which the protocol allows."""
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", first_byte, 0x80 | length)
    elif length < 65536:
        head = struct.pack("!BBH", first_byte, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", first_byte, 0x80 | 127, length)
    return head + bytes(4) + payload


class RawClient:
    """One connection. It answers pings of Engine.IO only while it waits for a packet, and never
    a close frame."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.response_head = ""
        self.opened: dict[str, Any] = {}
        self.close_code: int | None = None
        self.pings = 0

    @classmethod
    async def connect(
        cls,
        port: int,
        headers: str = "",
        receive_buffer_bytes: int | None = None,
        body: bytes = b"",
    ) -> "RawClient":
        """Open a connection and read the open packet; `headers` are whole lines, `body` goes out
        with them."""
        sock = socket.socket()
        if receive_buffer_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            client = cls(*await asyncio.open_connection(sock=sock, limit=2**16))
        except BaseException:
            sock.close()
            raise
        try:
            await client._open(port, headers, body)
        except BaseException:
            await client.close()
            raise
        return client

    async def _open(self, port: int, headers: str, body: bytes) -> None:
        self.writer.write(
            HANDSHAKE.format(
                path="/socket.io/?EIO=4&transport=websocket",
                host=f"127.0.0.1:{port}",
                key=base64.b64encode(os.urandom(16)).decode(),
                extra=headers,
            ).encode()
            + body
        )
        async with asyncio.timeout(TIMEOUT_SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        self.response_head = head.decode()
        opened = await self.packet()
        assert opened.startswith("0")
        self.opened = json.loads(opened[1:])

    def send(self, text: str) -> None:
        """Send a text message."""
        self.send_frame(0x81, text.encode())

    def send_frame(self, first_byte: int, payload: bytes) -> None:
        """Send any frame."""
        self.writer.write(client_frame(first_byte, payload))

    async def frame(self) -> tuple[int, bytes]:
        """The next frame as opcode and payload. Raises IncompleteReadError or ConnectionError
        at the end of the TCP connection, TimeoutError when nothing comes."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            first, length = await self.reader.readexactly(2)
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(length)

    async def packet(self) -> str:
        """The next Engine.IO packet that is not a ping."""
        while True:
            opcode, payload = await self.frame()
            if opcode == 0x8:
                (self.close_code,) = struct.unpack("!H", payload[:2])
                raise ConnectionError(f"closed with {self.close_code}")
            text = payload.decode()
            if text != "2":
                return text
            self.send("3")

    async def join(self, namespace: str, token: str, **auth: object) -> str:
        """Join a namespace; the connect packet or connect error that comes back."""
        self.send(f"40{namespace}," + json.dumps({"token": token, **auth}))
        return await self.packet()

    async def command(self, namespace: str, ack_id: int, *args: object) -> Any:
        """Send an event and read its acknowledgement, which must be the next packet."""
        self.send(f"42{namespace},{ack_id}{json.dumps(args)}")
        head = f"43{namespace},{ack_id}"
        packet = await self.packet()
        assert packet.startswith(head), packet
        (answer,) = json.loads(packet.removeprefix(head))
        return answer

    async def tcp_end(self) -> list[str]:
        """The packets up to the end of the TCP connection, however it ends; but for the pings,
        which are as many as this machine is slow, and are counted in `pings`."""
        packets: list[str] = []
        try:
            while True:
                opcode, payload = await self.frame()
                if opcode == 0x8:
                    (self.close_code,) = struct.unpack("!H", payload[:2])
                elif payload == b"2":
                    self.pings += 1
                else:
                    packets.append(payload.decode())
        except (asyncio.IncompleteReadError, ConnectionError):
            return packets

    def reset(self) -> None:
        """End the TCP connection at once, with a reset."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def close(self) -> None:
        """End the TCP connection without a close frame."""
        self.writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
