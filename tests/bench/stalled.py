"""Whether clients that do not read hold up the others: `python -m tests.bench.stalled [SECONDS]`.

A thousand clients in rooms of ten, of which one in each room reads nothing, or everyone reads; a
hundred rounds a second, so that the server is busy but not more. What is taken is the time from
the order to play a round to the arrival of its event, at the nine in each room who read in any
case. A line is added to tests/bench/results.jsonl.
"""

import contextlib
import os
import select
import socket
import sys
import time
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import Any, Final

from tests.bench.fanout.connection import Connection
from tests.bench.fanout.contenders import OURS, join_socketio
from tests.bench.fanout.results import append_line
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.fanout.work import CYCLE, Shape, socketio_frame

SHAPE: Final = Shape(sockets=1000, room_size=10)
ROUND_SECONDS: Final = 0.01
TURNS: Final = 2
PONG_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class EventLateness:
    """Of all events to clients that read, in milliseconds; and how many clients were cut."""

    p50_ms: float
    p99_ms: float
    cut: int


class Clients:
    """All clients. The first of each room reads nothing if `stalls`; else it reads, but its times
    are not taken either."""

    def __init__(self, port: int, shape: Shape, stack: ExitStack, *, stalls: bool) -> None:
        self.stalled: list[Connection] = []
        self.late_seconds = array("d")
        self._poll = select.epoll()
        self._readers: dict[int, tuple[Connection, bool]] = {}
        self._received_bytes: dict[int, int] = {}
        self._asked_at: list[float] = []
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

    def order(self, server: ServerProcess) -> None:
        """Have a round played."""
        self._asked_at.append(time.monotonic())
        server.ask(1)

    def receive(self, until: float) -> None:
        """Take what comes up to that time."""
        while (now := time.monotonic()) < until:
            for descriptor, _ in self._poll.poll(until - now):
                self._take(descriptor)

    def _take(self, descriptor: int) -> None:
        connection, counts = self._readers[descriptor]
        before = self._received_bytes[descriptor] // self._frame_bytes
        self._received_bytes[descriptor] += connection.take()
        after = self._received_bytes[descriptor] // self._frame_bytes
        if counts:
            now = time.monotonic()
            self.late_seconds.extend(now - self._asked_at[n] for n in range(before, after))

    def send_pongs(self) -> None:
        """Those who do not read are alive all the same."""
        for connection in self.stalled:
            with contextlib.suppress(ConnectionError):
                connection.send(b"3")

    def count_cut(self) -> int:
        """How many of those who did not read find the end of their connection when they do."""
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
    """Play for so long."""
    with ServerProcess(OURS.command, server_core) as server, ExitStack() as stack:
        clients = Clients(server.port, shape, stack, stalls=stalls)
        start = time.monotonic()
        next_pongs = start
        for number in range(int(seconds / ROUND_SECONDS)):
            clients.receive(until=start + number * ROUND_SECONDS)
            clients.order(server)
            if time.monotonic() > next_pongs:
                clients.send_pongs()
                next_pongs += PONG_SECONDS
        clients.receive(until=time.monotonic() + 1.0)
        percent = quantiles(clients.late_seconds, n=100)
        return EventLateness(
            round(percent[49] * 1000, 2), round(percent[98] * 1000, 2), cut=clients.count_cut()
        )


def main(arguments: Sequence[str]) -> None:
    """Compare, in turns."""
    seconds = float(arguments[0]) if arguments else 30.0
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    turns: list[dict[str, Any]] = []
    for _ in range(TURNS):
        for stalls in (False, True):
            late = measure(SHAPE, seconds, cores[0], stalls=stalls)
            turns.append({"stalled": stalls, **asdict(late)})
            sys.stdout.write(f"{'one in ten stalls' if stalls else 'everyone reads'}: {late}\n")
            sys.stdout.flush()
    append_line("stalled", {"sockets": SHAPE.sockets, "seconds": seconds, "turns": turns})


if __name__ == "__main__":
    main(sys.argv[1:])
