"""One participant's connection: Engine.IO 4 over a WebSocket, without the buffers of a library.

It has no task and no queue: what arrives is handled in the callback of asyncio that brings it.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Final, cast

from server.load import frames
from server.load.failures import Disconnected, RequestRefused
from server.load.http import code_of
from server.load.meter import Meter

_PATH: Final = "/socket.io/?EIO=4&transport=websocket"

_SWITCHING_PROTOCOLS: Final = 101
# Types of packets (Engine.IO protocol 4).
_OPEN: Final = b"0"
_PING: Final = b"2"
_MESSAGE: Final = b"4"
_PONG: Final = frames.text_frame(b"3")


class ClientWebSocket(asyncio.Protocol):
    """A connection to the server whose `Host` is `netloc`.

    `opening` is done when Engine.IO is ready; it may raise RequestRefused or Disconnected. From
    then on `on_message` gets each Socket.IO packet. `on_end` is called when the connection has
    ended.
    """

    __slots__ = (
        "_buffer",
        "_is_closed_here",
        "_is_upgraded",
        "_key",
        "_meter",
        "_netloc",
        "_transport",
        "on_end",
        "on_message",
        "opening",
    )

    def __init__(self, netloc: str, meter: Meter) -> None:
        self.opening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_message: Callable[[bytes], None] = lambda _: None
        self.on_end: Callable[[], None] = lambda: None
        self._netloc = netloc
        self._meter = meter
        self._key = os.urandom(16)
        self._buffer = b""
        self._is_upgraded = False
        self._is_closed_here = False

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, or is about to."""
        return self._transport.is_closing()

    def send(self, packet: bytes) -> None:
        """Send a Socket.IO packet, unless the connection has ended."""
        self._write(frames.text_frame(_MESSAGE + packet))

    def close(self) -> None:
        """Send a close frame, and close when all is sent."""
        self._is_closed_here = True
        self._write(frames.close_frame())
        self._transport.close()

    def drop(self) -> None:
        """Cut the connection without a closing handshake, as a lost network does."""
        self._is_closed_here = True
        self._transport.abort()

    # Callbacks of asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._meter.sockets += 1
        self._write(frames.handshake(self._netloc, _PATH, self._key))

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data if self._buffer else data
        if not self._is_upgraded:
            data = self._read_head(data)
        if self._is_upgraded:
            whole, data = frames.split_frames(data)
            for first_byte, payload in whole:
                self._take_frame(first_byte, payload)
        self._buffer = data

    def connection_lost(self, exc: Exception | None) -> None:
        self._meter.sockets -= 1
        if not self._is_closed_here:
            self._meter.error("connection_lost")
        if not self.opening.done():
            self.opening.set_exception(Disconnected())
        self.on_end()

    def _read_head(self, data: bytes) -> bytes:
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            return data
        status = frames.status_of(head, self._key)
        if status == _SWITCHING_PROTOCOLS:
            self._is_upgraded = True
        else:
            self._refuse(code_of(rest) or f"http_{status}")
        return rest

    def _refuse(self, code: str) -> None:
        if not self.opening.done():
            self.opening.set_exception(RequestRefused(code))
        self.drop()

    def _take_frame(self, first_byte: int, payload: bytes) -> None:
        match first_byte:
            case frames.TEXT:
                self._take_packet(payload)
            case frames.PING:
                self._write(frames.pong_frame(payload))
            case frames.CLOSE:
                self._transport.close()
            case _:
                self._meter.error("unknown_frame")
                self.drop()

    def _take_packet(self, payload: bytes) -> None:
        kind = payload[:1]
        if kind == _MESSAGE:
            self.on_message(payload[1:])
        elif kind == _PING:
            self._write(_PONG)
        elif kind == _OPEN and not self.opening.done():
            self.opening.set_result(None)

    def _write(self, frame: bytes) -> None:
        if not self._transport.is_closing():  # uvloop raises where asyncio only warns
            self._transport.write(frame)
