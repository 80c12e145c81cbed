"""Every route of HTTP, built once, by name."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from server.assembly.authentication import Authentication
from server.assembly.limits import http_limit, socket_limits
from server.assembly.operating import ops_commands, ops_looks, payout_commands
from server.assembly.readiness import ReadinessCheck
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
from server.transport.http.health import HealthRoutes
from server.transport.http.history import HistoryRoutes
from server.transport.http.limits import LimitsRoutes
from server.transport.http.metrics import MetricsRoute
from server.transport.http.ops import OpsRoutes
from server.transport.http.pages import Pages
from server.transport.http.requests import AddressLimit, RequestAuthenticator
from server.transport.http.security import add_security_headers
from server.transport.http.webhook import Webhook
from server.transport.limits import RateByKey
from server.transport.operator_check import KnownOperator, OperatorCheck

if TYPE_CHECKING:  # without the extra `books` it cannot be imported
    from server.services.history import History
    from server.services.payout_desk import PayoutDesk


class Routes:
    """The routes of one process: `web` are the public ones, which the sockets come through too, and
    with a METRICS_PORT `metrics_web` that of the metrics alone, which show `metrics_text`."""

    def __init__(
        self,
        settings: Settings,
        offered: Mapping[int, Variant],
        stores: Stores,
        use_cases: UseCases,
        past: "History | None",
        payouts: "PayoutDesk | None",
        sockets: Sockets,
        authentication: Authentication,
        players: ConcurrencyLimiter,
        payments: ConcurrencyLimiter,
        clock: StoreClock,
        metrics: Metrics,
        metrics_text: Callable[[], Awaitable[bytes]],
        readiness: ReadinessCheck,
        *,
        dev_login: bool,
    ) -> None:
        rate = RateByKey(http_limit(settings), time.monotonic)
        authenticator = RequestAuthenticator(authentication.check, rate, settings.trusted_proxies)
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
        webhook = Webhook(
            provider, use_cases.payments, readiness.may_take_payments, payments, metrics
        )
        health = HealthRoutes(stores.health, readiness.state)
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
            settings.operators, authentication.failures, settings.trusted_proxies, anybody
        )
        ops = OpsRoutes(
            pages,
            use_cases.cluster_stats.nodes,
            operator_check,
            ops_commands(use_cases) | payout_commands(payouts),
            ops_looks(use_cases, payouts),
        )

        def application() -> web.Application:
            app = web.Application(middlewares=[error_middleware(sockets.counts)])
            app.on_response_prepare.append(add_security_headers)
            return app

        self.web = application()
        sockets.gateway.attach(self.web)
        for routes in (game, history, limits, webhook, health, pages, docs):
            routes.add_to(self.web)
        if dev_login or settings.operators:
            ops.add_to(self.web)
        self.metrics_web = None if settings.metrics_port is None else application()
        metrics_web = self.web if self.metrics_web is None else self.metrics_web
        MetricsRoute(metrics_text).add_to(metrics_web)
