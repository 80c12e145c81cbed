"""The HTTP side: every route, and the servers that listen."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from aiohttp import web

from server.assembly.limits import http_limit
from server.assembly.sockets import Sockets
from server.assembly.stores import Stores
from server.assembly.use_cases import UseCases
from server.rules.variants import Variant
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings
from server.transport.concurrency import ConcurrencyLimiter
from server.transport.http.docs import DocsRoutes
from server.transport.http.errors import error_middleware
from server.transport.http.game import GameRoutes
from server.transport.http.health import HealthRoutes, Readiness
from server.transport.http.history import HistoryRoutes
from server.transport.http.metrics import MetricsRoute
from server.transport.http.ops import OpsRoutes
from server.transport.http.pages import Pages
from server.transport.http.requests import RequestAuthenticator
from server.transport.http.runner import Runner
from server.transport.http.security import add_security_headers
from server.transport.http.webhook import Webhook
from server.transport.limits import RateByKey
from server.transport.token_check import TokenCheck

if TYPE_CHECKING:  # without the extra `books` it cannot be imported
    from server.services.history import History

REQUEST_SECONDS: Final = 8.0
"""How long a request in flight may take when the process stops; the store takes 5 at most."""
BACKLOG: Final = 4096


class Http:
    """The HTTP servers of one process: the public one, `web`, which the sockets come through too,
    and with a METRICS_PORT one for the metrics alone."""

    def __init__(
        self,
        settings: Settings,
        offered: Mapping[int, Variant],
        stores: Stores,
        use_cases: UseCases,
        past: "History | None",
        sockets: Sockets,
        check: TokenCheck,
        players: ConcurrencyLimiter,
        payments: ConcurrencyLimiter,
        clock: StoreClock,
        metrics: Metrics,
        readiness: Callable[[], Readiness],
        may_take_payments: Callable[[], bool],
        *,
        dev_login: bool,
        keep_alive_seconds: float,
    ) -> None:
        self._settings = settings
        rate = RateByKey(http_limit(settings), time.monotonic)
        authenticator = RequestAuthenticator(check, rate, settings.trusted_proxies)
        game = GameRoutes(
            authenticator=authenticator,
            lobbies=use_cases.lobbies,
            seats=use_cases.seats,
            play=use_cases.play,
            billing=use_cases.billing,
            proofs=use_cases.proofs,
            clock=clock,
            limiter=players,
        )
        history = HistoryRoutes(authenticator, past, use_cases.records)
        keys = settings.webhook_public_key
        webhook = Webhook(use_cases.payments, keys, may_take_payments, payments, metrics)
        health = HealthRoutes(stores.health, readiness)
        pages = Pages(offered, dev_login=dev_login, host_origins=settings.allowed_origins)
        docs = DocsRoutes()
        ops = OpsRoutes(pages, use_cases.cluster_stats.nodes, settings.ops_token)
        metrics_route = MetricsRoute(metrics)

        def application() -> web.Application:
            app = web.Application(middlewares=[error_middleware(sockets.counts)])
            app.on_response_prepare.append(add_security_headers)
            return app

        def runner(app: web.Application) -> Runner:
            return Runner(
                app,
                keep_alive_seconds=keep_alive_seconds,
                shutdown_seconds=REQUEST_SECONDS,
                trusted_proxies=settings.trusted_proxies,
            )

        self.web = application()
        sockets.gateway.attach(self.web)
        for routes in (game, history, webhook, health, pages, docs):
            routes.add_to(self.web)
        if dev_login or settings.ops_token is not None:
            ops.add_to(self.web)
        metrics_web = self.web if settings.metrics_port is None else application()
        metrics_route.add_to(metrics_web)
        self._runners = {runner(self.web): settings.port}
        if settings.metrics_port is not None:
            self._runners[runner(metrics_web)] = settings.metrics_port

    async def listen(self) -> str:
        """Begin to listen. Returns the URL of the public server. Raises OSError if a port cannot be
        had."""
        host = self._settings.host
        for runner, port in self._runners.items():
            await runner.setup()
            await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        public = next(iter(self._runners))
        return f"http://{host}:{public.addresses[0][1]}"

    async def close(self) -> None:
        """Answer what was asked, and close all connections."""
        for runner in self._runners:
            await runner.cleanup()
