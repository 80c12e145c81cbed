"""One Engine.IO connection over a WebSocket.

There is one write path: every packet is a frame that goes to the transport at once, in the order
of the program; the transport's own buffer is the client's queue. There is no task but the request
handler that reads, and no queue: pings and deadlines come from timers. It stands in the engine's
table where python-engineio keeps its AsyncSocket. What this needs of transports, that they write at
once and count only what the kernel refused, is in tests/transport/test_stack.py.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from server.transport.close_reason import CloseReason, close_code
from server.transport.counts import Counts
from server.transport.frames import close_frame, text_frame
from server.transport.limits import Credits, SocketLimits
from server.transport.ping_scheduler import PingScheduler

PONG_RECHECK_SECONDS: Final = 0.25

# Of what a client may cost, half may wait here and a quarter in the kernel. The rest is what uvloop
# adds to small frames that wait: 200 bytes each.
WAITING_SHARE: Final = 1 / 2
KERNEL_SHARE: Final = 1 / 4
LONG_FRAMES: Final = 3

MAX_REFUSED_CONNECTS: Final = 3

_PING = text_frame(b"2")


class Session:
    """A connection, from its handshake to its end.

    `pings` says whose turn it is for `ping`, and for how long. `on_end(sid, reason)` is called
    once, while the client can still be written to. `busy` says that a message of the client is
    being answered; `address` is what its limits are counted for.
    """

    __slots__ = (
        "_counts",
        "_credits",
        "_deadline",
        "_limits",
        "_longest_bytes",
        "_loop",
        "_on_end",
        "_pinged_with",
        "_refused_at_s",
        "_timer",
        "_transport",
        "_unanswered_pings",
        "address",
        "busy",
        "close_reason",
        "closed",
        "sid",
    )

    def __init__(
        self,
        sid: str,
        transport: asyncio.Transport,
        *,
        address: str,
        limits: SocketLimits,
        credits: Credits,
        counts: Counts,
        pings: PingScheduler["Session"],
        on_end: Callable[[str, CloseReason], None],
    ) -> None:
        self.sid = sid
        self.address = address
        self.close_reason: CloseReason | None = None
        self.closed = False
        self.busy = False
        self._transport = transport
        self._limits = limits
        self._counts = counts
        self._longest_bytes = 0  # of the frames that wait
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._credits = credits
        self._refused_at_s: tuple[float, ...] = ()
        self._unanswered_pings = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pinged_with = pings.add(self)
        self._bound_buffers()

    # Writing

    def write(self, frame: bytes) -> None:
        """Send a frame, after everything that was written before. To a connection that is closed
        this does nothing.

        What the kernel does not take waits, up to a share of `client_buffer_bytes`; a client for
        which more would wait is cut. Where frames themselves are long (the list of many lobbies),
        a few of the longest may wait: who asks again before the first has come is not too slow.
        """
        transport = self._transport
        if self.closed or transport.is_closing():
            return
        if transport.get_write_buffer_size():
            self._queue(frame)
        else:
            self._counts.deliveries_direct += 1
            self._longest_bytes = len(frame)
            transport.write(frame)

    def _queue(self, frame: bytes) -> None:
        waiting_bytes = self._transport.get_write_buffer_size() + len(frame)
        self._longest_bytes = max(self._longest_bytes, len(frame))
        most_bytes = self._limits.client_buffer_bytes * WAITING_SHARE
        if waiting_bytes > max(most_bytes, LONG_FRAMES * self._longest_bytes):
            self._abort(CloseReason.TOO_SLOW)
        else:
            self._counts.deliveries_queued += 1
            self._transport.write(frame)

    def _bound_buffers(self) -> None:
        limit_bytes = self._limits.client_buffer_bytes
        # Linux takes twice the size that is set (socket(7)), and up to 4 MB when none is set.
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, int(limit_bytes * KERNEL_SHARE / 2)
        )
        # Never pause aiohttp: whoever awaited its drain would wait for a reader that stalls.
        self._transport.set_write_buffer_limits(high=limit_bytes)

    # What the peer sends

    @property
    def over_limit(self) -> bool:
        """Whether the last message was refused for coming too soon."""
        return self._credits.spent

    def take_credit(self) -> bool:
        """Whether one more message is within the limit. A flood of others ends the connection."""
        now_s = self._loop.time()
        allowed = self._credits.take(now_s)
        if not allowed and self._credits.is_flood(now_s):
            self.close(CloseReason.FLOODED)
        return allowed

    def take_refusal(self) -> None:
        """A connect was refused for what the client sent. Too many soon after each other end the
        connection."""
        now_s = self._loop.time()
        window_seconds = self._limits.refusals_window_seconds
        recent = (at_s for at_s in self._refused_at_s if now_s - at_s < window_seconds)
        self._refused_at_s = (*recent, now_s)
        if len(self._refused_at_s) >= MAX_REFUSED_CONNECTS:
            self.close(CloseReason.REFUSED)

    def take_pong(self) -> None:
        """The peer is alive. Pongs that nobody asked for count as messages."""
        if self._unanswered_pings:
            self._unanswered_pings -= 1
        else:
            self.take_credit()

    # Liveness

    def ping(self) -> None:
        """Ask the peer for a sign of life, and see whether it gave the one before."""
        # While a message is being answered, the pong may wait behind it.
        if self._unanswered_pings and not self.busy:
            # Unread, maybe, in a loop that was held up: timers come before what the sockets say.
            self._timer = self._loop.call_later(PONG_RECHECK_SECONDS, self._look_for_pong)
        self._unanswered_pings += 1
        self.write(_PING)

    def _look_for_pong(self) -> None:
        if self._unanswered_pings > 1 and not self.busy:
            self._abort(CloseReason.SILENT)

    def set_deadline(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call `callback` in that time, unless the connection ends or another deadline is set."""
        if self.close_reason is not None:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, callback)

    # Closing

    def close(self, reason: CloseReason, code: int | None = None) -> None:
        """End the connection; the first `reason` counts. It leaves everything at once; the peer
        gets a close frame, with the code of the reason unless there is a better one, and
        `close_seconds` to answer, then TCP is cut."""
        if self.close_reason is not None:
            return
        self.close_reason = reason
        self._counts.ended[reason] += 1
        self._cancel_timers()
        self._timer = self._loop.call_later(self._limits.close_seconds, self._transport.abort)
        self._on_end(self.sid, reason)
        self.write(close_frame(code or close_code(reason)))
        self.closed = True

    def _abort(self, reason: CloseReason) -> None:
        # The rest follows in the next pass: a broadcast may be on its way through the room.
        self._transport.abort()
        self._loop.call_soon(self.close, reason)

    def hang_up(self) -> None:
        """Close TCP once the close frame is out. Call it when nobody reads any more."""
        self._transport.close()
        if not self._transport.get_write_buffer_size():
            self._cancel_timers()

    def _cancel_timers(self) -> None:
        self._pinged_with.discard(self)
        for timer in (self._timer, self._deadline):
            if timer is not None:
                timer.cancel()
