"""The client's side of one WebSocket, with as little work as a client can have."""

import os
import socket
import struct
from base64 import b64encode
from typing import Final

SILENCE_SECONDS: Final = 300
"""If nothing comes for so long, something is broken: no machine is that slow."""
PING: Final = b"\x81\x012"
_MASKED_PONG: Final = b"\x81\x81\x00\x00\x00\x003"


class Unexpected(Exception):
    """A server sent something else than it has to."""


class Connection:
    """A WebSocket to that port of this machine, upgraded at the path. Until `expect` says which
    frames come from then on, its methods block; `take` does not."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_SECONDS)
        self._unread = b""
        self._cycle = b""
        self._cycle_bytes = 0
        self._frame_bytes = 0
        self._position = 0
        self._upgrade(path)

    def _upgrade(self, path: str) -> None:
        key = b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._unread:
            self._read()
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise Unexpected(head)

    def send(self, payload: bytes, first_byte: int = 0x81) -> None:
        """Send a frame; its mask is zero, which the protocol allows. Raises ValueError if the
        payload is longer than 125 bytes."""
        if len(payload) > 125:
            raise ValueError("not a short frame")
        self.socket.sendall(bytes((first_byte, 0x80 | len(payload), 0, 0, 0, 0)) + payload)

    def message(self) -> bytes:
        """The payload of the next frame, which has to be shorter than 64 kB."""
        while len(self._unread) < 4:
            self._read()
        start, length = 2, self._unread[1]
        if length == 126:
            start, (length,) = 4, struct.unpack_from("!H", self._unread, 2)
        while len(self._unread) < start + length:
            self._read()
        payload = self._unread[start : start + length]
        self._unread = self._unread[start + length :]
        return payload

    def _read(self) -> None:
        received = self.socket.recv(65536)
        if not received:
            raise Unexpected("the end of the connection")
        self._unread += received

    def expect(self, frames: list[bytes]) -> None:
        """From now on exactly these frames come, all of one length, over and over. Raises
        Unexpected if something has come already."""
        if self._unread:
            raise Unexpected(self._unread)
        self._frame_bytes = len(frames[0])
        self._cycle_bytes = self._frame_bytes * len(frames)
        self._cycle = b"".join(frames) * 2  # what is received at once is one piece of it
        self.socket.setblocking(False)

    def take(self) -> int:
        """Receive what has come. Returns how many bytes of the expected frames that is, without
        pings, which are answered. Raises Unexpected if anything else came."""
        received = self.socket.recv(self._cycle_bytes // 2)
        if not received:
            raise Unexpected("the end of the connection")
        if not self._unread and self._cycle.startswith(received, self._position):
            self._position = (self._position + len(received)) % self._cycle_bytes
            return len(received)
        return self._take_with_pings(received)

    def _take_with_pings(self, received: bytes) -> int:
        received = self._unread + received
        taken = 0
        while received:
            within = self._position % self._frame_bytes
            if within == 0 and received.startswith(PING[: len(received)]):
                if len(received) < len(PING):
                    break
                received = received[len(PING) :]
                self.socket.sendall(_MASKED_PONG)
                continue
            piece = received[: self._frame_bytes - within]
            if not self._cycle.startswith(piece, self._position):
                raise Unexpected(piece)
            received = received[len(piece) :]
            taken += len(piece)
            self._position = (self._position + len(piece)) % self._cycle_bytes
        self._unread = received
        return taken
