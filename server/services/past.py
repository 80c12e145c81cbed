"""What is over, wherever it is: the port to what has left the store, and ledgers read as one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from server.rules.coins import Coins
from server.services.game_files import GameFile
from server.store.ledger import LedgerEntry, LedgerStore, MalformedEntry, read_entry
from server.store.past_ledger import PastLedger, is_stream_id, stream_position
from server.store.spent import Received

Fields = Mapping[str, str]
Page = list[LedgerEntry | MalformedEntry]
_START = "0-0"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedLedger:
    """The part of a table's ledger that has left the store, audited by itself.

    `coins` are its sums by kind without the entries that are `left_out`, since their rows are not
    what was moved; of those `entries_at_fault` are what the stream is said to have had. `doubtful`
    are lobbies that do not add up by this part alone, or are not what else is known of them.
    """

    table: str
    last_id: str = _START
    entries: int = 0
    coins: Mapping[str, Coins] = field(default_factory=dict)
    doubtful: Collection[str] = ()
    left_out: Sequence[str] = ()
    entries_at_fault: Sequence[LedgerEntry] = ()
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """What a lobby moved for one invoice (None: for none) in a moved part, by kind; when its first
    entry was written, and whom it owes its pot."""

    lobby_id: str
    invoice_id: str | None
    coins: Mapping[str, Coins]
    first_ms: int
    paid_to: str | None


@dataclass(frozen=True, slots=True)
class GameEnd:
    """How a game that has left the store ended, by its row and by its seats."""

    outcome: str
    winner: str | None
    pot: Coins
    player_count: int
    seat_won: str | None
    paid_out: Coins
    seats: int
    recorded: bool


class NotToBegin(Exception):
    """A table's ledger cannot begin anew. The text is one line for the operator."""


class Past(Protocol):
    """What has left the store. Every method raises StoreUnavailable."""

    async def invoice(self, invoice_id: str) -> Fields | None:
        """A closed invoice, as the store had it; None if it is not there."""
        ...

    async def game(self, lobby_id: str) -> GameFile | None:
        """The file of a game that is over; None if it is not there."""
        ...

    def ledger(self, table: str, after: str) -> AsyncIterator[list[tuple[str, Fields]]]:
        """The entries of a table's ledger after a stream id, in order, a page at a time."""
        ...

    async def settlements(self, table: str, owed: Sequence[str]) -> Mapping[str, str]:
        """The references of those of these owed entries that are settled, by their stream ids."""
        ...

    async def received(self, alien_id: str, since_ms: float) -> Sequence[Received]:
        """What a player has paid since then (Unix ms)."""
        ...

    def unmatched(self) -> AsyncIterator[tuple[str, str]]:
        """The payments that matched nothing: transaction and raw body."""
        ...

    async def moved_ledger(self, table: str) -> MovedLedger:
        """Audit a table's ledger there."""
        ...

    async def accounts(self, moved: MovedLedger, lobbies: Collection[str]) -> Sequence[Account]:
        """What these lobbies moved in that part."""
        ...

    async def ended(self, lobby_id: str) -> GameEnd | None:
        """How a game ended; None if it is not there."""
        ...

    async def began_ms(self, table: str) -> float | None:
        """When the first game of a table ended that is there: earlier ones may never have been."""
        ...

    async def payout_problems(
        self, table: str, settled: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
    ) -> Sequence[str]:
        """How a table's payouts contradict its ledger: one line for each. `settled`: the store's
        references of entries that it has as settled, by their stream ids."""
        ...

    async def begin_anew(self, table: str) -> str:
        """Have a table's ledger, of which the store has nothing, follow on what has left it: on
        the entry of that stream id. Raises NotToBegin."""
        ...


