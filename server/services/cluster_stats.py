"""The survey: what the operator wants to know of all nodes together, looked up every few seconds.

The ledger is read once and then followed, so that the figures are its own and cost the payments
nothing.
"""

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from server.rules.coins import Coins
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics, Values
from server.store.directory import Census, Directory
from server.store.errors import StoreUnavailable
from server.store.ledger import Entry, LedgerStore, Malformed
from server.store.nodes import Figures, Nodes
from server.store.tables import Tables

SURVEY_SECONDS: Final = 4.0
GONE_SECONDS: Final = 15.0
"""A node that has told nothing for so long is gone."""
_PAUSE_SECONDS: Final = 0.02
"""Between two pages of a ledger: the games go first."""
AT: Final = "at_ms"

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Debts:
    """What one table's ledger says is owed, up to its entry `last_id`."""

    last_id: str = ""
    open: dict[str, Entry] = field(default_factory=dict)

    def add(self, page: Sequence[Entry | Malformed]) -> None:
        """Take in the next entries. One that is malformed is for `audit` to tell of, and takes
        nothing from the others."""
        for entry in page:
            if isinstance(entry, Malformed):
                log.error("ledger_entry_malformed", entry=entry.entry_id, problem=entry.problem)
            elif entry.owed:
                self.open[entry.stream_id] = entry
            elif entry.kind == "settled":
                self.open.pop(entry.event, None)
        if page:
            self.last_id = page[-1].stream_id


class ClusterStats:
    """Looks, and leaves this node's own figures for the others."""

    def __init__(
        self,
        directory: Directory,
        ledger: LedgerStore,
        nodes: Nodes,
        clock: StoreClock,
        metrics: Metrics,
        tables: Tables,
    ) -> None:
        self._directory = directory
        self._ledger = ledger
        self._nodes = nodes
        self._clock = clock
        self._metrics = metrics
        self._node = f"{socket.gethostname()}-{os.getpid()}"
        self._census: dict[str, Census] = {}
        self._tables = tables
        self._debts = {table: Debts() for table in tables.known}
        self._task: asyncio.Task[None] | None = None
        self.at_ms = 0.0

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Look no more; this node is gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            with suppress(StoreUnavailable):  # the others notice by themselves
                await self._nodes.forget(self._node)

    def lobbies(self) -> Values:
        """Lobbies in the store by tier and phase, whichever node has their players."""
        return {
            (table, phase): count
            for table, census in self._census.items()
            for phase, count in (("forming", census.forming), ("playing", census.playing))
        }

    def owed_coins(self) -> Values:
        """What is owed to players, by tier and kind."""
        coins: dict[tuple[str, ...], Coins] = {}
        for table, debts in self._debts.items():
            coins |= {(table, "payout_owed"): 0, (table, "refund_owed"): 0}
            for entry in debts.open.values():
                coins[table, entry.kind] += entry.amount
        return {labels: float(amount) for labels, amount in coins.items()}

    def oldest_debt_seconds(self) -> Values:
        """The age of the oldest open debt by tier; 0 if there is none."""
        now_ms = self._clock.now_ms()
        return {
            (table,): max((now_ms - entry.at for entry in debts.open.values()), default=0) / 1000
            for table, debts in self._debts.items()
        }

    async def nodes(self) -> Mapping[str, Figures]:
        """The latest figures of every node that lives. Raises StoreUnavailable."""
        told = {n: figures for n, figures in (await self._nodes.told()).items() if AT in figures}
        since_ms = self._clock.now_ms() - GONE_SECONDS * 1000
        gone = [node for node, figures in told.items() if figures[AT] < since_ms]
        if gone:
            await self._nodes.forget(*gone)
        return {node: figures for node, figures in told.items() if node not in gone}

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except StoreUnavailable as error:
                log.warning("survey_without_store", error=str(error))
            except Exception:
                # The figures grow old, and say so; the next look may do better.
                log.exception("survey_failed")
            await asyncio.sleep(SURVEY_SECONDS)

    async def _look(self) -> None:
        for table in self._tables.known:
            debts = self._debts.setdefault(table, Debts())
            self._census[table] = await self._directory.census(table)
            async for page in self._ledger.pages(table, debts.last_id):
                debts.add(page)
                await asyncio.sleep(_PAUSE_SECONDS)
        self.at_ms = self._clock.now_ms()
        await self._nodes.tell(self._node, {AT: self.at_ms, **self._metrics.samples()})
