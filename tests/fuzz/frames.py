"""What may stand in the bytes of a WebSocket connection: frames, and what is none."""

import struct
from typing import Final

from hypothesis import strategies as st

TEXT: Final = 0x81


def frame(first_byte: int, payload: bytes, length: int, mask: bytes | None) -> bytes:
    """A frame that says that it is `length` bytes long and masked with `mask`, if any."""
    masked = 0x80 if mask is not None else 0
    if length < 126:
        head = struct.pack("!BB", first_byte, masked | length)
    elif length < 2**16:
        head = struct.pack("!BBH", first_byte, masked | 126, length)
    else:
        head = struct.pack("!BBQ", first_byte, masked | 127, length)
    return head + (mask or b"") + _xor(payload, mask or b"\0")


def text_frame(payload: bytes) -> bytes:
    """A frame as a stock client sends it."""
    return frame(TEXT, payload, len(payload), bytes(4))


def _xor(payload: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(payload))


payloads = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([b"", b"2", b"2probe", b"3", b"1", b"40/lobbies,{}", b"\xff\xfe", b"\x03\xe8"]),
    st.builds(lambda byte, count: byte * count, st.sampled_from([b"4", b"["]), st.just(20_000)),
)
masks = st.none() | st.binary(min_size=4, max_size=4)

honest_frames = st.builds(
    lambda first_byte, payload, mask: frame(first_byte, payload, len(payload), mask),
    st.integers(0, 0xFF),
    payloads,
    masks,
)
lying_frames = st.builds(
    frame, st.integers(0, 0xFF), payloads, st.integers(0, 2**63 - 1) | st.integers(0, 300), masks
)
streams = st.lists(st.one_of(st.binary(max_size=100), honest_frames, lying_frames), max_size=8)
"""Pieces of a connection, each sent on its own."""