class WholeLedger:
    """The ledgers of all tables: their heads, which have moved (`past`; None: nothing has), and
    their tails, which the store has."""

    def __init__(self, store: LedgerStore, past_ledger: PastLedger, past: Past | None) -> None:
        self._store = store
        self._past_ledger = past_ledger
        self._past = past

    async def pages(self, table: str, after: str = "") -> AsyncIterator[Page]:
        """The table's entries in order, those after the stream id `after`, a page at a time."""
        if self._past is None:
            async for page in self._store.pages(table, after):
                yield page
            return
        last_id = after or _START
        missed = ""
        while True:
            async for moved in self._past.ledger(table, last_id):
                last_id = moved[-1][0]
                yield [read_entry(table, stream_id, fields) for stream_id, fields in moved]
            page = await self._store.page(table, last_id)
            # What followed may have moved and left before it was read here: then it is there.
            let_go = await self._past_ledger.let_go_until(table)
            if stream_position(let_go) > stream_position(last_id) and missed != last_id:
                # If it is not there then either, it is nowhere, and `moved_ledger` finds that.
                missed = last_id
                continue
            if not page:
                return
            last_id = page[-1].stream_id
            yield page

    async def entry(self, entry_id: str) -> LedgerEntry | MalformedEntry | None:
        """The entry of that id; None if there is none."""
        found = await self._store.entry(entry_id)
        table, _, stream_id = entry_id.partition(":")
        if found is not None or self._past is None or not is_stream_id(stream_id):
            return found
        milliseconds, sequence = stream_position(stream_id)
        before = f"{milliseconds}-{sequence - 1}" if sequence else f"{milliseconds - 1}-{2**63 - 1}"
        async for page in self._past.ledger(table, before):
            first_id, fields = page[0]
            return read_entry(table, first_id, fields) if first_id == stream_id else None
        return None

    async def settled(self, entries: Sequence[LedgerEntry]) -> Mapping[str, str]:
        """Those of the entries of one table that are settled, by their ids, with references."""
        found = dict(await self._store.settled(entries))
        if entries and self._past is not None:
            table = entries[0].table
            names = [entry.stream_id for entry in entries if entry.entry_id not in found]
            moved = await self._past.settlements(table, names)
            found |= {f"{table}:{name}": reference for name, reference in moved.items()}
        return found

    async def settle(self, entry: LedgerEntry, reference: str, now_ms: float) -> bool:
        """Note that an owed entry was paid, with the transaction's `reference`; False if that was
        noted before, by whomever, or the decision of `now_ms` came too late.

        The books are asked after `now_ms`, and the store takes no decision that is older than a
        second, while a settlement stays there for longer: so one of both shows an earlier one.
        """
        if self._past is not None:
            earlier = await self._past.settlements(entry.table, [entry.stream_id])
            if earlier:
                return False
        return await self._store.settle(entry, reference, now_ms)

    async def unmatched(self) -> AsyncIterator[tuple[str, str]]:
        """The payments that matched nothing: transaction and raw body, each once."""
        moved: set[str] = set()
        if self._past is not None:
            async for tx, body in self._past.unmatched():
                moved.add(tx)
                yield tx, body
        async for tx, body in self._store.unmatched():
            if tx not in moved:
                yield tx, body

    async def moved_ledger(self, table: str) -> MovedLedger:
        """The part that has moved, audited by itself."""
        if self._past is None:
            return MovedLedger(table=table)

        async def settled(stream_ids: Sequence[str]) -> Mapping[str, str]:
            return await self._store.references(table, stream_ids)

        moved = await self._past.moved_ledger(table)
        of_payouts = await self._past.payout_problems(table, settled)
        return replace(moved, problems=[*moved.problems, *of_payouts])

    async def accounts(self, moved: MovedLedger, lobbies: Collection[str]) -> Sequence[Account]:
        """What lobbies moved in the part that has moved."""
        return [] if self._past is None else await self._past.accounts(moved, lobbies)

    async def ended(self, lobby_id: str) -> GameEnd | None:
        """How a game that has moved ended."""
        return None if self._past is None else await self._past.ended(lobby_id)

    async def began_ms(self, table: str) -> float | None:
        """Since when games move; None: they do not."""
        return None if self._past is None else await self._past.began_ms(table)
