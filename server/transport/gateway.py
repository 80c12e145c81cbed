"""Socket.IO: who joins which namespace, and which command goes to which handler.

python-socketio calls handlers by the names that clients send, makes up namespaces and keeps what
binary packets announce; so the three hooks that it registers on its Engine.IO server
(`_handle_eio_connect`, `_handle_eio_message`, `_handle_eio_disconnect`) are ours, and so is the
server that `_engineio_server_class` names. tests/transport/test_stack.py holds the library to it.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import structlog

from protocol.errors import ERRORS, ErrorCode, Refused, error_answer
from protocol.to_client import Announcement
from server.outside.identity import Identity
from server.transport.close_notification import notify_close
from server.transport.close_reason import CloseReason
from server.transport.commands import Answer
from server.transport.concurrency import ConcurrencyLimiter
from server.transport.counts import Counts
from server.transport.draining import drain, leave
from server.transport.engine import Engine
from server.transport.failures import guarded
from server.transport.frames import text_frame
from server.transport.limits import SocketLimits
from server.transport.member import Member, NamespaceHandler, PlayerSession, Welcome
from server.transport.packets import (
    Connect,
    Disconnect,
    Event,
    ack_packet,
    connect_error_packet,
    connect_packet,
    disconnect_packet,
    parse_packet,
)
from server.transport.player_sockets import PlayerSockets
from server.transport.rooms import Rooms
from server.transport.stack import socketio
from server.transport.tokens import Tokens

MAX_NAMESPACES: Final = 8
ANNOUNCEMENT: Final = "announcement"

log = structlog.get_logger()


class Gateway(socketio.AsyncServer):  # type: ignore[misc]  # python-socketio ships no types
    """The way from a client's packets to the handlers, and back.

    `handlers` has the handler of a namespace (None: there is no such lobby); `tokens` knows the
    player; connects and commands wait for their turn at `limiter`. `standing`:
    the announcements that whoever joins is sent. Of python-socketio's server
    `attach` and `emit` to a whole namespace remain.
    """

    eio: Engine
    manager: Rooms

    def __init__(
        self,
        *,
        handlers: Callable[[str], NamespaceHandler | None],
        tokens: Tokens,
        limits: SocketLimits,
        rooms: Rooms,
        counts: Counts,
        limiter: ConcurrencyLimiter,
        standing: Callable[[], Iterable[Announcement]] = tuple,
    ) -> None:
        self._handlers = handlers
        self._tokens = tokens
        self._limits = limits
        self._counts = counts
        self._limiter = limiter
        self._standing = standing
        self._player_sockets = PlayerSockets(limits.sockets_per_player)
        super().__init__(
            client_manager=rooms,
            async_mode="aiohttp",
            monitor_clients=False,
            # Given a logger, the two libraries do not configure one of their own.
            logger=logging.getLogger("socketio"),
            engineio_logger=logging.getLogger("engineio"),
            limits=limits,
            counts=counts,
        )

    async def drain(self, seconds: float) -> None:
        """Let nobody in any more and send everyone away, evenly spread over `seconds`. Returns
        when all are gone."""
        await drain(self.eio, seconds)

    async def leave(self, seconds: float) -> None:
        """Send everyone away, evenly spread over `seconds`, while others serve in our place: who
        still comes is let in, and who waits for an answer gets it. Returns when all are gone."""
        await leave(self.eio, seconds, self._limits.connect_timeout_seconds)

    def announce(self, announcement: Announcement) -> None:
        """Send it to everybody, in every namespace that they are in."""
        data_json = announcement.model_dump_json().encode()
        for namespace in list(self.manager.rooms):
            self.manager.broadcast(namespace, ANNOUNCEMENT, data_json)

    def dismiss(self, namespace: str) -> None:
        """Send everyone away from a namespace. Their connections remain."""
        for member in list(self.manager.members(namespace)):
            member.session.write(text_frame(disconnect_packet(namespace)))
            self._leave(member)

    # The hooks of the Engine.IO server

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    def _handle_eio_connect(self, eio_sid: str, _environ: object) -> None:
        session = self.eio.sockets[eio_sid]
        session.set_deadline(
            self._limits.connect_timeout_seconds, partial(session.close, CloseReason.NEVER_JOINED)
        )

    async def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        session = self.eio.sockets[eio_sid]
        packet = parse_packet(data)
        allowed = session.take_credit()
        member = session.members.get(packet.namespace)
        match packet:
            case Connect() if member is None:
                await self._connect(session, packet, allowed)
            case Event() if member is not None:
                await self._event(member, packet, allowed)
            case Disconnect() if member is not None:
                self._leave(member)

    def _handle_eio_disconnect(self, eio_sid: str, reason: CloseReason) -> None:
        session = self.eio.sockets[eio_sid]
        self._player_sockets.give_back(session)
        for member in list(session.members.values()):
            notify_close(member, reason)
            self._leave(member)

    # Joining and leaving

    async def _connect(self, session: PlayerSession, packet: Connect, allowed: bool) -> None:
        outcome = await guarded(
            self._admit_in_turn(session, packet, allowed),
            self._counts,
            packet.auth,
            namespace=ascii(packet.namespace[:80]),
        )
        if isinstance(outcome, Refused):
            self._refuse_connect(session, packet.namespace, outcome)
        else:
            self._join(*outcome)
        if session.alien_id is None:  # it has not become this player's
            self._player_sockets.give_back(session)

    async def _admit_in_turn(
        self, session: PlayerSession, packet: Connect, allowed: bool
    ) -> tuple[Member, Identity, Welcome] | Refused:
        if not allowed:
            return Refused(ErrorCode.RATE_LIMITED)
        if self.eio.draining:
            return Refused(ErrorCode.DRAINING)
        # Before it is their turn: this may wait for the issuer, and nobody else shall.
        identity = await self._tokens.identify(session, packet.auth)
        if isinstance(identity, Refused):
            return identity
        async with self._limiter.turn(identity.alien_id):
            return await self._admit(session, packet, identity)

    async def _admit(
        self, session: PlayerSession, packet: Connect, identity: Identity
    ) -> tuple[Member, Identity, Welcome] | Refused:
        handler = self._handlers(packet.namespace)
        if handler is None:
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        if len(session.members) >= MAX_NAMESPACES:
            return Refused(ErrorCode.RATE_LIMITED)
        if not self._player_sockets.take(session, identity.alien_id):
            return Refused(ErrorCode.RATE_LIMITED)
        sid = self.eio.generate_id()
        member = Member(sid, packet.namespace, identity.alien_id, session, handler)
        welcome = await handler.admit(member, packet.auth)
        return welcome if isinstance(welcome, Refused) else (member, identity, welcome)

    def _join(self, member: Member, identity: Identity, welcome: Welcome) -> None:
        session = member.session
        if session.close_reason is not None:  # while it was waiting to be admitted
            self._notify_handler(member)
            return
        session.members[member.namespace] = member
        self.manager.enter(member)
        session.write(text_frame(connect_packet(member.namespace, member.sid)))
        welcome()
        for announcement in self._standing():
            member.send(ANNOUNCEMENT, announcement.model_dump_json().encode())
        self._tokens.accept(session, identity)

    def _refuse_connect(self, session: PlayerSession, namespace: str, refused: Refused) -> None:
        self._counts.refused[refused.code] += 1
        session.write(text_frame(connect_error_packet(namespace, refused)))
        if not ERRORS[refused.code].retry:
            session.take_refusal()

    def _leave(self, member: Member) -> None:
        del member.session.members[member.namespace]
        self.manager.leave(member)
        self._notify_handler(member)

    def _notify_handler(self, member: Member) -> None:
        try:
            member.handler.left(member)
        except Exception:
            self._counts.failures += 1
            log.exception("unexpected_error", namespace=member.namespace, sid=member.session.sid)

    # Commands

    async def _event(self, member: Member, event: Event, allowed: bool) -> None:
        answer: Answer | Refused = await guarded(
            self._answer(member, event, allowed),
            self._counts,
            _payload(event),
            namespace=member.namespace,
            alien_id=member.alien_id,
            command=ascii(event.name[:40]),
        )
        if isinstance(answer, Refused):
            self._counts.refused[answer.code] += 1
            answer = error_answer(answer)
        if event.ack_id is not None:
            member.session.write(text_frame(ack_packet(member.namespace, event.ack_id, answer)))

    async def _answer(self, member: Member, event: Event, allowed: bool) -> Answer | Refused:
        if not allowed:
            return Refused(ErrorCode.RATE_LIMITED)
        if not event.is_text:
            return Refused(ErrorCode.INVALID_MESSAGE)
        command = member.handler.commands.get(event.name)
        if command is None:
            return Refused(ErrorCode.UNKNOWN_COMMAND)
        return await command.carry_out(member, _payload(event), self._limiter)


def _payload(event: Event) -> Any:
    return event.args[0] if len(event.args) == 1 else event.args or {}
