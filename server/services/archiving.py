"""The archive: what is over moves from the store into the books, and only then leaves the store."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from server.books.engine import Books, BooksConnection
from server.books.moving import (
    Cursor,
    PastGame,
    append_ledger,
    fields_of_entry,
    lock_cursor,
    write_games,
    write_invoices,
    write_unmatched,
)
from server.rules.draw import seed_hash
from server.rules.proofs import proof
from server.runtime.clock import StoreClock
from server.store.errors import COMMAND_ERRORS
from server.store.lobbies import LobbyStore, Texts
from server.store.log import StreamEntry
from server.store.past import (
    START,
    Fields,
    PastStore,
    stream_position,
)
from server.store.replay import BrokenLog, Step, is_kept, replay
from server.store.spent import received_of

MOST_ENTRIES: Final = 5_000
MOST_GAMES: Final = 200
MOST_INVOICES: Final = 1_000
MOST_UNMATCHED: Final = 1_000
SETTLED_STAYS_MS: Final = 5_000
"""How long a settlement stays in the store at least. Whoever settles looks into the books first and
decides within a second after that (`MAX_DECISION_AGE_MS`): so one of both shows it."""

log = structlog.get_logger(__name__)


class OutOfStep(Exception):
    """Books and store do not follow on each other: one of them went back in time. Nothing of the
    table is moved until somebody has looked. The text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What one pass over a table moved."""

    entries: int
    games: int
    invoices: int

    def __bool__(self) -> bool:
        return bool(self.entries or self.games or self.invoices)


@dataclass(slots=True)
class _Tail:
    """Entries of a ledger that the books have and the store keeps still, oldest first."""

    read_until: str = START
    entries: list[StreamEntry] = field(default_factory=list)

    def drop_before(self, stream_id: str) -> list[StreamEntry]:
        """Take out the entries before that one, and return them."""
        gone = [
            entry
            for entry in self.entries
            if stream_position(entry[0]) < stream_position(stream_id)
        ]
        del self.entries[: len(gone)]
        return gone


class Archive:
    """Moves the past of tables. Any number of processes may: each table is one's at a time."""

    def __init__(
        self,
        past: PastStore,
        lobbies: LobbyStore,
        books: Books,
        clock: StoreClock,
        *,
        finished_seconds: float,
        invoice_hot_seconds: float,
    ) -> None:
        self._past = past
        self._lobbies = lobbies
        self._books = books
        self._clock = clock
        self._finished_ms = finished_seconds * 1000
        self._invoice_hot_ms = invoice_hot_seconds * 1000
        self._tails: dict[str, _Tail] = {}
        self._broken: set[str] = set()

    async def move(self, table: str) -> Moved | None:
        """Move some of what is over in a table; None if another process is at it.

        Raises OutOfStep, BooksUnavailable and StoreUnavailable.
        """
        let_go = await self._past.let_go_until(table)
        games, games_gone = await self._ended(table)
        invoices, invoices_gone = await self._closed(table)
        async with self._books.begin() as connection:
            cursor = await lock_cursor(connection, table, START)
            if cursor is None:
                return None
            await self._check_in_step(connection, cursor, let_go)
            entries = await self._past.ledger_after(table, cursor.last_id, MOST_ENTRIES)
            cursor = await append_ledger(connection, cursor, entries)
            others = await write_games(connection, table, games)
            await write_invoices(connection, invoices)
        for lobby_id in others:
            self._keep_back(lobby_id, "the books have another record of it")
        games = [game for game in games if game.lobby.lobby_id not in others]
        for game in games:
            await self._let_go_of_game(table, game)
        for lobby_id in games_gone:
            await self._past.forget_ended(table, lobby_id)
        for invoice_id, fields in invoices.items():
            await self._let_go_of_invoice(table, invoice_id, fields)
        for invoice_id in invoices_gone:
            await self._past.forget_invoice(table, invoice_id)
        await self._let_go_of_ledger(table, let_go, cursor)
        return Moved(len(entries), len(games), len(invoices))

    async def move_unmatched(self) -> int:
        """Move some of the payments that match nothing; how many. Raises as `move` does."""
        bodies = await self._past.unmatched(MOST_UNMATCHED)
        if bodies:
            async with self._books.begin() as connection:
                await write_unmatched(connection, bodies)
            await self._past.let_go_of_unmatched(bodies)
        return len(bodies)

    @property
    def broken(self) -> int:
        """Games whose log does not hold: they stay where they are."""
        return len(self._broken)

    # Games

    async def _ended(self, table: str) -> tuple[list[PastGame], list[str]]:
        """Games to be moved, and those that are not there any more."""
        ended = await self._past.ended(table, MOST_GAMES + len(self._broken))
        looked_at = [lobby_id for lobby_id in ended if lobby_id not in self._broken][:MOST_GAMES]
        found = await asyncio.gather(*map(self._past_game, looked_at))
        gone = [
            lobby_id
            for lobby_id, game in zip(looked_at, found, strict=True)
            if game is None and lobby_id not in self._broken
        ]
        return [game for game in found if game is not None], gone

    async def _past_game(self, lobby_id: str) -> PastGame | None:
        try:
            kept, entries = await self._lobbies.texts_with_log(lobby_id)
            if not entries and not any(kept):
                return None
            end = _end_of(kept, entries)
        except (BrokenLog, *COMMAND_ERRORS) as error:
            self._keep_back(lobby_id, str(error))
            return None
        shown = proof(end.lobby)
        return PastGame(
            lobby=end.lobby,
            log=[{"id": entry_id, **fields} for entry_id, fields in entries],
            hash=kept[0].get("hash", ""),
            proof=None if shown is None else shown.model_dump(mode="json"),
            server_seed_hash=seed_hash(bytes.fromhex(end.lobby.server_seed)),
        )

    def _keep_back(self, lobby_id: str, reason: str) -> None:
        self._broken.add(lobby_id)
        log.error("record_not_moved", lobby_id=lobby_id, reason=reason)

    async def _let_go_of_game(self, table: str, game: PastGame) -> None:
        now_ms = self._clock.now_ms()
        over_ms = now_ms - (game.lobby.finished_at or 0)
        lasting_ms = int(self._finished_ms - over_ms)
        await self._past.let_go_of_game(
            table, game.lobby.lobby_id, game.lobby.players, game.hash, lasting_ms, now_ms
        )

    # Invoices

    async def _closed(self, table: str) -> tuple[dict[str, Fields], list[str]]:
        """Invoices to be moved, and those that are not there any more."""
        until_ms = self._clock.now_ms() - self._invoice_hot_ms
        closed = await self._past.closed_invoices(table, until_ms, MOST_INVOICES)
        lobbies = sorted({fields.get("lobby_id", "") for fields in closed.values() if fields})
        running = await self._past.running(table, lobbies)
        gone = [invoice_id for invoice_id, fields in closed.items() if not fields]
        over = {
            invoice_id: fields
            for invoice_id, fields in closed.items()
            if fields and fields.get("lobby_id") not in running
        }
        return over, gone

    async def _let_go_of_invoice(self, table: str, invoice_id: str, fields: Fields) -> None:
        version = fields.get("version", "")
        await self._past.let_go_of_invoice(table, invoice_id, version, self._clock.now_ms())

    # The ledger

    async def _check_in_step(
        self, connection: BooksConnection, cursor: Cursor, let_go: str
    ) -> None:
        table = cursor.table
        if stream_position(cursor.last_id) < stream_position(let_go):
            raise OutOfStep(
                f"table {table}: the books end at {cursor.last_id}, but the store has let go of"
                f" what came before {let_go}: the books went back in time"
            )
        if cursor.last_id == START:
            return
        stored = await self._past.entry(table, cursor.last_id)
        if stored is None or stored != await fields_of_entry(connection, table, cursor.last_id):
            raise OutOfStep(
                f"table {table}: the books have {table}:{cursor.last_id}, the store does not: the"
                " store went back in time"
            )

    async def _let_go_of_ledger(self, table: str, before: str, cursor: Cursor) -> None:
        tail = await self._tail(table, before, cursor)
        last_id = await self._first_that_stays(table, tail, cursor)
        gone = [
            entry for entry in tail.entries if stream_position(entry[0]) < stream_position(last_id)
        ]
        if not gone:
            return
        settled = {fields.get("event", "") for _, fields in gone if _kind(fields) == "settled"}
        owed = {
            stream_id: fields
            for stream_id, fields in gone
            if _kind(fields) in ("payout_owed", "refund_owed") and stream_id not in settled
        }
        received = [
            payment for _, fields in gone if (payment := received_of(table, fields)) is not None
        ]
        now_ms = self._clock.now_ms()
        if await self._past.let_go_of_ledger(
            table, before, last_id, owed, settled, received, now_ms
        ):
            tail.drop_before(last_id)
        else:
            del self._tails[table]  # another process did: what it left is read anew

    async def _tail(self, table: str, before: str, cursor: Cursor) -> _Tail:
        tail = self._tails.setdefault(table, _Tail())
        tail.drop_before(before)
        while stream_position(tail.read_until) < stream_position(cursor.last_id):
            page = await self._past.ledger_after(table, tail.read_until, MOST_ENTRIES)
            moved = [e for e in page if stream_position(e[0]) <= stream_position(cursor.last_id)]
            tail.entries += moved
            tail.read_until = moved[-1][0] if moved else cursor.last_id
        return tail

    async def _first_that_stays(self, table: str, tail: _Tail, cursor: Cursor) -> str:
        """The first entry of a lobby that is not over, or the first settlement that is fresh; else
        the last one that was moved."""
        lobbies = sorted({fields.get("lobby_id", "") for _, fields in tail.entries})
        running = await self._past.running(table, lobbies)
        fresh_ms = self._clock.now_ms() - SETTLED_STAYS_MS
        for stream_id, fields in tail.entries:
            is_fresh = _kind(fields) == "settled" and stream_position(stream_id)[0] > fresh_ms
            if is_fresh or fields.get("lobby_id") in running:
                return stream_id
        return cursor.last_id


def _end_of(kept: Texts, entries: Sequence[StreamEntry]) -> Step:
    """The last step of a log that holds and leads to what is kept. Raises BrokenLog."""
    steps = list(replay(entries, kept[0].get("hash", "")))
    if not steps or steps[-1].lobby.status != "finished":
        raise BrokenLog("its log does not lead to an end")
    if not is_kept(steps[-1], kept):
        raise BrokenLog("its hashes are not what its log leads to")
    return steps[-1]


def _kind(fields: Mapping[str, str]) -> str:
    return fields.get("kind", "")
