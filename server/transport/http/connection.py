"""One HTTP connection: aiohttp's, with our limits and our refusals.

What this needs of aiohttp, whose protocol is made to be derived from but says little about it, is
in tests/transport/http/test_server.py.
"""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from protocol.errors import ErrorCode, Refused
from server.transport.addresses import client_address
from server.transport.http.security import secure
from server.transport.limits import Network
from server.transport.lingering import LINGER_SECONDS, MOST_BYTES, linger
from server.transport.problems import problem

MAX_LINE_BYTES: Final = 16_384
"""A target with its query."""
MAX_FIELD_BYTES: Final = 32_768
"""One header: a token of 8 kB has room in it, and the cookies of others too."""
MAX_HEADERS: Final = 64
READ_SECONDS: Final = 15.0
"""Of a client that lets an answer pile up: what waits is 64 kB at least, which takes the slowest of
mobile networks 3 s."""
MOST_UNREAD_ANSWERS: Final = 32
"""Answers of so many connections of one address may pile up at a time."""


_AT_ONCE: Final = struct.pack("ii", 1, 0)


class HttpConnection(RequestHandler):
    """Answers what is no HTTP with problem+json, and is gone when its client does not read.

    `unread` counts, by address, the connections with answers that pile up, of which there may be
    `most_unread`. Once `ending` is set, each answer is the last one.
    """

    __slots__ = (
        "_answered",
        "_deadline",
        "_ending",
        "_most_unread",
        "_read_seconds",
        "_tcp",
        "_trusted_proxies",
        "_unread",
        "_unread_of",
    )

    def __init__(
        self,
        manager: web.Server,
        *,
        unread: Counter[str],
        most_unread: int,
        ending: asyncio.Event,
        trusted_proxies: Sequence[Network],
        read_seconds: float,
        **options: Any,
    ) -> None:
        super().__init__(manager, **options)
        self._ending = ending
        self._unread = unread
        self._most_unread = most_unread
        self._trusted_proxies = trusted_proxies
        self._read_seconds = read_seconds
        self._tcp: asyncio.Transport | None = None
        self._deadline: asyncio.Handle | None = None
        self._unread_of: str | None = None
        self._answered: web.BaseRequest | None = None

    # Who does not read

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP is open."""
        self._tcp = cast(asyncio.Transport, transport)  # aiohttp forgets its own when closing it
        super().connection_made(transport)

    def pause_writing(self) -> None:
        """More waits for the client than it should. WebSockets bound that themselves."""
        super().pause_writing()
        if self._payload_parser is None:
            self._expect_reading()

    def resume_writing(self) -> None:
        """The client has read most of it."""
        super().resume_writing()
        if self._tcp is not None and not self._tcp.is_closing():
            self._expect_nothing()

    def force_close(self) -> None:
        """Close TCP when what was written is out."""
        super().force_close()
        self._expect_rest_to_be_read()

    async def start(self) -> None:
        """Serve one request after the other, to the end of the connection."""
        await super().start()
        self._expect_rest_to_be_read()

    def connection_lost(self, exc: BaseException | None) -> None:
        """TCP is closed."""
        self._tcp = None
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect_rest_to_be_read(self) -> None:
        tcp = self._tcp
        is_left = tcp is not None and tcp.is_closing() and tcp.get_write_buffer_size() > 0
        if is_left and self._payload_parser is None:
            self._expect_reading()

    def _expect_reading(self) -> None:
        if self._tcp is None or self._deadline is not None:
            return
        address = self._address()
        if self._unread[address] >= self._most_unread:
            self._deadline = self._loop.call_soon(self._cut)
            return
        self._unread[address] += 1
        self._unread_of = address
        self._deadline = self._loop.call_later(self._read_seconds, self._cut)

    def _cut(self) -> None:
        """With a reset: else the kernel would keep what it has for whoever does not read."""
        if self._tcp is not None:
            tcp = self._tcp.get_extra_info("socket")
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self._tcp.abort()

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._unread_of is not None:
            self._unread[self._unread_of] -= 1
            if not self._unread[self._unread_of]:
                del self._unread[self._unread_of]
            self._unread_of = None

    def _address(self) -> str:
        if self._answered is not None:
            return client_address(self._answered, self._trusted_proxies)
        return str(self.peername)

    # Answers

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Every answer goes out here, also that to what is no HTTP. One that is given before the
        request has come to its end is the last one."""
        if self._ending.is_set() or not request.content.is_eof():
            resp.force_close()
        self._answered = request
        try:
            answered = await super().finish_response(request, resp, start_time)
        finally:
            self._answered = None
        if not resp.keep_alive and self.transport is not None:
            await linger(self.transport, LINGER_SECONDS, MOST_BYTES)
        return answered

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no HTTP, or to an error that no handler saw. It is the last."""
        if isinstance(exc, HttpProcessingError):
            # What it was raised in leads back to it: it would wait for the garbage collector.
            exc.__traceback__ = exc.__context__ = exc.__cause__ = None
            answer = _malformed(exc)
        else:
            super().handle_error(request, status, exc, message)  # logs it
            answer = problem(Refused(ErrorCode.INTERNAL))
        secure(answer)  # no route was found, so no signal is sent
        answer.force_close()
        return answer


def _malformed(error: HttpProcessingError) -> web.Response:
    if isinstance(error, LineTooLong):
        is_target = error.args[1] == MAX_LINE_BYTES
        status = (
            HTTPStatus.REQUEST_URI_TOO_LONG
            if is_target
            else HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        )
        return problem(Refused(ErrorCode.TOO_LARGE), status=status)
    if error.message == "Too many headers received":
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return problem(Refused(ErrorCode.TOO_LARGE), status=status)
    return problem(Refused(ErrorCode.INVALID_MESSAGE), "This is no request of HTTP/1.1.")
