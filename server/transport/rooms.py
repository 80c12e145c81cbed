"""Who is in which namespace, and how an event is broadcast there.

python-socketio's manager makes a task, a queue entry, an encoding and a frame per recipient, and
walks all namespaces whenever someone leaves. Here a broadcast is one frame and one write each,
and every step touches one namespace. Of its AsyncManager `set_server`, `get_namespaces` and the
place that `emit` has in it are used (tests/transport/test_stack.py).
"""

from collections.abc import Collection

import orjson

from server.transport.frames import text_frame
from server.transport.member import Member
from server.transport.packets import event_packet
from server.transport.session import Session
from server.transport.stack import socketio


class Rooms(socketio.AsyncManager):  # type: ignore[misc]  # python-socketio ships no types
    """The members of every namespace that has any."""

    def __init__(self) -> None:
        super().__init__()
        # The sessions beside their members: a broadcast looks at nothing else.
        self.rooms: dict[str, dict[Member, Session]] = {}

    def enter(self, member: Member) -> None:
        """From now on `member` gets what is broadcast to its namespace."""
        self.rooms.setdefault(member.namespace, {})[member] = member.session

    def leave(self, member: Member) -> None:
        """Undo `enter`; nothing remains of a namespace after its last member."""
        members = self.rooms[member.namespace]
        del members[member]
        if not members:
            del self.rooms[member.namespace]

    def members(self, namespace: str) -> Collection[Member]:
        """Who is in a namespace now."""
        return self.rooms.get(namespace, {}).keys()

    def broadcast(
        self, namespace: str, event: str, data_json: bytes, but: Collection[Member] = ()
    ) -> None:
        """Send one event, its data JSON already, to everyone in a namespace `but` those."""
        members = self.rooms.get(namespace)
        if members:
            frame = text_frame(event_packet(namespace, event, data_json))
            if but:
                members = {member: s for member, s in members.items() if member not in but}
            for session in members.values():
                session.write(frame)

    async def emit(self, event: str, data: object, namespace: str, **_to: object) -> None:
        """What python-socketio's `emit` to a whole namespace ends in."""
        self.broadcast(namespace, event, orjson.dumps(data))
