"""The past in the books, as the services ask for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from server.books import auditing, payout_audit, reading
from server.books.engine import (
    LONG_READING_SECONDS,
    Books,
    keep_while_idle,
    snapshot_name,
)
from server.books.moving import fields_of_entry, lock_cursor
from server.books.payouts import settle_again
from server.rules.coins import Coins, exact_coins
from server.services.books_asked import asked
from server.services.followed_ledger import follow_ledger
from server.services.game_files import GameFile
from server.services.past import Account, Fields, GameEnd, MovedLedger, NotToBegin
from server.store.past_ledger import START, PastLedger, stream_position
from server.store.spent import Received, received_of

_PAGE: Final = 5_000
_CHECKS: Final = 5
_CHECK_AGAIN_SECONDS: Final = 0.2


class PastInBooks:
    """What has left the store for `books`; `store` is what has not."""

    def __init__(self, books: Books, store: PastLedger) -> None:
        self._books = books
        self._store = store

    async def invoice(self, invoice_id: str) -> Fields | None:
        """See `Past`."""
        async with asked(self._books) as connection:
            return await reading.invoice_fields(connection, invoice_id)

    async def game(self, lobby_id: str) -> GameFile | None:
        """See `Past`."""
        async with asked(self._books) as connection:
            row = await reading.record_of(connection, lobby_id)
        if row is None:
            return None
        return GameFile(lobby_id=lobby_id, log=row.log, hash=row.hash, proof=row.proof)

    async def ledger(self, table: str, after: str) -> AsyncIterator[list[tuple[str, Fields]]]:
        """See `Past`."""
        async for page in self._rows(table, after):
            yield [(stream_id, row.fields) for stream_id, row in page]

    async def settlements(self, table: str, owed: Sequence[str]) -> Mapping[str, str]:
        """See `Past`."""
        if not owed:
            return {}
        async with asked(self._books) as connection:
            return await reading.settlements(connection, table, owed)

    async def received(self, alien_id: str, since_ms: float) -> Sequence[Received]:
        """See `Past`."""
        async with asked(self._books) as connection:
            rows = await reading.received_since(connection, alien_id, since_ms)
        found = (received_of(row.table_name, row.fields) for row in rows)
        return [payment for payment in found if payment is not None]

    async def unmatched(self) -> AsyncIterator[tuple[str, str]]:
        """See `Past`."""
        after = ""
        while True:
            async with asked(self._books) as connection:
                rows = await reading.unmatched_after(connection, after, _PAGE)
            for row in rows:
                yield row.tx, row.body
            if len(rows) < _PAGE:
                return
            after = rows[-1].tx

    async def moved_ledger(self, table: str) -> MovedLedger:
        """See `Past`: the chain over the ledger, its count, that columns say what entries do, and
        that the store follows on it."""
        # Before the snapshot: what moves and leaves the store afterwards is in no earlier one.
        checkpoint = await self._store.checkpoint(table)
        async with asked(self._books, Books.snapshot) as connection:
            instant = await snapshot_name(connection)
            # At the same time, since the server can: what is left out is known only afterwards,
            # and mostly nothing is.
            summing = asyncio.create_task(self._sums(instant, table, ()))
            try:
                followed = await follow_ledger(connection, table)
                sums = await summing
            finally:
                summing.cancel()
                await asyncio.gather(summing, return_exceptions=True)
            if followed.left_out:
                sums = await self._sums(instant, table, followed.left_out)
        chain, found = followed.chain, followed.problems
        for owed, settlement in sums.settled_twice:
            found.append(f"{settlement}: it settles {table}:{owed} again")
        if stream_position(checkpoint.last_id) > chain.last:
            found.append(
                f"table {table}: the books end at {chain.last_id}, but the store has let go of"
                f" what came before {checkpoint.last_id}"
            )
        return MovedLedger(
            table=table,
            last_id=chain.last_id,
            entries=chain.entries,
            coins=_coins_by_kind(sums.totals),
            doubtful=sums.doubtful | {entry.lobby_id for entry in followed.at_fault},
            left_out=followed.left_out,
            entries_at_fault=followed.at_fault,
            problems=found,
        )

    async def _sums(self, instant: str, table: str, left_out: Sequence[str]) -> auditing.Sums:
        async with asked(self._books, lambda books: books.snapshot(instant)) as connection:
            return await auditing.Accounts(connection, table, left_out=left_out).sums()

    async def accounts(self, moved: MovedLedger, lobbies: Collection[str]) -> Sequence[Account]:
        """See `Past`."""
        if not lobbies:
            return []
        async with asked(self._books, Books.snapshot) as connection:
            accounts = auditing.Accounts(
                connection, moved.table, stream_position(moved.last_id), moved.left_out
            )
            return [
                Account(a.lobby_id, a.invoice_id, _coins_by_kind(a.coins), a.first_ms, a.paid_to)
                for a in await accounts.of(lobbies)
            ]

    async def ended(self, lobby_id: str) -> GameEnd | None:
        """See `Past`."""
        async with asked(self._books) as connection:
            row = await auditing.game_of(connection, lobby_id)
        if row is None:
            return None
        values = row._asdict()
        return GameEnd(**values | {name: exact_coins(values[name]) for name in ("pot", "paid_out")})

    async def began_ms(self, table: str) -> float | None:
        """See `Past`."""
        async with asked(self._books) as connection:
            return await auditing.first_end_ms(connection, table)

    async def begin_anew(self, table: str) -> str:
        """See `Past`. What is owed there and not settled is remembered, as if it had just left."""
        long = LONG_READING_SECONDS  # there may be very many debts
        async with asked(self._books, lambda books: books.begin(long)) as connection:
            await keep_while_idle(connection)
            known = await reading.cursor_of(connection, table)
            if known is None or known.last_id == START:
                raise NotToBegin(f"the books have nothing of table {table}: it begins by itself")
            cursor = await lock_cursor(connection, table, START)
            if cursor is None:
                raise NotToBegin(f"an archive moves table {table} at this moment: stop it first")
            last = await fields_of_entry(connection, table, cursor.last_id)
            if last is None:
                raise NotToBegin(f"the books have lost {table}:{cursor.last_id}: restore them")
            owed = dict(await reading.unsettled(connection, table))
            owed.pop(cursor.last_id, None)
            await settle_again(connection, table)
            if not await self._store.begin_after(table, cursor.last_id, last, owed):
                raise NotToBegin(
                    f"the store has a ledger of table {table}: stop servers, payouts and archives,"
                    " keep what `ledger list` shows of it, and only then delete its keys"
                )
        return cursor.last_id

    async def payout_problems(
        self, table: str, settled: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
    ) -> Sequence[str]:
        """See `Past`. Read again before it is reported: between two reads something may be
        settled."""
        problems: set[str] | None = None
        for check in range(_CHECKS):
            if check:
                await asyncio.sleep(_CHECK_AGAIN_SECONDS)
            async with asked(self._books) as connection:
                lines = set(await payout_audit.contradictions(connection, table))
            lines |= {line async for line in self._unsettled(table, settled)}
            problems = lines if problems is None else problems & lines
            if not problems:
                break
        return sorted(problems or ())

    async def _unsettled(
        self, table: str, settled: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
    ) -> AsyncIterator[str]:
        after = ""
        while True:
            async with asked(self._books) as connection:
                rows = await payout_audit.paid_of(connection, table, after, _PAGE)
            names = {row.entry_id: row.entry_id.partition(":")[2] for row in rows}
            open_ = [names[row.entry_id] for row in rows if row.settled_with is None]
            stored = await settled(open_)
            for row in rows:
                found = row.settled_with or stored.get(names[row.entry_id])
                if found is None:
                    yield f"{row.payout_id}: it is paid by {row.reference}, but not settled"
                elif found != row.reference:
                    yield f"{row.payout_id}: it is paid by {row.reference}, but settled by {found}"
            if len(rows) < _PAGE:
                return
            after = rows[-1].payout_id

    async def _rows(self, table: str, after: str) -> AsyncIterator[list[tuple[str, Any]]]:
        place = stream_position(after)
        while True:
            async with asked(self._books) as connection:
                rows = await reading.ledger_after(connection, table, place, _PAGE)
            if rows:
                yield [(f"{row.stream_ms}-{row.stream_seq}", row) for row in rows]
            if len(rows) < _PAGE:
                return
            place = rows[-1].stream_ms, rows[-1].stream_seq


def _coins_by_kind(amounts: Mapping[str, Decimal]) -> Mapping[str, Coins]:
    return {kind: exact_coins(amount) for kind, amount in amounts.items()}
