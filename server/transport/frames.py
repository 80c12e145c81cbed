"""WebSocket frames as a server writes them: unmasked and in one piece (RFC 6455, 5.2).

One frame is built per message, however many clients get it.
"""

import struct
from typing import Final

_FINAL_TEXT: Final = 0x81
_FINAL_CLOSE: Final = 0x88
_FINAL_PONG: Final = 0x8A

# Most messages of a game are shorter than 126 bytes: their two head bytes are made once.
_SHORT_TEXT_HEADS: Final = tuple(bytes((_FINAL_TEXT, length)) for length in range(126))


def text_frame(payload: bytes) -> bytes:
    """A text message; `payload` is UTF-8."""
    length = len(payload)
    if length < 126:
        return _SHORT_TEXT_HEADS[length] + payload
    if length < 65536:
        return struct.pack("!BBH", _FINAL_TEXT, 126, length) + payload
    return struct.pack("!BBQ", _FINAL_TEXT, 127, length) + payload


def close_frame(code: int) -> bytes:
    """The end of the conversation, with a close code of RFC 6455, 7.4."""
    return struct.pack("!BBH", _FINAL_CLOSE, 2, code)


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping frame; `payload` is the ping's, at most 125 bytes."""
    return bytes((_FINAL_PONG, len(payload))) + payload
