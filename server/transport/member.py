"""A player's connection, the player in a namespace, and the handler of a namespace."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson

from protocol.errors import Refused
from server.outside.identity import Identity
from server.transport.commands import Answer, Command
from server.transport.frames import text_frame
from server.transport.packets import event_packet
from server.transport.session import Session


class PlayerSession(Session):
    """A connection with what is known of it beyond Engine.IO: its player, its memberships by
    namespace, when its tokens expire, and whom its latest token, known by its SHA-256, vouched
    for."""

    __slots__ = ("alien_id", "expires_at_ms", "members", "vouched")

    def __init__(self, sid: str, transport: asyncio.Transport, **parts: Any) -> None:
        super().__init__(sid, transport, **parts)
        self.alien_id: str | None = None
        self.members: dict[str, Member] = {}
        self.expires_at_ms = float("inf")
        self.vouched: tuple[bytes, Identity] | None = None


class Member:
    """One connection in one namespace. Two are the same only if they are the same object."""

    __slots__ = ("alien_id", "handler", "namespace", "session", "sid")

    def __init__(
        self,
        sid: str,
        namespace: str,
        alien_id: str,
        session: PlayerSession,
        handler: "NamespaceHandler",
    ) -> None:
        self.sid = sid
        self.namespace = namespace
        self.alien_id = alien_id
        self.session = session
        self.handler = handler

    def send(self, event: str, data_json: bytes) -> None:
        """Send an event whose data is JSON already, after all that was sent before."""
        self.session.write(text_frame(event_packet(self.namespace, event, data_json)))

    def send_event(self, event: str, data: object) -> None:
        """Send an event."""
        self.send(event, orjson.dumps(data))


Welcome = Callable[[], None]


class NamespaceHandler(Protocol):
    """Answers what is asked in a namespace. The gateway has authenticated whoever comes here.

    `commands` are those of its members, by name. The commands of one connection come one at a
    time, in the order in which they were sent; the payload of one without any is {}, and of one
    with several a list, which no command takes.
    """

    commands: Mapping[str, Command[Member, Any, Answer]]

    async def admit(self, member: Member, auth: Mapping[str, Any]) -> Welcome | Refused:
        """Decide whether `member` may enter; `auth` is what it sent along.

        The `welcome` is called as soon as the member is in the room and knows it, and sends the
        first messages: what is broadcast from then on comes after them.
        """

    def left(self, member: Member) -> None:
        """The member is gone. Called exactly once for everyone who got a welcome, even if the
        connection ended before it was called."""
