"""`GET /metrics`: for Prometheus."""

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from server.metrics import Metrics


class MetricsRoute:
    """Serves the metrics of this process. Keep it from the public: the load balancer does."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def add_to(self, app: web.Application) -> None:
        """Serve the route on `app`."""
        app.router.add_get("/metrics", self._show)

    async def _show(self, _request: web.Request) -> web.Response:
        headers = {"Content-Type": CONTENT_TYPE_LATEST}
        return web.Response(body=self._metrics.render(), headers=headers)
