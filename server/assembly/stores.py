"""The store's side: everything that reads or writes it."""

import asyncio
from typing import Final

import structlog

from server.assembly.tiers import tables
from server.rules.payments import Terms
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings
from server.runtime.store_url import read_store_url
from server.store.channels import Channels
from server.store.commits import Commits
from server.store.directory import Directory
from server.store.errors import StoreUnavailable, WrongTopology
from server.store.invoices import InvoiceStore
from server.store.ledger import LedgerStore
from server.store.limits import LimitsStore
from server.store.lobbies import LobbyStore
from server.store.monitor import StoreMonitor
from server.store.nodes import Nodes
from server.store.operator_log import OperatorLog
from server.store.past_games import PastGames
from server.store.past_ledger import PastLedger
from server.store.permissions import permissions
from server.store.projection import Projection, Retention
from server.store.proofs import ProofStore
from server.store.replica_wait import ReplicaWait
from server.store.restrictions import Restrictions
from server.store.shards import open_topology
from server.store.tables import Tables
from server.store.timers import Timers
from server.store.timings import TIMINGS, StoreTimings

RETRY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class WeakDurability(Exception):
    """The store may lose what it acknowledged. The text is one line for the operator."""


class Stores:
    """What a process uses of the store: over one connection, one more on which commits wait for
    replicas, where they do, and one for health."""

    def __init__(
        self,
        settings: Settings,
        clock: StoreClock,
        metrics: Metrics,
        timings: StoreTimings = TIMINGS,
    ) -> None:
        self.timings = timings
        self.channels = Channels()
        self.terms = Terms(
            recipient=settings.alien_provider_address,
            token=settings.payment_token,
            network=settings.payment_network,
        )
        retention = Retention(
            finished_seconds=settings.finished_ttl_seconds,
            proof_seconds=settings.proof_ttl_seconds,
            invoice_seconds=settings.invoice_ttl_seconds,
            books=settings.database_url is not None,
        )
        projection = Projection(retention, settings.coin_decimals, self.terms, self.channels)
        self.topology = open_topology(settings.redis_url, settings.sentinel_password, timings)
        self.connection = self.topology.connection(clock, metrics)
        wait = ReplicaWait(settings.store_replicas, settings.store_replicas_seconds)
        self.confirming = self.topology.connection(clock, metrics, wait) if wait else None
        self.health = self.topology.health()
        self.commits = commits = Commits(self.connection, metrics, self.confirming)
        self.restrictions = Restrictions(self.connection, commits, clock)
        self.operator_log = OperatorLog(self.connection, commits, self.channels, clock)
        self.tables = Tables(self.connection, tables(settings), self.restrictions.copy)
        self.monitor = StoreMonitor(
            self.connection,
            lambda: [
                *permissions(
                    self.tables.known,
                    self.channels,
                    replicas=bool(wait),
                    cluster=read_store_url(settings.redis_url).kind == "cluster",
                )
            ],
            allow_weak=settings.allow_weak_durability,
            replicas=wait.replicas,
            others=[] if self.confirming is None else [self.confirming],
            timings=timings,
        )
        self.lobbies = LobbyStore(self.connection, commits, projection, self.tables)
        self.invoices = InvoiceStore(
            self.connection, commits, self.channels, books=settings.database_url is not None
        )
        self.ledger = LedgerStore(self.connection, commits, self.channels)
        self.limits = LimitsStore(self.connection, commits)
        self.past_ledger = PastLedger(self.connection, commits)
        self.past_games = PastGames(self.connection, commits)
        self.proofs = ProofStore(self.connection, commits)
        self.directory = Directory(self.connection)
        self.timers = Timers(self.connection)
        self.nodes = Nodes(self.connection)

    async def wait_until_usable(self) -> None:
        """Wait until the store answers; then its channels and its time are known.

        Raises WeakDurability if it must not take payments, or not be played on.
        """
        self.monitor.attach()
        while True:
            try:
                await self.topology.check()
                self.topology.start()
                self.channels.sharded = await self.health.has_sharded_channels()
                await self.connection.look_again()
                self._refuse_weak()
                await self.connection.set_clock()
                break
            except WrongTopology as error:
                raise WeakDurability(
                    f"REDIS_URL: {error} (one store is redis:// or rediss://)"
                ) from None
            except StoreUnavailable as error:
                log.warning("waiting_for_store", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
        found = self.monitor.findings
        if found is not None and found.hidden:
            log.warning("durability_unknown", hint="the store hides its settings", of=found.hidden)
        if found is not None and found.weak:
            log.warning("weak_durability_allowed", faults=found.weak)
        if found is not None and found.stops_as_one:
            log.warning("cluster_stops_as_one", hint="cluster-require-full-coverage no")

    async def learn_channels_and_time(self) -> None:
        """Learn which channels the store has and what time it is there, before a command publishes
        what it changes. Raises StoreUnavailable."""
        self.channels.sharded = await self.health.has_sharded_channels()
        await self.connection.set_clock()

    def _refuse_weak(self) -> None:
        if self.monitor.findings is not None and self.monitor.faults:
            raise WeakDurability(
                "the store may lose or refuse what it must not: "
                + "; ".join(self.monitor.faults)
                + (
                    " (mend that, or set ALLOW_WEAK_DURABILITY=true)"
                    if self.monitor.findings.weak
                    else ""
                )
            )

    async def close(self) -> None:
        """Finish what was sent, and close the connections."""
        await self.monitor.stop()
        await self.connection.close()
        if self.confirming is not None:
            await self.confirming.close()
        await self.health.close()
        await self.topology.stop()
