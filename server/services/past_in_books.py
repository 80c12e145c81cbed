"""The past in the books, as the services ask for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from server.books import payouts, reading
from server.books.engine import Books, BooksConnection
from server.books.errors import BooksUnavailable
from server.books.moving import EMPTY_HASH, entry_hash, is_as_moved
from server.services.game_files import GameFile
from server.services.past import Fields
from server.store.errors import StoreUnavailable
from server.store.past import PastStore, stream_position
from server.store.spent import Received, received_of

_PAGE: Final = 5_000
_CHECKS: Final = 5
_CHECK_AGAIN_SECONDS: Final = 0.2


@asynccontextmanager
async def asked(books: Books) -> AsyncIterator[BooksConnection]:
    """A connection to ask the books on. Raises StoreUnavailable: to whoever asks it is the same
    which of both does not answer."""
    try:
        async with books.connect() as connection:
            yield connection
    except BooksUnavailable as error:
        raise StoreUnavailable(f"the books do not answer: {error}") from error


class PastInBooks:
    """What has left the store for `books`; `store` is what has not."""

    def __init__(self, books: Books, store: PastStore) -> None:
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

    async def problems(self, table: str) -> Sequence[str]:
        """See `Past`: the chain over the ledger, its count, and that the store follows on it."""
        found = []
        chained, last_id, entries = EMPTY_HASH, "0-0", 0
        async for page in self._rows(table, last_id):
            for stream_id, row in page:
                if row.hash != entry_hash(chained, stream_id, row.fields):
                    found.append(f"{row.entry_id}: it is not what the chain in the books has next")
                elif not is_as_moved(row):
                    found.append(f"{row.entry_id}: its columns in the books were altered")
                # What follows is judged by what stands there: so one fault is one line.
                chained, last_id, entries = row.hash, stream_id, entries + 1
        async with asked(self._books) as connection:
            cursor = await reading.cursor_of(connection, table)
        if cursor is not None and stream_position(cursor.last_id) == stream_position(last_id):
            if cursor.entries != entries:
                more = cursor.entries - entries
                found.append(f"table {table}: the books have {more} entries less than were moved")
            elif cursor.hash != chained:
                found.append(f"{table}:{last_id}: it is not the last entry that was moved")
        checkpoint = await self._store.checkpoint(table)
        if stream_position(checkpoint.last_id) > stream_position(last_id):
            found.append(
                f"table {table}: the books end at {last_id}, but the store has let go of what came"
                f" before {checkpoint.last_id}"
            )
        return found

    async def payout_problems(
        self, table: str, settled: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
    ) -> Sequence[str]:
        """See `Past`. Read again before it is told: between two reads something may be settled."""
        suspects: set[str] | None = None
        for check in range(_CHECKS):
            if check:
                await asyncio.sleep(_CHECK_AGAIN_SECONDS)
            async with asked(self._books) as connection:
                lines = set(await payouts.contradictions(connection, table))
            lines |= {line async for line in self._unsettled(table, settled)}
            suspects = lines if suspects is None else suspects & lines
            if not suspects:
                break
        return sorted(suspects or ())

    async def _unsettled(
        self, table: str, settled: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
    ) -> AsyncIterator[str]:
        after = ""
        while True:
            async with asked(self._books) as connection:
                rows = await payouts.paid_of(connection, table, after, _PAGE)
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
