"""`GET /metrics`: for Prometheus."""

import time
from typing import Final

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from server.runtime.metrics import Metrics

_PAUSE_BY_COST: Final = 20
"""A text is given again for so many times as long as it took to write: so however many ask, and
however much there is to tell, it costs a twentieth of the time at most."""


class MetricsRoute:
    """Serves the metrics of this process. Keep it from the public: on a port of its own."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._text = b""
        self._stale_at_s = 0.0

    def add_to(self, app: web.Application) -> None:
        """Serve the route on `app`."""
        app.router.add_get("/metrics", self._show)

    async def _show(self, _request: web.Request) -> web.Response:
        headers = {"Content-Type": CONTENT_TYPE_LATEST}
        return web.Response(body=self._rendered(), headers=headers)

    def _rendered(self) -> bytes:
        started_s = time.monotonic()
        if started_s >= self._stale_at_s:
            self._text = self._metrics.render()
            ended_s = time.monotonic()
            self._stale_at_s = ended_s + _PAUSE_BY_COST * (ended_s - started_s)
        return self._text
