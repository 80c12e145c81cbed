"""Runs a web application of aiohttp on connections of ours."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from aiohttp import web

from server.transport.http.connection import (
    MAX_FIELD_BYTES,
    MAX_HEADERS,
    MAX_LINE_BYTES,
    MOST_UNREAD_ANSWERS,
    READ_SECONDS,
    HttpConnection,
)
from server.transport.http.prepared import answer_directly, direct_handler
from server.transport.limits import Network
from server.transport.problems import route_problem

KEEP_ALIVE_SECONDS: Final = 10.0
"""Of a crowd that comes at once the kernel may take up to 15 s to hand the last ones over, and who
says nothing shall be gone within 30 s."""

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Runner(web.AppRunner):
    """A connection may be idle for `keep_alive_seconds`, and has no longer for the header of a
    request; nor for reading what waits for it than `read_seconds`, and not more than `most_unread`
    of an address may let it wait. `trusted_proxies` are believed when they say for whom they ask.
    A request in flight may take `shutdown_seconds` when all ends.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        shutdown_seconds: float,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
        read_seconds: float = READ_SECONDS,
        most_unread: int = MOST_UNREAD_ANSWERS,
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        self._ending = asyncio.Event()
        super().__init__(
            app,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=keep_alive_seconds,
            shutdown_timeout=shutdown_seconds,
            lingering_time=0,  # theirs ends in a reset
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_FIELD_BYTES,
            max_headers=MAX_HEADERS,
            read_seconds=read_seconds,
            most_unread=most_unread,
            trusted_proxies=trusted_proxies,
        )

    @property
    def connections(self) -> int:
        """How many are open."""
        return 0 if self.server is None else len(self.server.connections)

    def end_connections(self) -> None:
        """From now on each answer is the last on its connection."""
        self._ending.set()

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            _refusing(self._passing_router(made.request_handler)),
            self._ending,
            request_factory=made.request_factory,
            loop=made._loop,
            **made._kwargs,
        )

    def _passing_router(self, handler: Handler) -> Handler:
        """Past the router with what has a direct handler."""

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            direct = direct_handler(self.app, request)
            if direct is not None and isinstance(request, web.Request):
                return await answer_directly(request, direct)
            return await handler(request)

        return handle


class _Server(web.Server):
    """Makes a connection of ours for each of TCP."""

    def __init__(self, handler: Handler, ending: asyncio.Event, **options: Any) -> None:
        super().__init__(handler, **options)
        self._ending = ending
        self._unread: Counter[str] = Counter()

    def __call__(self) -> HttpConnection:
        return HttpConnection(
            self, loop=self._loop, unread=self._unread, ending=self._ending, **self._kwargs
        )


def _refusing(handler: Handler) -> Handler:
    """What is refused after a route was found and before it is asked, such as an `Expect` that
    nobody can fulfil, passes no middleware."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            error.__traceback__ = None
            return route_problem(error)

    return handle
