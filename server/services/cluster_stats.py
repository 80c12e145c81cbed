"""Cluster stats: what the operator wants to know of all nodes together, read every few seconds.

The ledger is read once from its beginning, and from then on only its new entries: the sums are the
ledger's own, and payments do no work for them.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from protocol.ids import table_tier
from server.rules.coins import Coins
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics, Values
from server.runtime.tasks import end
from server.store.directory import Directory, LobbyCounts
from server.store.errors import StoreUnavailable
from server.store.ledger import LedgerEntry, LedgerStore, MalformedEntry, read_entry
from server.store.nodes import Nodes, NodeSamples
from server.store.past_games import PastGames
from server.store.past_ledger import START, PastLedger, stream_position
from server.store.tables import Tables

REFRESH_SECONDS: Final = 4.0
GONE_SECONDS: Final = 15.0
"""A node that has reported nothing for so long is gone."""
_PAUSE_SECONDS: Final = 0.02
"""Between two pages of a ledger, so that commits of games do not queue behind them."""
_TABLES_AT_ONCE: Final = 16
AT: Final = "at_ms"

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Debts:
    """The open debts of one table's ledger, up to its entry `last_id`; up to `complete_until` none
    can be missing."""

    last_id: str = ""
    complete_until: str = START
    open: dict[str, LedgerEntry] = field(default_factory=dict)

    def add(self, page: Sequence[LedgerEntry | MalformedEntry]) -> None:
        """Take in the next entries. A malformed one is logged and left out; `audit` reports it."""
        for entry in page:
            if isinstance(entry, MalformedEntry):
                log.error("ledger_entry_malformed", entry=entry.entry_id, problem=entry.problem)
            elif entry.owed:
                self.open[entry.stream_id] = entry
            elif entry.kind == "settled":
                self.open.pop(entry.event, None)
        if page:
            self.last_id = page[-1].stream_id


class ClusterStats:
    """Reads what concerns all nodes, and reports this node's own samples to the others."""

    def __init__(
        self,
        directory: Directory,
        ledger: LedgerStore,
        nodes: Nodes,
        clock: StoreClock,
        metrics: Metrics,
        tables: Tables,
        past_ledger: PastLedger,
        past_games: PastGames,
    ) -> None:
        self._directory = directory
        self._ledger = ledger
        self._nodes = nodes
        self._clock = clock
        self._metrics = metrics
        self._node = f"{socket.gethostname()}-{os.getpid()}"
        self._counts: dict[str, LobbyCounts] = {}
        self._tables = tables
        self._past_ledger = past_ledger
        self._past_games = past_games
        self._debts: dict[str, Debts] = {}
        self._first_end_ms: dict[str, float | None] = {}
        self._task: asyncio.Task[None] | None = None
        self.at_ms = 0.0

    def start(self) -> None:
        """Begin to refresh."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop refreshing, and let the other nodes know that this one is gone."""
        if self._task is not None:
            await end(self._task)
            with suppress(StoreUnavailable):  # the others notice by themselves
                await self._nodes.forget(self._node)

    def lobbies(self) -> Values:
        """Lobbies in the store by tier and phase, whichever node has their players."""
        lobbies: Counter[tuple[str, ...]] = Counter()
        for table, counts in self._counts.items():
            lobbies[_tier(table), "forming"] += counts.forming
            lobbies[_tier(table), "playing"] += counts.playing
        return lobbies

    def owed_coins(self) -> Values:
        """What is owed to players, by tier and kind."""
        coins: dict[tuple[str, ...], Coins] = {
            (_tier(table), kind): 0
            for table in self._debts
            for kind in ("payout_owed", "refund_owed")
        }
        for table, debts in self._debts.items():
            for entry in debts.open.values():
                coins[_tier(table), entry.kind] += entry.amount
        return {labels: float(amount) for labels, amount in coins.items()}

    def open_debts(self, table: str) -> list[LedgerEntry]:
        """What is owed and not settled at a table."""
        debts = self._debts.get(table)
        return [] if debts is None else list(debts.open.values())

    def oldest_debt_seconds(self) -> Values:
        """The age of the oldest open debt by tier; 0 if there is none."""
        now_ms = self._clock.now_ms()
        oldest: dict[tuple[str, ...], float] = {}
        for table, debts in self._debts.items():
            ages = (now_ms - entry.at for entry in debts.open.values())
            so_far = oldest.get((_tier(table),), 0.0)
            oldest[(_tier(table),)] = max(so_far, max(ages, default=0) / 1000)
        return oldest

    def archive_lag_seconds(self) -> Values:
        """The age of the oldest game that is over and not in the books, by tier; 0 if there is
        none."""
        now_ms, lags = self._clock.now_ms(), dict[tuple[str, ...], float]()
        for table, end_ms in self._first_end_ms.items():
            lag = 0.0 if end_ms is None else max(now_ms - end_ms, 0) / 1000
            lags[(_tier(table),)] = max(lag, lags.get((_tier(table),), 0))
        return lags

    async def nodes(self) -> Mapping[str, NodeSamples]:
        """The latest samples of every node that is alive. Raises StoreUnavailable."""
        reports = await self._nodes.reports()
        dated = {node: samples for node, samples in reports.items() if AT in samples}
        since_ms = self._clock.now_ms() - GONE_SECONDS * 1000
        gone = [node for node, samples in dated.items() if samples[AT] < since_ms]
        if gone:
            await self._nodes.forget(*gone)
        return {node: samples for node, samples in dated.items() if node not in gone}

    async def _run(self) -> None:
        while True:
            try:
                await self._refresh()
            except StoreUnavailable as error:
                log.warning("cluster_stats_without_store", error=str(error))
            except Exception:
                # The values grow old, which their timestamp shows; the next refresh may succeed.
                log.exception("cluster_stats_failed")
            await asyncio.sleep(REFRESH_SECONDS)

    async def _refresh(self) -> None:
        at_ms = self._clock.now_ms()
        known = self._tables.known
        for start in range(0, len(known), _TABLES_AT_ONCE):
            some = known[start : start + _TABLES_AT_ONCE]
            looks = await asyncio.gather(*map(self._look_at, some), return_exceptions=True)
            for table, error in zip(some, looks, strict=True):
                if isinstance(error, StoreUnavailable):  # the others are looked at all the same
                    log.warning("cluster_stats_without_store", table=table, error=str(error))
                    at_ms = self.at_ms
                elif error is not None:
                    raise error
        self.at_ms = at_ms
        samples = {AT: self._clock.now_ms(), **self._metrics.samples()}
        await self._nodes.report(self._node, samples)

    async def _look_at(self, table: str) -> None:
        self._counts[table] = await self._directory.counts(table)
        self._first_end_ms[table] = await self._past_games.first_end_ms(table)
        debts = self._debts.get(table)
        if debts is None:
            debts = self._debts[table] = await self._remembered(table)
        if not await self._read_on(table, debts):
            debts = await self._remembered(table)
            await self._read_on(table, debts)  # if that is not all either, the next look finds it
            self._debts[table] = debts

    async def _read_on(self, table: str, debts: Debts) -> bool:
        """Take in what is new; false if some of it may have left the store before it was read."""
        async for page in self._ledger.pages(table, debts.last_id):
            debts.add(page)
            await asyncio.sleep(_PAUSE_SECONDS)
        let_go = await self._past_ledger.let_go_until(table)
        if stream_position(let_go) > stream_position(debts.complete_until):
            return False
        debts.complete_until = debts.last_id or debts.complete_until
        return True

    async def _remembered(self, table: str) -> Debts:
        """What was owed in the part of a ledger that has left the store."""
        found = await self._past_ledger.checkpoint(table)
        entries = (read_entry(table, stream_id, fields) for stream_id, fields in found.owed.items())
        owed = {entry.stream_id: entry for entry in entries if isinstance(entry, LedgerEntry)}
        return Debts(complete_until=found.last_id, open=owed)


def _tier(table: str) -> str:
    """What the tables of a tier are counted under: labels of metrics stay few."""
    return str(table_tier(table))
