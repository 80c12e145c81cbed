"""WebSocket as a client speaks it (RFC 6455): the handshake, and frames in both directions.

By hand, because every player is a connection: what libraries take for one is in DECISIONS.md.
"""

import base64
import hashlib
import struct
from typing import Final

# The first byte of a frame: that it is the whole of its message, and its opcode.
TEXT: Final = 0x81
CLOSE: Final = 0x88
PING: Final = 0x89
_PONG: Final = 0x8A

_MASKED: Final = 0x80
# A client has to mask, so that no page in a browser writes bytes of its choice to a proxy. Here
# nobody hostile chooses the text, and a mask of zeros leaves it as it is.
_NO_MASK: Final = bytes(4)
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def handshake(host: str, path: str, key: bytes) -> bytes:
    """The request that opens a WebSocket. `host` is the `Host` header; `key` is 16 random bytes."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(key).decode()}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def status_of(head: bytes, key: bytes) -> int:
    """The HTTP status in `head`, the answer to a handshake with `key` up to its empty line. 101
    only if `Sec-WebSocket-Accept` belongs to `key`, else 502 in its place."""
    line, _, fields = head.partition(b"\r\n")
    status = int(line.split(b" ", 2)[1])
    accept = base64.b64encode(hashlib.sha1(base64.b64encode(key) + _GUID).digest())  # noqa: S324 - RFC 6455, 4.2.2
    return 502 if status == 101 and accept not in fields else status


def text_frame(payload: bytes) -> bytes:
    """A text message of a client; `payload` is UTF-8, and shorter than 64 KiB."""
    return _frame(TEXT, payload)


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping frame with this payload."""
    return _frame(_PONG, payload)


def close_frame() -> bytes:
    """A client's close frame: a normal closure."""
    return _frame(CLOSE, struct.pack("!H", 1000))


def split_frames(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The complete frames at the beginning of what a server sent, each as its first byte and its
    payload, and the rest, with which the data of the next call has to begin."""
    frames: list[tuple[int, bytes]] = []
    position, end = 0, len(data)
    while end - position >= 2:
        start, length = position + 2, data[position + 1]
        if length >= 126:
            size_bytes = 2 if length == 126 else 8
            start += size_bytes
            if end < start:
                break
            length = int.from_bytes(data[start - size_bytes : start], "big")
        if end < start + length:
            break
        frames.append((data[position], data[start : start + length]))
        position = start + length
    return frames, data[position:]


def _frame(first_byte: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", first_byte, _MASKED | length)
    else:
        head = struct.pack("!BBH", first_byte, _MASKED | 126, length)
    return head + _NO_MASK + payload
