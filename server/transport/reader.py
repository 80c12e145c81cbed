"""What a client may send over its connection, frame by frame and packet by packet."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web

from server.transport.close_reason import CloseReason
from server.transport.frames import pong_frame
from server.transport.packets import MalformedPacket
from server.transport.session import Session

OnMessage = Callable[[str, str], Awaitable[None]]

OVER_LIMIT_SECONDS: Final = 0.01
"""How long a client waits after a message that was over its limit: so a flood costs others no more
than a hundred messages a second, and comes to its end within two seconds."""

_PONG: Final = "3"
_NO_CODE: Final = 0  # as aiohttp has it
_CLOSE_CODES: Final = frozenset(
    (_NO_CODE, *range(1000, 1004), *range(1007, 1015), *range(3000, 5000))
)
"""RFC 6455, 7.4: those that are registered and may be sent, and those of libraries and clients."""
_LAST: Final = (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR)

log = structlog.get_logger()


async def read(session: Session, ws: web.WebSocketResponse, on_message: OnMessage) -> None:
    """Read until the connection ends; `on_message(sid, text)` is awaited for one message after
    the other, so a client that sends more than it may waits in its own TCP connection; and a
    message is all that it gets done before it is everyone else's turn.

    MalformedPacket from it ends the connection; anything else that it raises is passed on.
    """
    try:
        while await _take(session, message := await ws.receive(), on_message):
            # A pong is soon dealt with, and they are half of all messages.
            if message.data != _PONG or session.over_limit:
                await _let_others(session)
    except MalformedPacket as error:
        log.info("malformed_packet", reason=str(error))
        session.close(CloseReason.MALFORMED, _code_of(message.data))


async def _take(session: Session, message: WSMessage, on_message: OnMessage) -> bool:
    """Deal with one WebSocket message; whether another is to be expected."""
    if session.close_reason is not None:  # only the peer's own close still matters
        return session.take_credit() and message.type not in _LAST
    match message.type:
        case WSMsgType.TEXT:
            await _take_packet(session, message.data, on_message)
        case WSMsgType.PING:
            if session.take_credit():
                session.write(pong_frame(message.data))
        case WSMsgType.PONG:
            session.take_credit()
        case WSMsgType.ERROR if _is_flood(message.data):
            session.close(CloseReason.FLOODED)
        case WSMsgType.BINARY | WSMsgType.ERROR:
            raise MalformedPacket("binary, too long, or not a valid frame")
        case WSMsgType.CLOSE:
            if message.data not in _CLOSE_CODES:
                raise MalformedPacket("a close code that no client may send")
            session.close(CloseReason.LEFT)
            return False
        case _:
            return False
    return True


def _code_of(fault: object) -> int | None:
    """The close code that aiohttp has for it."""
    return fault.code if isinstance(fault, WebSocketError) else None


def _is_flood(error: Exception) -> bool:
    return isinstance(error, WebSocketError) and error.code == WSCloseCode.POLICY_VIOLATION


async def _let_others(session: Session) -> None:
    await asyncio.sleep(OVER_LIMIT_SECONDS if session.over_limit else 0)


async def _take_packet(session: Session, text: str, on_message: OnMessage) -> None:
    """Deal with one Engine.IO packet."""
    if text.startswith("4"):
        session.busy = True
        try:
            await on_message(session.sid, text[1:])
        finally:
            session.busy = False
    elif text == _PONG:
        session.take_pong()
    elif text == "1":
        session.close(CloseReason.LEFT)
    else:
        raise MalformedPacket("not an Engine.IO packet of a client")
