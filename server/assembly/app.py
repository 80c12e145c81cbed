"""The composition root: every part is built here, once, by name, in order; and started, and
stopped."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from server.assembly.authentication import Authentication
from server.assembly.beacon import beacon_of
from server.assembly.books import books_side, watch_no_books
from server.assembly.http import Http, InheritedSockets
from server.assembly.instruments import watch
from server.assembly.limits import join_limit, socket_limits
from server.assembly.readiness import ReadinessCheck
from server.assembly.routes import Routes
from server.assembly.sockets import Sockets
from server.assembly.stores import RETRY_SECONDS, Stores
from server.assembly.tiers import tiers
from server.assembly.use_cases import UseCases
from server.rules.variants import Variant
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings
from server.store.errors import StoreUnavailable
from server.store.reception import Reception
from server.store.subscription import ShardSubscription
from server.store.timings import TIMINGS, StoreTimings
from server.transport.concurrency import PAYMENTS_AT_ONCE, PLAYERS_AT_ONCE, ConcurrencyLimiter
from server.transport.front_desk import LISTING_SECONDS
from server.transport.http.metrics import RarelyWritten
from server.transport.http.runner import KEEP_ALIVE_SECONDS
from server.transport.limits import RateByKey

log = structlog.get_logger(__name__)


LISTEN_SECONDS: Final = 3.0
"""So long one of several processes waits for the store until it listens all the same."""
READY_POLL_SECONDS: Final = 0.01


class App:
    """One server process. `offered` is the variant of each buy-in, if not as the settings say. With
    `dev_login` its page logs in and pays by the routes of development. A connection may be idle for
    `keep_alive_seconds`, and has no longer for the header of a request; lobbies are listed at most
    once in `listing_seconds`. One of several processes on a port has `inherited` its sockets, and
    `metrics_text` gives what all of them count."""

    def __init__(
        self,
        settings: Settings,
        *,
        offered: Mapping[int, Variant] | None = None,
        dev_login: bool = False,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
        listing_seconds: float = LISTING_SECONDS,
        timings: StoreTimings = TIMINGS,
        inherited: InheritedSockets | None = None,
        metrics_text: Callable[[], Awaitable[bytes]] | None = None,
    ) -> None:
        self._is_worker = inherited is not None
        self.settings = settings
        offered = tiers(settings) if offered is None else offered
        limits = socket_limits(settings)
        self.clock = StoreClock()
        self.metrics = Metrics()
        self.stores = Stores(settings, self.clock, self.metrics, timings)
        topology, channels = self.stores.topology, self.stores.channels
        self.subscription = topology.subscription(channels, self._restore)
        self.reception = (
            Reception(self.stores.connection, self.subscription, channels)
            if isinstance(self.subscription, ShardSubscription)
            else None
        )
        self.books = books_side(settings, self.stores, self.clock)
        if self.books is None:
            watch_no_books(self.metrics)
        else:
            self.books.watch(self.metrics)
        self.beacon = beacon_of(settings, self.clock)
        self.use_cases = UseCases(
            settings,
            offered,
            self.stores,
            self.subscription,
            self.clock,
            self.metrics,
            RateByKey(join_limit(settings), time.monotonic).allow,
            None if self.books is None else self.books.past,
            self.beacon,
            None if self.books is None else self.books.kept_actions,
        )
        self.readiness = ReadinessCheck(self.stores, self.subscription, self.use_cases.scheduler)
        self.authentication = Authentication(
            settings, self.clock, None if self.books is None else self.books.address_book.note
        )
        players = ConcurrencyLimiter(PLAYERS_AT_ONCE)
        payments = ConcurrencyLimiter(PAYMENTS_AT_ONCE)
        self.sockets = Sockets(
            limits,
            offered,
            self.stores,
            self.subscription,
            self.use_cases,
            self.authentication.check,
            players,
            self.clock,
            self.metrics,
            listing_seconds,
        )
        routes = Routes(
            settings,
            offered,
            self.stores,
            self.use_cases,
            None if self.books is None else self.books.history,
            None if self.books is None else self.books.payout_desk,
            self.sockets,
            self.authentication,
            players,
            payments,
            self.clock,
            self.metrics,
            metrics_text or RarelyWritten(self.metrics.render),
            self.readiness,
            dev_login=dev_login,
        )
        self.web = routes.web
        self.http = Http(settings, routes.web, routes.metrics_web, keep_alive_seconds, inherited)
        watch(
            self.metrics,
            gateway=self.sockets.gateway,
            counts=self.sockets.counts,
            replicas=self.use_cases.replicas,
            max_sockets=limits.max_sockets,
            scheduler=self.use_cases.scheduler,
            limiters={"players": players, "payments": payments},
            cluster_stats=self.use_cases.cluster_stats,
            connection=self.stores.connection,
            monitor=self.stores.monitor,
            subscription=self.subscription,
            beacon=self.beacon,
            is_leaving=lambda: self.readiness.is_leaving,
        )

    async def start(self) -> str:
        """Listen, wait for the store, and start the scheduler. Returns the URL.

        Raises WeakDurability, BooksMissing, BeaconContradicts, and CannotListen if a port cannot be
        had.
        """
        if self.books is not None:
            await self.books.check()
        if self._is_worker:
            url = await self._begin_and_listen()
        else:
            url = await self.http.listen()
            await self._begin()
        log.info("ready", url=url)
        return url

    async def _begin_and_listen(self) -> str:
        """Who connects while a worker begins waits in the backlog, or is served by another one."""
        beginning = asyncio.create_task(self._begin())
        try:
            await asyncio.wait([beginning], timeout=LISTEN_SECONDS)
            if beginning.done():
                await beginning
            url = await self.http.listen()
            await beginning
        finally:
            beginning.cancel()
        return url

    async def _begin(self) -> None:
        await self.stores.wait_until_usable()
        if self.beacon is not None:
            await self.beacon.start()
        self.stores.monitor.start()
        self.subscription.start()
        if self.reception is not None:
            self.reception.start()
        await self._learn_orders()
        self.use_cases.operator_watch.start()
        self.use_cases.scheduler.start()
        self.use_cases.cluster_stats.start()
        if self.books is not None:
            self.books.payout_watch.start()
            self.books.address_book.start()
        self.readiness.begun()
        while self._is_worker:
            if self.readiness.state() == "ok":
                break
            await asyncio.sleep(READY_POLL_SECONDS)

    async def _learn_orders(self) -> None:
        """Learn what operators ordered: before that nobody is seated."""
        while True:
            try:
                return await self.use_cases.operator_watch.begin()
            except StoreUnavailable as error:
                log.warning("waiting_for_store", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def leave(self, drain_seconds: float) -> None:
        """End while another process serves on the same sockets: refuse nobody who is here, or on
        the way here, and send everyone away over so many seconds."""
        self.readiness.is_leaving = True
        await self.use_cases.scheduler.stop()
        await asyncio.gather(self.http.leave(), self.sockets.gateway.leave(drain_seconds))
        await self.stop()

    async def stop(self, drain_seconds: float = 0) -> None:
        """Take nothing new, send everyone away over so many seconds, finish what was begun."""
        self.readiness.draining()
        await self.use_cases.scheduler.stop()
        await self.use_cases.beacons.close()
        await self.use_cases.operator_watch.stop()
        await self.use_cases.cluster_stats.stop()
        if self.books is not None:
            await self.books.payout_watch.stop()
            await self.books.address_book.stop()
        await self.sockets.gateway.drain(drain_seconds)
        await self.http.close()
        await self.sockets.relay.close()
        await self.use_cases.replicas.close()
        if self.reception is not None:
            await self.reception.stop()
        await self.subscription.close()
        await self.stores.close()
        if self.books is not None:
            await self.books.close()
        await self.authentication.close()
        if self.beacon is not None:
            await self.beacon.close()
        log.info("stopped")

    def _restore(self) -> None:
        """The subscription was lost: what it may have missed is read from the store."""
        self.use_cases.replicas.restore()
        self.use_cases.operator_watch.look()
        self.sockets.forming_lobbies.restore()
