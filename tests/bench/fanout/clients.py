"""All clients of a server, in this process, which does little else than receive."""

import select
import time
from functools import cache
from types import TracebackType
from typing import Final, Self

from tests.bench.fanout.connection import SILENCE_SECONDS, Connection
from tests.bench.fanout.contenders import Contender
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.fanout.work import CYCLE, Shape

ROUNDS_IN_FLIGHT: Final = 12


class FanoutClients:
    """The clients of one server, as many in each room as the shape says. They compare what comes
    with what has to come, byte by byte. Their connections are closed with the context."""

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
        """Answer the pings that have come while no round was played. Raises Unexpected if anything
        else has."""
        for descriptor, _ in self._poll.poll(0, max(1, len(self._connections))):
            self._connections[descriptor].take()

    def play(self, seconds: float) -> int:
        """Have the server play rounds for so long, with always some of them under way. Returns how
        many there were, all of which have been received.

        Raises Unexpected if anything else comes, and TimeoutError if nothing does."""
        requested = received_bytes = 0
        end_s = time.monotonic() + seconds
        while True:
            received = received_bytes // self._round_bytes
            if time.monotonic() < end_s and requested - received < ROUNDS_IN_FLIGHT:
                self._server.request(received + ROUNDS_IN_FLIGHT - requested)
                requested = received + ROUNDS_IN_FLIGHT
            if received == requested:
                return requested
            received_bytes += self._receive()

    def _receive(self) -> int:
        connections = self._connections
        return sum([connections[descriptor].take() for descriptor, _ in self._ready()])

    def _ready(self) -> list[tuple[int, int]]:
        # Without sleeping: to wake a sleeping process would be most of the server's work, and is
        # not done for clients on other machines.
        give_up_s = time.monotonic() + SILENCE_SECONDS
        while not (ready := self._poll.poll(0)):
            if time.monotonic() > give_up_s:
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
