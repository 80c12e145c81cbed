"""What a parent hands over to a worker: its number, its sockets, and a channel to the parent."""

import socket
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

import orjson

Message = dict[str, Any]
"""What goes over the channel: one JSON object a line, with one field, whose name is its kind.

A worker sends `ready`, `failed` (the line for the operator), `report` (its metrics) and `ask` (for
those of all); its parent `report` (it wants one), `total` (the answer), and `leave`."""

MESSAGE_BYTES: Final = 2**24


def line(message: Message) -> bytes:
    """A message as it is sent."""
    return orjson.dumps(message) + b"\n"


def message(line: bytes) -> Message:
    """A message that came."""
    read: Message = orjson.loads(line)
    return read


class Handover(NamedTuple):
    """What one worker gets: its number and file descriptors, of the `channel` to the parent and of
    its sockets."""

    number: int
    channel: int
    public: Sequence[int]
    metrics: Sequence[int]

    @property
    def descriptors(self) -> Sequence[int]:
        """All that the worker inherits."""
        return (self.channel, *self.public, *self.metrics)

    def arguments(self) -> list[str]:
        """The arguments of the worker's command line."""
        public, metrics = (",".join(map(str, of)) for of in (self.public, self.metrics))
        return [str(self.number), str(self.channel), public, metrics]

    @classmethod
    def of_arguments(cls, arguments: Sequence[str]) -> Self:
        """What `arguments` wrote."""
        number, channel, *lists = arguments
        public, metrics = ([int(fd) for fd in of.split(",") if fd] for of in lists)
        return cls(int(number), int(channel), public, metrics)


def sockets(descriptors: Sequence[int]) -> list[socket.socket]:
    """The sockets with these descriptors, which are ours from now on."""
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]
