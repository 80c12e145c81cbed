"""Settling debts whose ledger is in the books and in the store, many at once."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from server.books import reading
from server.books.engine import BooksConnection
from server.books.payouts import Payout
from server.runtime.clock import StoreClock
from server.store.errors import StoreUnavailable
from server.store.ledger import LedgerEntry, LedgerStore

# The first one may only teach us the store's time.
_ATTEMPTS: Final = 3


class Settling:
    """As `WholeLedger` does it, on a connection to the books that there is already: who waited for
    another one while holding one would keep others from theirs."""

    def __init__(self, store: LedgerStore, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def settled(
        self, connection: BooksConnection, entries: Sequence[LedgerEntry]
    ) -> Mapping[str, str]:
        """The references of those that are settled, by the ids of the entries. Raises
        StoreUnavailable."""
        found: dict[str, str] = {}
        for table in {entry.table for entry in entries}:
            of_table = [entry for entry in entries if entry.table == table]
            found |= await self._store.settled(of_table)
            names = [entry.stream_id for entry in of_table if entry.entry_id not in found]
            moved = await reading.settlements(connection, table, names)
            found |= {f"{table}:{name}": reference for name, reference in moved.items()}
        return found

    async def settle(
        self, connection: BooksConnection, wanted: Sequence[tuple[LedgerEntry, str]]
    ) -> Mapping[str, str]:
        """Note that debts were paid, each with its reference. The references with which they are
        settled now, by the ids of the entries: an earlier one stays as it is. Those that the store
        does not take now are not among them."""
        found: dict[str, str] = {}
        left = [*wanted]
        for _ in range(_ATTEMPTS):
            now_ms = self._clock.now_ms()
            try:
                earlier = await self.settled(connection, [entry for entry, _ in left])
                for table in {name.partition(":")[0] for name in earlier}:
                    await self._store.confirm(table)
                found |= earlier
            except StoreUnavailable:
                continue
            left = [(entry, name) for entry, name in left if entry.entry_id not in found]
            if not left:
                break
            settling = (self._store.settle(entry, name, now_ms) for entry, name in left)
            results = await asyncio.gather(*settling, return_exceptions=True)
            for (entry, name), done in zip(left, results, strict=True):
                if done is True:
                    found[entry.entry_id] = name
                elif isinstance(done, BaseException) and not isinstance(done, StoreUnavailable):
                    raise done
        return found


def owed_entry(payout: Payout) -> LedgerEntry:
    """The entry that owes a payout, as far as it takes to settle it."""
    return LedgerEntry(
        table=payout.table,
        stream_id=payout.stream_id,
        kind="payout_owed" if payout.kind == "payout" else "refund_owed",
        amount=payout.amount,
        lobby_id=payout.lobby_id or "",
        at=0,
        event="",
        invoice_id=payout.invoice_id,
        alien_id=payout.alien_id,
    )
