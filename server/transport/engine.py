"""The Engine.IO server: who may open a connection, and the life of one.

python-engineio serves long polling, upgrades and queues; here a connection is a WebSocket from
its handshake on, and its request handler is its only task. What this needs of python-engineio
(the routes of `attach`, `handlers`, `sockets`, `generate_id`) and of aiohttp (the response head is
out when `prepare` returns, nothing is added to a closing transport) is in
tests/transport/test_stack.py.
"""

import asyncio
import time
from functools import partial
from http import HTTPStatus

import orjson
import structlog
from aiohttp import web

from protocol.errors import ErrorCode, Refused
from server.runtime.log_context import bind_ids
from server.transport.addresses import client_address
from server.transport.admission import (
    WEBSOCKET_VERSION,
    is_origin_allowed,
    is_other_websocket_version,
    is_websocket_handshake,
)
from server.transport.close_reason import CloseReason
from server.transport.counts import Counts
from server.transport.frames import text_frame
from server.transport.limits import Credits, RateByKey, SocketLimits
from server.transport.lingering import linger
from server.transport.member import PlayerSession
from server.transport.ping_scheduler import PingScheduler
from server.transport.problems import problem
from server.transport.reader import read
from server.transport.session import Session
from server.transport.stack import engineio
from server.transport.websocket import WebSocket

MAX_MESSAGE_BYTES = 16_384
MOST_UNREAD_BYTES = 1024 * 1024
"""Of what a client sends that we have done with."""

log = structlog.get_logger()


class Engine(engineio.AsyncServer):  # type: ignore[misc]  # python-engineio ships no types
    """Of python-engineio's server `on`, `attach`, `generate_id` and the table `sockets` are used;
    the handlers of `connect` and `disconnect` are plain functions."""

    sockets: dict[str, PlayerSession]

    def __init__(self, *, limits: SocketLimits, counts: Counts, **options: object) -> None:
        super().__init__(**options)
        self.draining = False
        self._limits = limits
        self._counts = counts
        self._connects = RateByKey(limits.connects_by_address, time.monotonic)
        self._pings = PingScheduler(limits.ping_interval_seconds, Session.ping)
        self._emptied = asyncio.Event()

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Serve a connection from its handshake to its end, or say why not."""
        credits = Credits(self._limits.messages)
        ws = WebSocket(partial(_take_fragment, credits), MAX_MESSAGE_BYTES)
        refusal = self._refusal(request, ws)
        if refusal is not None:
            return refusal
        try:
            await ws.prepare(request)
        except ConnectionError:
            return web.Response()  # gone before it began: nobody reads this
        if request.transport is not None and not request.transport.is_closing():
            await self._serve(ws, request.transport, self._address(request), credits)
        return ws

    def _refusal(self, request: web.Request, ws: web.WebSocketResponse) -> web.Response | None:
        if self.draining:
            return self._refuse(ErrorCode.DRAINING)
        if is_other_websocket_version(request):
            return self._refuse_version()
        if not is_websocket_handshake(request, ws):
            return self._refuse(ErrorCode.WEBSOCKET_ONLY)
        if request.query.get("EIO") != "4":
            return self._refuse(ErrorCode.INVALID_MESSAGE, "Connect with EIO=4.")
        if not is_origin_allowed(request, self._limits.allowed_origins):
            return self._refuse(ErrorCode.INVALID_MESSAGE, "Pages of this origin may not connect.")
        if not self._connects.allow(self._address(request)):
            return self._refuse(ErrorCode.RATE_LIMITED)
        if 0 < self._limits.max_sockets <= len(self.sockets):
            return self._refuse(ErrorCode.UNAVAILABLE)
        return None

    def _address(self, request: web.Request) -> str:
        return client_address(request, self._limits.trusted_proxies)

    def _refuse(
        self, code: ErrorCode, detail: str | None = None, status: int | None = None
    ) -> web.Response:
        self._counts.refused[code] += 1
        return problem(Refused(code), detail, status)

    def _refuse_version(self) -> web.Response:
        """RFC 6455, 4.4: the client may come again with one that we speak."""
        detail = f"Connect with Sec-WebSocket-Version: {WEBSOCKET_VERSION}."
        answer = self._refuse(ErrorCode.WEBSOCKET_ONLY, detail, HTTPStatus.UPGRADE_REQUIRED)
        answer.headers["Sec-WebSocket-Version"] = WEBSOCKET_VERSION
        return answer

    async def _serve(
        self,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        address: str,
        credits: Credits,
    ) -> None:
        sid = self.generate_id()
        bind_ids(sid=sid)  # before there are timers, which keep what is bound now
        session = PlayerSession(
            sid,
            transport,
            address=address,
            limits=self._limits,
            credits=credits,
            counts=self._counts,
            pings=self._pings,
            on_end=self.handlers["disconnect"],
        )
        self.sockets[session.sid] = session
        try:
            await self._converse(session, ws)
            if (
                session.close_reason is not CloseReason.LEFT
            ):  # it may still be sending, and is to receive our reason
                await linger(transport, self._limits.close_seconds, MOST_UNREAD_BYTES)
        finally:
            session.close(CloseReason.LOST)
            session.hang_up()
            self._forget(session)

    async def _converse(self, session: Session, ws: web.WebSocketResponse) -> None:
        try:
            session.write(text_frame(self._open_packet(session.sid)))
            self.handlers["connect"](session.sid, None)
            await read(session, ws, self.handlers["message"])
        except Exception:
            self._counts.failures += 1
            log.exception("connection_failed")
            session.close(CloseReason.FAILED)

    def _open_packet(self, sid: str) -> bytes:
        interval_ms = int(self._limits.ping_interval_seconds * 1000)
        handshake = {
            "sid": sid,
            "upgrades": [],
            "pingInterval": interval_ms,
            "pingTimeout": interval_ms,
            "maxPayload": MAX_MESSAGE_BYTES,
        }
        return b"0" + orjson.dumps(handshake)

    def _forget(self, session: Session) -> None:
        del self.sockets[session.sid]
        if not self.sockets:
            self._emptied.set()

    async def wait_until_empty(self) -> None:
        """Return when no connection is left."""
        while self.sockets:
            self._emptied.clear()
            await self._emptied.wait()


def _take_fragment(credits: Credits) -> bool:
    """Count one; whether it is no flood yet. One that is over the limit is no message yet, so
    there is nothing to refuse: its message will be."""
    now_s = asyncio.get_running_loop().time()
    return credits.take(now_s) or not credits.is_flood(now_s)
