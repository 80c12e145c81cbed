"""The lingering close (RFC 9112, 9.6): a peer that is still sending gets our last bytes all the
same.

Whoever closes TCP with input unread, or gets more after closing, answers with a reset; and at a
reset many a client forgets what it had received but not read, or fails at its own next write
without looking. So we close our side only, and throw away what still comes until the peer is done
as well; not for ever, and not any amount.
"""

import asyncio
from typing import Final, cast

LINGER_SECONDS: Final = 5.0
MOST_BYTES: Final = 64 * 1024 * 1024


async def linger(transport: asyncio.Transport, seconds: float, most_bytes: int) -> None:
    """Finish writing, close our side, and return when it has hung up, or at one of
    the limits. The transport still has to be closed; the protocol that it had before gets its end
    and nothing else."""
    if transport.is_closing() or not transport.can_write_eof():
        return
    before = cast(asyncio.Protocol, transport.get_protocol())
    discard = _Discard(before, most_bytes)
    transport.set_protocol(discard)
    try:
        transport.write_eof()
        transport.resume_reading()
        async with asyncio.timeout(seconds):
            await discard.enough.wait()
    except (TimeoutError, ConnectionError):
        pass
    finally:
        if not discard.lost:  # a transport that has ended has let go of its protocol
            transport.set_protocol(before)


class _Discard(asyncio.Protocol):
    """Stands in for the protocol that was there `before`, which gets every call but data."""

    def __init__(self, before: asyncio.Protocol, most_bytes: int) -> None:
        self.enough = asyncio.Event()
        self.lost = False
        self._before = before
        self._left_bytes = most_bytes

    def data_received(self, data: bytes) -> None:
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self.enough.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.enough.set()
        self._before.connection_lost(exc)

    def pause_writing(self) -> None:
        self._before.pause_writing()

    def resume_writing(self) -> None:
        self._before.resume_writing()
