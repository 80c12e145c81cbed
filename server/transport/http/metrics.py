"""`GET /metrics`: for Prometheus."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from protocol.errors import ErrorCode, Refused
from server.transport.problems import problem

_PAUSE_BY_COST: Final = 20
"""A text is given again for so many times as long as it took to write: so however many ask, and
however much there is to write, it costs a twentieth of the time at most."""


class RarelyWritten:
    """A text that is written anew when it is worth it."""

    def __init__(self, write: Callable[[], bytes]) -> None:
        self._write = write
        self._text = b""
        self._stale_at_s = 0.0

    async def __call__(self) -> bytes:
        """The text."""
        started_s = time.monotonic()
        if started_s >= self._stale_at_s:
            self._text = self._write()
            ended_s = time.monotonic()
            self._stale_at_s = ended_s + _PAUSE_BY_COST * (ended_s - started_s)
        return self._text


class MetricsRoute:
    """Serves the `text` of the metrics. Keep it from the public: on a port of its own."""

    def __init__(self, text: Callable[[], Awaitable[bytes]]) -> None:
        self._text = text

    def add_to(self, app: web.Application) -> None:
        """Serve the route on `app`."""
        app.router.add_get("/metrics", self._show)

    async def _show(self, _request: web.Request) -> web.Response:
        try:
            text = await self._text()
        except TimeoutError:
            return problem(Refused(ErrorCode.UNAVAILABLE))
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})
