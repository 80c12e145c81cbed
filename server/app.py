"""The composition root: every part is built here, once, by name; and started, and stopped."""

import asyncio
from typing import Final

import structlog
from aiohttp import web

from protocol.ids import FRONT_DESK, namespace_lobby
from server.clock import StoreClock
from server.instruments import watch
from server.limits import JOINS, http_limit, socket_limits
from server.metrics import Metrics
from server.outside.identity import IdentityVerifier
from server.outside.jwks import Jwks
from server.rules.payments import Terms
from server.services.alarms import Alarms
from server.services.billing import Billing
from server.services.board import Board
from server.services.caller import Caller
from server.services.following import Following
from server.services.lobbies import Lobbies
from server.services.payments import Payments
from server.services.play import Play
from server.services.proofs import Proofs
from server.services.seats import Seats
from server.services.survey import Survey
from server.settings import Settings
from server.store.connection import open_redis
from server.store.subscription import Subscription
from server.stores import Stores
from server.tiers import tiers
from server.transport.counts import Counts
from server.transport.front_desk import FrontDesk, Listing
from server.transport.gateway import Gateway
from server.transport.http.errors import error_middleware
from server.transport.http.game import GameRoutes
from server.transport.http.health import HealthRoutes, Readiness
from server.transport.http.metrics import MetricsRoute
from server.transport.http.ops import OpsRoutes
from server.transport.http.pages import Pages
from server.transport.http.requests import Caller as HttpCaller
from server.transport.http.security import add_security_headers
from server.transport.http.webhook import Webhook
from server.transport.limits import RateByKey
from server.transport.lobby_room import LobbyRoom
from server.transport.member import Door
from server.transport.relay import Relay
from server.transport.resuming import Resuming
from server.transport.rooms import Rooms
from server.transport.states import States
from server.transport.token_check import TokenCheck
from server.transport.tokens import Tokens

