"""The work of the comparison: which client is in which room, and what each is sent."""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from server.transport.frames import text_frame
from server.transport.packets import event_packet

EVENT: Final = "number_called"

NO_PING_SECONDS: Final = 1800
"""For so long no server pings its clients or cuts off one that is slow to join: on a slow machine
it takes minutes until thousands have joined, and while clients join, nobody answers for the others.
Pings would be no work anyway: some hundred among tens of thousands of events a second."""

CYCLE: Final = 64
"""The data repeats after so many rounds, so that clients have all frames ready beforehand."""


@dataclass(frozen=True, slots=True)
class Shape:
    """So many sockets, so many of them in each room. A room is a namespace."""

    sockets: int
    room_size: int

    @property
    def rooms(self) -> list[str]:
        """All rooms."""
        return [namespace(number) for number in range(self.sockets // self.room_size)]

    def room_of(self, socket: int) -> str:
        """The room of the socket with that number."""
        return namespace(socket // self.room_size)


def namespace(number: int) -> str:
    """A namespace that looks like a lobby's; all are of one length."""
    return f"/lobby_3500_{number:012x}"


def event_data(number: int) -> dict[str, Any]:
    """The data of a round's event. All are of one length as JSON."""
    seq = 1000 + number % CYCLE
    return {"seq": seq, "at": 1763709754123.456, "number": 17, "previous": 42, "index": 30}


def socketio_frame(room: str, number: int) -> bytes:
    """The WebSocket frame in which a Socket.IO server sends a round's event to a namespace."""
    return text_frame(event_packet(room, EVENT, orjson.dumps(event_data(number))))
