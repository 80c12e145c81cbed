"""Answers to what is asked most often, which pass aiohttp's router and responses by.

The provider's deliveries are one path and, but for refusals, a few bodies: there is no route to be
looked for, no headers to be built, and nobody who wants to change them.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE, HttpVersion10
from multidict import CIMultiDict

from server.transport.http.security import HEADERS, secure

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_DIRECT: Final = web.AppKey("direct", dict[str, Handler])

_NO_HEADERS: Final[CIMultiDict[str]] = CIMultiDict()
_HEAD: Final = "".join(
    f"{name}: {value}\r\n"
    for name, value in {
        hdrs.CONTENT_TYPE: "application/json",
        hdrs.SERVER: SERVER_SOFTWARE,
        **HEADERS,
    }.items()
)


def add_direct_post(app: web.Application, path: str, handler: Handler) -> None:
    """Serve a route on `app` that requests to exactly this path reach past its router, but through
    its middlewares. The router has it too: for paths that are spelled in another way."""
    app.router.add_post(path, handler)
    for middleware in reversed(app.middlewares):
        handler = partial(middleware, handler=handler)
    app.setdefault(_DIRECT, {})[path] = handler


def direct_handler(app: web.Application, request: web.BaseRequest) -> Handler | None:
    """Where a request goes past the router; None if it does not. One that expects something before
    it goes on is for aiohttp."""
    if request.method != hdrs.METH_POST or hdrs.EXPECT in request.headers:
        return None
    return app.get(_DIRECT, {}).get(request.raw_path)


async def answer_directly(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What a handler answers, as it would be after the application's signals."""
    response = await handler(request)
    if not isinstance(response, PreparedResponse):
        secure(response)
    return response


class PreparedResponse(web.StreamResponse):
    """JSON, with status 200 and the headers that all answers have."""

    _status, _reason = 200, "OK"

    def __init__(self, body: bytes) -> None:
        # Without aiohttp's own: there is little in it but the headers, which are written below.
        self._json = body
        self._headers = _NO_HEADERS

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """See `web.StreamResponse`."""
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        self._is_old = request.version == HttpVersion10
        self._payload_writer = request.writer
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        """See `web.StreamResponse`."""
        writer = self._payload_writer
        assert writer is not None  # noqa: S101 - it was prepared
        if self._is_old:
            connection = "Connection: keep-alive\r\n" if self._keep_alive else ""
        else:
            connection = "" if self._keep_alive else "Connection: close\r\n"
        head = (
            f"HTTP/1.{0 if self._is_old else 1} 200 OK\r\n{_HEAD}{connection}"
            f"Content-Length: {len(self._json)}\r\nDate: {rfc822_formatted_time()}\r\n\r\n"
        )
        await writer.write(head.encode() + self._json)
        await writer.drain()
