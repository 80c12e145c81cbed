"""All clients of a server, in one process that does little else than to receive."""

import select
import time
from functools import cache
from types import TracebackType
from typing import Final, Self

from tests.bench.fanout.connection import STALLED_SECONDS, Connection
from tests.bench.fanout.contenders import Contender
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.fanout.work import CYCLE, Shape

ROUNDS_IN_FLIGHT: Final = 12


class Audience:
    """They check what they get against what must come, byte by byte. They leave with the
    context."""

    def __init__(self, contender: Contender, shape: Shape, server: ServerProcess) -> None:
        self._server = server
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._round_bytes = 0
        frames = cache(lambda room: [contender.frame(room, number) for number in range(CYCLE)])
        for number in range(shape.sockets):
            room = shape.room_of(number)
            self._add(contender.join(server.port, room), frames(room))

    def _add(self, connection: Connection, frames: list[bytes]) -> None:
        connection.expect(frames)
        self._connections[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.EPOLLIN)
        self._round_bytes += len(frames[0])

    def answer_pings(self) -> None:
        """Receive what is there while nothing is sent."""
        for descriptor, _ in self._poll.poll(0, max(1, len(self._connections))):
            self._connections[descriptor].take()

    def play(self, seconds: float) -> int:
        """Keep some rounds in flight for so long; how many there were, all of them received.

        Raises Unexpected if anything else comes, and TimeoutError if nothing does."""
        asked = received_bytes = 0
        end = time.monotonic() + seconds
        while True:
            received = received_bytes // self._round_bytes
            if time.monotonic() < end and asked - received < ROUNDS_IN_FLIGHT:
                self._server.ask(received + ROUNDS_IN_FLIGHT - asked)
                asked = received + ROUNDS_IN_FLIGHT
            if received == asked:
                return asked
            received_bytes += self._receive()

    def _receive(self) -> int:
        connections = self._connections
        return sum([connections[descriptor].take() for descriptor, _ in self._ready()])

    def _ready(self) -> list[tuple[int, int]]:
        # It never sleeps: to wake a sleeping process would be most of the server's work, and is
        # nothing that a server has to do for clients on other machines.
        give_up = time.monotonic() + STALLED_SECONDS
        while not (ready := self._poll.poll(0)):
            if time.monotonic() > give_up:
                raise TimeoutError
        return ready

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for connection in self._connections.values():
            connection.socket.close()
        self._poll.close()
