"""The composition root: every part is built here, once, by name; and started, and stopped."""

import asyncio
import time
from typing import Final

import structlog
from aiohttp import web

from server.assembly.instruments import watch
from server.assembly.limits import http_limit, join_limit, socket_limits
from server.assembly.sockets import Sockets
from server.assembly.stores import Stores
from server.assembly.tiers import tiers
from server.assembly.use_cases import UseCases
from server.outside.identity import IdentityVerifier
from server.outside.jwks import Jwks
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings
from server.store.connection import open_redis
from server.store.reception import Reception
from server.store.subscription import Subscription
from server.transport.concurrency import PAYMENTS_AT_ONCE, PLAYERS_AT_ONCE, ConcurrencyLimiter
from server.transport.http.docs import DocsRoutes
from server.transport.http.errors import error_middleware
from server.transport.http.game import GameRoutes
from server.transport.http.health import HealthRoutes, Readiness
from server.transport.http.metrics import MetricsRoute
from server.transport.http.ops import OpsRoutes
from server.transport.http.pages import Pages
from server.transport.http.requests import RequestAuthenticator
from server.transport.http.runner import KEEP_ALIVE_SECONDS, Runner
from server.transport.http.security import add_security_headers
from server.transport.http.webhook import Webhook
from server.transport.limits import RateByKey
from server.transport.token_check import TokenCheck

REQUEST_SECONDS: Final = 8.0
"""How long a request in flight may take when the process stops; the store takes 5 at most."""
BACKLOG: Final = 4096

log = structlog.get_logger(__name__)


