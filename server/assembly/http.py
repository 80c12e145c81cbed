"""The HTTP side: every route, and the servers that listen."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from socket import socket
from typing import TYPE_CHECKING, Final, NamedTuple

from aiohttp import web

from server.assembly.limits import http_limit, socket_limits
from server.assembly.listening import PORTS, listening_on
from server.assembly.operating import ops_commands, ops_looks, payout_commands
from server.assembly.sockets import Sockets
from server.assembly.stores import Stores
from server.assembly.use_cases import UseCases
from server.outside.alien_payments import AlienPayments
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
from server.transport.http.limits import LimitsRoutes
from server.transport.http.metrics import MetricsRoute
from server.transport.http.ops import OpsRoutes
from server.transport.http.pages import Pages
from server.transport.http.requests import AddressLimit, RequestAuthenticator
from server.transport.http.runner import Runner
from server.transport.http.security import add_security_headers
from server.transport.http.webhook import Webhook
from server.transport.limits import RateByKey
from server.transport.operator_check import KnownOperator, OperatorCheck
from server.transport.token_check import TokenCheck

if TYPE_CHECKING:  # without the extra `books` it cannot be imported
    from server.services.history import History
    from server.services.payout_desk import PayoutDesk

REQUEST_SECONDS: Final = 8.0
"""How long a request in flight may take when the process stops; the store takes 5 at most."""
BACKLOG: Final = 4096
POLL_SECONDS: Final = 0.1


class Handed(NamedTuple):
    """Sockets that listen already, in place of ports of our own."""

    public: Sequence[socket]
    metrics: Sequence[socket]


class Http:
    """The HTTP servers of one process: the public one, `web`, which the sockets come through too,
    and with a METRICS_PORT one for the metrics alone. It listens on what was `handed` to it, if
    that is not None. `metrics_text` is what `/metrics` shows."""

    def __init__(
        self,
        settings: Settings,
        offered: Mapping[int, Variant],
        stores: Stores,
        use_cases: UseCases,
        past: "History | None",
        payouts: "PayoutDesk | None",
        sockets: Sockets,
        check: TokenCheck,
        failures: RateByKey,
        players: ConcurrencyLimiter,
        payments: ConcurrencyLimiter,
        clock: StoreClock,
        metrics: Metrics,
        metrics_text: Callable[[], Awaitable[bytes]],
        readiness: Callable[[], Readiness],
        may_take_payments: Callable[[], bool],
        *,
        dev_login: bool,
        keep_alive_seconds: float,
        handed: Handed | None,
    ) -> None:
        self._settings = settings
        self._keep_alive_seconds = keep_alive_seconds
        self._handed = handed
        self._sites: list[web.BaseSite] = []
        rate = RateByKey(http_limit(settings), time.monotonic)
        authenticator = RequestAuthenticator(check, rate, settings.trusted_proxies)
        by_address = AddressLimit(
            RateByKey(socket_limits(settings).connects_by_address, time.monotonic),
            settings.trusted_proxies,
        )
        game = GameRoutes(
            authenticator=authenticator,
            by_address=by_address,
            lobbies=use_cases.lobbies,
            seats=use_cases.seats,
            play=use_cases.play,
            billing=use_cases.billing,
            proofs=use_cases.proofs,
            clock=clock,
            limiter=players,
        )
        history = HistoryRoutes(authenticator, by_address, past, use_cases.records)
        limits = LimitsRoutes(authenticator, use_cases.limits, clock)
        provider = AlienPayments(settings.webhook_public_key)
        webhook = Webhook(provider, use_cases.payments, may_take_payments, payments, metrics)
        health = HealthRoutes(stores.health, readiness)
        pages = Pages(
            offered,
            dev_login=dev_login,
            host_origins=settings.allowed_origins,
            books=past is not None,
            beacon_keys={settings.beacon_chain_hash: settings.beacon_public_key},
        )
        docs = DocsRoutes()
        anybody = KnownOperator("dev", "admin") if dev_login else None
        operator_check = OperatorCheck(
            settings.operators, failures, settings.trusted_proxies, anybody
        )
        ops = OpsRoutes(
            pages,
            use_cases.cluster_stats.nodes,
            operator_check,
            ops_commands(use_cases) | payout_commands(payouts),
            ops_looks(use_cases, payouts),
        )
        metrics_route = MetricsRoute(metrics_text)

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
        for routes in (game, history, limits, webhook, health, pages, docs):
            routes.add_to(self.web)
        if dev_login or settings.operators:
            ops.add_to(self.web)
        metrics_web = self.web if settings.metrics_port is None else application()
        metrics_route.add_to(metrics_web)
        self._runners = {runner(self.web): settings.port}
        if settings.metrics_port is not None:
            self._runners[runner(metrics_web)] = settings.metrics_port

    async def listen(self) -> str:
        """Begin to listen. Returns the URL of the public server. Raises CannotListen if a port
        cannot be had."""
        host = self._settings.host
        handed: Sequence[Sequence[socket]] = self._handed or [()] * len(self._runners)
        parts = zip(self._runners.items(), PORTS, handed, strict=False)
        for (runner, port), setting, sockets in parts:
            await runner.setup()
            sites: Sequence[web.BaseSite] = (
                [web.TCPSite(runner, host, port, backlog=BACKLOG)]
                if self._handed is None
                else [web.SockSite(runner, each, backlog=BACKLOG) for each in sockets]
            )
            with listening_on(host, setting, port):
                for site in sites:
                    await site.start()
            self._sites += sites
        public = next(iter(self._runners))
        return f"http://{host}:{public.addresses[0][1]}"

    async def leave(self) -> None:
        """Listen no more, and return when all connections have ended: each after its next answer,
        or when it was idle for long."""
        for site in self._sites:
            await site.stop()
        for runner in self._runners:
            runner.end_connections()
        while True:
            if not any(runner.connections for runner in self._runners):
                break
            await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        """Answer what was asked, and close all connections."""
        for runner in self._runners:
            await runner.cleanup()
