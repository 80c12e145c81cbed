"""Debts in the books, workers that pay them, and a payment service that they ask."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row
from redis.asyncio import Redis

from server.assembly.books import BooksSide
from server.books.patience import PATIENCE_OF_WORK_SECONDS
from server.dev.payout_service import DevPayoutService
from server.outside.payout_service import PayoutService
from server.runtime.settings import load_settings
from server.services.past import WholeLedger
from server.store.ledger import LedgerEntry
from tests.support.game import BUY_IN, SETTINGS, TABLE, Node, StartNode
from tests.support.payouts import owe, payout_service
from tests.support.wait import until

Row = dict[str, Any]


class PayoutWorld:
    """Store, books and a payment service; `settings` are those of whoever looks at them."""

    def __init__(
        self, node: Node, redis: Redis, books_url: str, settings: Mapping[str, str]
    ) -> None:
        self.node = node
        self.redis = redis
        self.url = books_url
        self.settings = dict(settings)
        self.side = self._side({})
        self._owed = 0

    @property
    def desk(self) -> Any:
        """What operators do."""
        return self.side.payout_desk

    @property
    def ledger(self) -> WholeLedger:
        """All entries, those in the books too."""
        stores = self.node.stores
        return WholeLedger(stores.ledger, stores.past_ledger, self.side.past)

    async def owe(self, *amounts: str | int, **fields: Any) -> list[str]:
        """Owe these, in books that have them. The payouts' ids."""
        found = []
        for amount in amounts:
            self._owed += 1
            found.append(await owe(self.redis, self._owed, str(amount), **fields))
        await self.move()
        return found

    async def move(self) -> None:
        """Move everything that is over."""
        while await self.side.archive.move(TABLE):
            pass

    @asynccontextmanager
    async def paying(self, **changes: str) -> AsyncIterator[None]:
        """A worker runs."""
        stop = asyncio.Event()
        side = self._side(changes)
        settings = load_settings(self._environment(changes))
        service = PayoutService(
            settings.payout_url or "",
            settings.payout_key or b"",
            settings.payout_timeout_seconds,
            settings.payouts_at_once,
        )
        running = asyncio.create_task(side.payout_worker(service).run(stop))
        try:
            yield
        finally:
            stop.set()
            await running
            await service.close()
            await side.close()

    async def pay_all(self, **changes: str) -> None:
        """A worker runs until nothing waits but for an operator."""
        async with self.paying(**changes):
            await until(self.nothing_waits)

    async def rows(self) -> list[Row]:
        """All payouts."""
        async with await psycopg.AsyncConnection.connect(self.url, row_factory=dict_row) as c:
            found = await c.execute("SELECT * FROM payouts ORDER BY owed_at, entry_id")
            return await found.fetchall()

    async def row(self, payout_id: str) -> Row:
        """That payout."""
        return next(row for row in await self.rows() if row["payout_id"] == payout_id)

    async def statuses(self) -> list[str]:
        """How far each payout is, in the order of the debts."""
        return [row["status"] for row in await self.rows()]

    async def are(self, *statuses: str) -> bool:
        """Whether the payouts are so far."""
        return await self.statuses() == list(statuses)

    async def nothing_waits(self) -> bool:
        """Whether each payout is settled, or waits for an operator."""
        return {*await self.statuses()} <= {"settled", "refused", "held"}

    async def execute(self, statement: str, *values: str) -> None:
        """Change the books."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            await connection.execute(statement.encode(), values)

    async def settlements(self) -> dict[str, list[str]]:
        """The references in the ledger by the payouts that they are of, wherever it is."""
        found: dict[str, list[str]] = {}
        async for page in self.ledger.pages(TABLE):
            for entry in page:
                if isinstance(entry, LedgerEntry) and entry.kind == "settled":
                    references = found.setdefault(f"po_{TABLE}_{entry.event}", [])
                    references.append(entry.reference or "")
        return found

    def _environment(self, changes: Mapping[str, str]) -> dict[str, str]:
        offered = {"REDIS_URL": "redis://unused", "BUY_IN_TIERS": str(BUY_IN)}
        return {**SETTINGS, **offered, "DATABASE_URL": self.url, **self.settings, **changes}

    def _side(self, changes: Mapping[str, str]) -> BooksSide:
        settings = load_settings(self._environment(changes))
        return BooksSide(
            self.url, settings, self.node.stores, self.node.clock, PATIENCE_OF_WORK_SECONDS
        )


@asynccontextmanager
async def payout_world(
    start_node: StartNode,
    store_url: str,
    books_url: str,
    redis: Redis,
    service: DevPayoutService | None = None,
    **settings: str,
) -> AsyncIterator[PayoutWorld]:
    """A world on an empty store and empty books, with that payment service if it is given."""
    async with AsyncExitStack() as stack:
        if service is not None:
            settings |= await stack.enter_async_context(payout_service(service))
        node = await start_node(store_url, DATABASE_URL=books_url)
        world = PayoutWorld(node, redis, books_url, settings)
        stack.push_async_callback(world.side.close)
        yield world
