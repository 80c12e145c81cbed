"""Whether clients that do not read delay the others: `python -m tests.bench.stalled [SECONDS]`.

A thousand clients in rooms of ten, of which one in each room reads nothing, or all read; a hundred
rounds a second, so that the server is busy and not overloaded. Measured is the time from the
request of a round to the receipt of its event, by the nine in each room who read in any case. Each
of four turns lasts SECONDS, 30 if not given. A line is added to tests/bench/results.jsonl.
"""

import contextlib
import select
import socket
import sys
import time
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.bench.fanout.connection import Connection
from tests.bench.fanout.contenders import OURS, join_socketio
from tests.bench.fanout.results import append_line
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.fanout.work import CYCLE, Shape, socketio_frame
from tests.bench.support.cores import OTHER_CORE, SERVER_CORE, move_to
from tests.bench.support.percentiles import p50_p99

SHAPE: Final = Shape(sockets=1000, room_size=10)
ROUND_SECONDS: Final = 0.01
TURNS: Final = 2
PONG_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class EventLateness:
    """How late clients that read received events, in milliseconds; and how many clients that did
    not read were cut off."""

    p50_ms: float
    p99_ms: float
    cut: int


class TimedClients:
    """All clients of the server at `port`. The first of each room reads nothing if `stalls`; else
    it reads, and is not timed either. Their connections are closed with the stack."""

    def __init__(self, port: int, shape: Shape, stack: ExitStack, *, stalls: bool) -> None:
        self.stalled: list[Connection] = []
        self.late_seconds = array("d")
        self._poll = select.epoll()
        self._readers: dict[int, tuple[Connection, bool]] = {}
        self._received_bytes: dict[int, int] = {}
        self._requested_s: list[float] = []
        frames = [[socketio_frame(room, n) for n in range(CYCLE)] for room in shape.rooms]
        self._frame_bytes = len(frames[0][0])
        for number in range(shape.sockets):
            connection = join_socketio(port, shape.room_of(number))
            stack.callback(connection.socket.close)
            first = number % shape.room_size == 0
            if first and stalls:
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                self.stalled.append(connection)
            else:
                connection.expect(frames[number // shape.room_size])
                self._readers[connection.socket.fileno()] = (connection, not first)
                self._received_bytes[connection.socket.fileno()] = 0
                self._poll.register(connection.socket, select.EPOLLIN)

    def request_round(self, server: ServerProcess) -> None:
        """Have a round played."""
        self._requested_s.append(time.monotonic())
        server.request(1)

    def receive(self, until_s: float) -> None:
        """Receive what comes up to that time of the monotonic clock."""
        while (now_s := time.monotonic()) < until_s:
            for descriptor, _ in self._poll.poll(until_s - now_s):
                self._take(descriptor)

    def _take(self, descriptor: int) -> None:
        connection, is_timed = self._readers[descriptor]
        before = self._received_bytes[descriptor] // self._frame_bytes
        self._received_bytes[descriptor] += connection.take()
        after = self._received_bytes[descriptor] // self._frame_bytes
        if is_timed:
            now_s = time.monotonic()
            self.late_seconds.extend(now_s - self._requested_s[n] for n in range(before, after))

    def send_pongs(self) -> None:
        """Have those who do not read answer pings all the same."""
        for connection in self.stalled:
            with contextlib.suppress(ConnectionError):
                connection.send(b"3")

    def count_cut(self) -> int:
        """How many of those who did not read were cut off, as they find when they read now."""
        return sum(_has_ended(connection.socket) for connection in self.stalled)


def _has_ended(sock: socket.socket) -> bool:
    sock.settimeout(0.2)
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def measure(
    shape: Shape, seconds: float, server_core: int | None, *, stalls: bool
) -> EventLateness:
    """Play rounds for so long, with the server on that core; None: on any. With `stalls` one client
    of each room does not read."""
    with ServerProcess(OURS.command, server_core) as server, ExitStack() as stack:
        clients = TimedClients(server.port, shape, stack, stalls=stalls)
        begun_s = time.monotonic()
        next_pongs_s = begun_s
        for number in range(int(seconds / ROUND_SECONDS)):
            clients.receive(until_s=begun_s + number * ROUND_SECONDS)
            clients.request_round(server)
            if time.monotonic() > next_pongs_s:
                clients.send_pongs()
                next_pongs_s += PONG_SECONDS
        clients.receive(until_s=time.monotonic() + 1.0)
        while len(clients.late_seconds) < 2:  # a machine with other work has not come to them
            clients.receive(until_s=time.monotonic() + 1.0)
        p50_seconds, p99_seconds = p50_p99(clients.late_seconds)
        return EventLateness(
            round(p50_seconds * 1000, 2), round(p99_seconds * 1000, 2), cut=clients.count_cut()
        )


def main(arguments: Sequence[str]) -> None:
    """Measure in turns, without and with clients that do not read, and add a line to the
    results."""
    seconds = float(arguments[0]) if arguments else 30.0
    move_to(OTHER_CORE)
    turns: list[dict[str, Any]] = []
    for _ in range(TURNS):
        for stalls in (False, True):
            late = measure(SHAPE, seconds, SERVER_CORE, stalls=stalls)
            turns.append({"stalled": stalls, **asdict(late)})
            sys.stdout.write(f"{'one in ten stalls' if stalls else 'everyone reads'}: {late}\n")
            sys.stdout.flush()
    append_line("stalled", {"sockets": SHAPE.sockets, "seconds": seconds, "turns": turns})


if __name__ == "__main__":
    main(sys.argv[1:])