REQUEST_SECONDS: Final = 8.0
"""How long a request in flight may take when the process stops; the store takes 5 at most."""
BACKLOG: Final = 4096
KEEP_ALIVE_SECONDS: Final = 20.0

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
        offered = tiers(settings)
        tables = [str(tier) for tier in offered]
        terms = Terms(
            recipient=settings.alien_provider_address,
            network=settings.payment_network,
            coin_decimals=settings.coin_decimals,
        )
        metrics = Metrics()

        # The store
        self.clock = StoreClock()
        self.stores = stores = Stores(settings, self.clock, metrics)
        self.subscription = Subscription(
            open_redis(settings.redis_url), stores.channels, self._restored
        )

        # The services
        alarms = Alarms(tables)
        self.following = Following(stores.lobbies, self.subscription, metrics)
        lobbies = Lobbies(stores.lobbies, self.following, alarms, self.clock, metrics)
        self.billing = Billing(stores.invoices, terms, settings.payment_token)
        seats = Seats(
            lobbies,
            stores.directory,
            self.billing,
            self.clock,
            offered,
            takes_test=settings.allow_test_payments,
        )
        play = Play(lobbies)
        payments = Payments(lobbies, stores.lobbies, stores.invoices, terms, self.clock)
        self.caller = Caller(lobbies, stores.timers, alarms, self.clock, tables)
        self.survey = Survey(
            stores.directory, stores.ledger, stores.nodes, self.clock, metrics, tables
        )

        # Who asks
        self.keys = Jwks(
            url=settings.alien_jwks_url,
            ttl_seconds=settings.jwks_ttl_seconds,
            cooldown_seconds=settings.jwks_cooldown_seconds,
        )
        verifier = IdentityVerifier(
            keys=self.keys,
            issuer=settings.alien_issuer,
            audience=settings.alien_provider_address,
            token_max_seconds=settings.token_max_seconds,
            leeway_seconds=settings.jwt_leeway_seconds,
            now_s=self.clock.now_s,
        )

        limits = socket_limits(settings)
        check = TokenCheck(verifier.verify, RateByKey(limits.connects_by_address, _now_s))

        # The sockets
        counts = Counts()
        rooms = Rooms()
        states = States(self.following, self.billing)
        self.relay = Relay(rooms, states, self.clock, metrics)
        self.following.audience = self.relay
        self.board = Board(
            stores.lobbies, stores.directory, self.subscription, tables, Listing(rooms).changed
        )
        front_desk = FrontDesk(self.board, seats, offered, RateByKey(JOINS, _now_s))
        lobby_room = LobbyRoom(
            self.following, Resuming(self.following, stores.lobbies), states, play, seats
        )

        def door(namespace: str) -> Door | None:
            if namespace == FRONT_DESK:
                return front_desk
            return None if namespace_lobby(namespace) is None else lobby_room

        self.gateway = Gateway(
            doors=door,
            tokens=Tokens(check, self.clock.now_ms),
            limits=limits,
            rooms=rooms,
            counts=counts,
        )

        # HTTP
        self.web = web.Application(middlewares=[error_middleware(counts)])
        self.web.on_response_prepare.append(add_security_headers)
        self.gateway.attach(self.web)
        GameRoutes(
            caller=HttpCaller(
                check, RateByKey(http_limit(settings), _now_s), settings.trusted_proxies
            ),
            lobbies=lobbies,
            seats=seats,
            play=play,
            billing=self.billing,
            proofs=Proofs(lobbies, stores.proofs),
            clock=self.clock,
        ).add_to(self.web)
        Webhook(payments, settings.webhook_public_key, self._has_started, metrics).add_to(self.web)
        watch(
            metrics,
            gateway=self.gateway,
            counts=counts,
            following=self.following,
            max_sockets=settings.max_sockets,
            caller=self.caller,
            survey=self.survey,
            connection=stores.connection,
            subscription=self.subscription,
        )
        MetricsRoute(metrics).add_to(self.web)
        HealthRoutes(self.stores.health, self._readiness).add_to(self.web)
        pages = Pages(offered, dev_login=dev_login, host_origins=settings.allowed_origins)
        pages.add_to(self.web)
        if dev_login or settings.ops_token is not None:
            OpsRoutes(pages, self.survey.nodes, settings.ops_token).add_to(self.web)
        self._runner = web.AppRunner(
            self.web,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=keep_alive_seconds,
            shutdown_timeout=REQUEST_SECONDS,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Listen, wait for the store, begin to call. Returns the URL.

        Raises WeakDurability, and OSError if the port cannot be had.
        """
        await self._runner.setup()
        await web.TCPSite(
            self._runner, self.settings.host, self.settings.port, backlog=BACKLOG
        ).start()
        await self.stores.wait_until_usable(
            allow_weak_durability=self.settings.allow_weak_durability
        )
        self.subscription.start()
        self.caller.start()
        self.survey.start()
        self.readiness = "ok"
        url = f"http://{self.settings.host}:{self._runner.addresses[0][1]}"
        log.info("ready", url=url)
        return url

    async def stop(self, drain_seconds: float = 0) -> None:
        """Take nothing new, send everyone away over so many seconds, finish what was begun."""
        self.readiness = "draining"
        await self.caller.stop()
        await self.survey.stop()
        await self.gateway.drain(drain_seconds)
        await self._runner.cleanup()
        await self.relay.close()
        await self.following.close()
        await self.subscription.close()
        await self.stores.close()
        await self.keys.close()
        log.info("stopped")

    def _has_started(self) -> bool:
        return self.readiness != "starting"

    def _readiness(self) -> Readiness:
        if self.readiness == "ok" and not (self.subscription.alive and self.caller.alive):
            return "degraded"
        return self.readiness

    def _restored(self) -> None:
        self.following.restore()
        task = asyncio.create_task(self.board.restore())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