class App:
    """One server process. With `dev_login` its page logs in and pays by the routes of
    development. A connection may be idle for `keep_alive_seconds`, and has no longer for the header
    of a request."""

    def __init__(
        self,
        settings: Settings,
        *,
        dev_login: bool = False,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self.settings = settings
        self.readiness: Readiness = "starting"
        self._offered = tiers(settings)
        self.metrics = Metrics()
        self.clock = StoreClock()
        self.stores = Stores(settings, self.clock, self.metrics)
        self.subscription = Subscription(
            open_redis(settings.redis_url), self.stores.channels, self._restored
        )
        self.reception = Reception(self.stores.connection, self.subscription, self.stores.channels)
        self.use_cases = UseCases(
            settings,
            self._offered,
            self.stores,
            self.subscription,
            self.clock,
            self.metrics,
            RateByKey(join_limit(settings), time.monotonic).allow,
        )
        self.keys = Jwks(
            url=settings.alien_jwks_url,
            ttl_seconds=settings.jwks_ttl_seconds,
            cooldown_seconds=settings.jwks_cooldown_seconds,
        )
        self._check = self._token_check()
        self._players = ConcurrencyLimiter(PLAYERS_AT_ONCE)
        self._payments = ConcurrencyLimiter(PAYMENTS_AT_ONCE)
        self.sockets = Sockets(
            settings,
            self._offered,
            self.stores,
            self.subscription,
            self.use_cases,
            self._check,
            self._players,
            self.clock,
            self.metrics,
        )
        self._watch()
        self.web = self._web(dev_login)
        self._runner = self._runner_of(self.web, keep_alive_seconds)
        self._metrics_runner = self._runner_of(self._metrics_web(), keep_alive_seconds)
        self._tasks: set[asyncio.Task[None]] = set()

    def _token_check(self) -> TokenCheck:
        verifier = IdentityVerifier(
            keys=self.keys,
            issuer=self.settings.alien_issuer,
            audience=self.settings.alien_provider_address,
            token_max_seconds=self.settings.token_max_seconds,
            leeway_seconds=self.settings.jwt_leeway_seconds,
            now_s=self.clock.now_s,
        )
        failures = socket_limits(self.settings).connects_by_address
        return TokenCheck(verifier.verify, RateByKey(failures, time.monotonic))

    def _web(self, dev_login: bool) -> web.Application:
        settings, use_cases = self.settings, self.use_cases
        app = self._empty_web()
        self.sockets.gateway.attach(app)
        rate = RateByKey(http_limit(settings), time.monotonic)
        GameRoutes(
            authenticator=RequestAuthenticator(self._check, rate, settings.trusted_proxies),
            lobbies=use_cases.lobbies,
            seats=use_cases.seats,
            play=use_cases.play,
            billing=use_cases.billing,
            proofs=use_cases.proofs,
            clock=self.clock,
            limiter=self._players,
        ).add_to(app)
        Webhook(
            use_cases.payments,
            settings.webhook_public_key,
            self._may_take_payments,
            self._payments,
            self.metrics,
        ).add_to(app)
        if settings.metrics_port is None:
            MetricsRoute(self.metrics).add_to(app)
        HealthRoutes(self.stores.health, self._readiness).add_to(app)
        pages = Pages(self._offered, dev_login=dev_login, host_origins=settings.allowed_origins)
        pages.add_to(app)
        DocsRoutes().add_to(app)
        if dev_login or settings.ops_token is not None:
            OpsRoutes(pages, use_cases.cluster_stats.nodes, settings.ops_token).add_to(app)
        return app

    def _metrics_web(self) -> web.Application:
        app = self._empty_web()
        MetricsRoute(self.metrics).add_to(app)
        return app

    def _empty_web(self) -> web.Application:
        app = web.Application(middlewares=[error_middleware(self.sockets.counts)])
        app.on_response_prepare.append(add_security_headers)
        return app

    def _runner_of(self, app: web.Application, keep_alive_seconds: float) -> Runner:
        return Runner(
            app,
            keep_alive_seconds=keep_alive_seconds,
            shutdown_seconds=REQUEST_SECONDS,
            trusted_proxies=self.settings.trusted_proxies,
        )

    def _watch(self) -> None:
        watch(
            self.metrics,
            gateway=self.sockets.gateway,
            counts=self.sockets.counts,
            replicas=self.use_cases.replicas,
            max_sockets=self.settings.max_sockets,
            scheduler=self.use_cases.scheduler,
            limiters={"players": self._players, "payments": self._payments},
            cluster_stats=self.use_cases.cluster_stats,
            connection=self.stores.connection,
            monitor=self.stores.monitor,
            subscription=self.subscription,
        )

    async def start(self) -> str:
        """Listen, wait for the store, begin to call. Returns the URL.

        Raises WeakDurability, and OSError if the port cannot be had.
        """
        await self._listen(self._runner, self.settings.port)
        if self.settings.metrics_port is not None:
            await self._listen(self._metrics_runner, self.settings.metrics_port)
        await self.stores.wait_until_usable()
        self.stores.monitor.start()
        self.subscription.start()
        self.reception.start()
        self.use_cases.scheduler.start()
        self.use_cases.cluster_stats.start()
        self.readiness = "ok"
        url = f"http://{self.settings.host}:{self._runner.addresses[0][1]}"
        log.info("ready", url=url)
        return url

    async def _listen(self, runner: Runner, port: int) -> None:
        await runner.setup()
        await web.TCPSite(runner, self.settings.host, port, backlog=BACKLOG).start()

    async def stop(self, drain_seconds: float = 0) -> None:
        """Take nothing new, send everyone away over so many seconds, finish what was begun."""
        self.readiness = "draining"
        await self.use_cases.scheduler.stop()
        await self.use_cases.cluster_stats.stop()
        await self.sockets.gateway.drain(drain_seconds)
        await self._runner.cleanup()
        await self._metrics_runner.cleanup()
        await self.sockets.relay.close()
        await self.use_cases.replicas.close()
        await self.reception.stop()
        await self.subscription.close()
        await self.stores.close()
        await self.keys.close()
        log.info("stopped")

    def _may_take_payments(self) -> bool:
        return self.readiness != "starting" and self.stores.monitor.trusted

    def _readiness(self) -> Readiness:
        if self.readiness == "ok" and not self._is_at_work():
            return "degraded"
        return self.readiness

    def _is_at_work(self) -> bool:
        return (
            self.subscription.alive
            and self.use_cases.scheduler.alive
            and self.stores.monitor.trusted
        )

    def _restored(self) -> None:
        self.use_cases.replicas.restore()
        task = asyncio.create_task(self.sockets.forming_lobbies.restore())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
