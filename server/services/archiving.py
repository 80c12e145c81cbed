"""The archive: what is over moves from the store into the books, and only then leaves the store."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from server.books.engine import Books, BooksConnection
from server.books.moving import (
    Cursor,
    append_ledger,
    fields_of_entry,
    lock_cursor,
    write_games,
    write_invoices,
    write_unmatched,
)
from server.books.rows import FinishedGame, log_json
from server.rules.draw import seed_hash
from server.rules.proofs import proof
from server.runtime.clock import StoreClock
from server.runtime.read_ahead import ReadAhead
from server.services.ledger_trim import trim
from server.store.errors import COMMAND_ERRORS
from server.store.lobbies import LobbyStore, Texts
from server.store.log import StreamEntry
from server.store.past_games import EndedGame, PastGames
from server.store.past_ledger import START, Fields, PastLedger, stream_position
from server.store.replay import BrokenLog, Step, is_kept, replay

MOST_ENTRIES: Final = 2_500
MOST_GAMES: Final = 2_000
GAMES_AT_ONCE: Final = 100
"""So many go in one transaction, and as many more are read and verified meanwhile."""
_LOGS_AT_ONCE: Final = 20
"""So many are read at once, and in memory until they were followed."""
MOST_INVOICES: Final = 1_000
MOST_UNMATCHED: Final = 1_000

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

    def __add__(self, more: "Moved") -> "Moved":
        return Moved(
            self.entries + more.entries, self.games + more.games, self.invoices + more.invoices
        )


@dataclass(frozen=True, slots=True)
class _Looked:
    """Lobbies that ended, and those of their games that are there and whose logs hold."""

    lobby_ids: Sequence[str]
    games: Sequence[FinishedGame]


class Archive:
    """Moves the past of tables. Any number of processes may: each table is one's at a time."""

    def __init__(
        self,
        ledger: PastLedger,
        games: PastGames,
        lobbies: LobbyStore,
        books: Books,
        clock: StoreClock,
        *,
        finished_seconds: float,
        invoice_hot_seconds: float,
        games_at_once: int = GAMES_AT_ONCE,
    ) -> None:
        self._ledger = ledger
        self._games = games
        self._lobbies = lobbies
        self._books = books
        self._clock = clock
        self._finished_ms = finished_seconds * 1000
        self._invoice_hot_ms = invoice_hot_seconds * 1000
        self._games_at_once = games_at_once
        self._broken: set[str] = set()

    async def move(self, table: str) -> Moved | None:
        """Move some of what is over in a table; None if another process is at it.

        Raises OutOfStep, BooksUnavailable and StoreUnavailable.
        """
        # Before the ledger is read: so it has all that their ends wrote into it.
        lobby_ids = await self._ended(table)
        moved: Moved | None = None
        # The next games are read and verified while the books and the store have these.
        async with ReadAhead(self._looked_at, self._parts(lobby_ids)) as found:
            async for looked in found:
                more = await self._move(table, looked)
                if more is None:
                    break
                moved = more if moved is None else moved + more
        return moved

    async def _move(self, table: str, looked: _Looked) -> Moved | None:
        """Move these games, and some of the ledger and of the invoices, in one transaction."""
        let_go = await self._ledger.let_go_until(table)
        invoices, invoices_gone = await self._closed(table)
        async with self._books.begin() as connection:
            cursor = await lock_cursor(connection, table, START)
            if cursor is None:
                return None
            await self._check_in_step(connection, cursor, let_go)
            entries = await self._ledger.entries_after(table, cursor.last_id, MOST_ENTRIES)
            cursor = await append_ledger(connection, cursor, entries)
            await write_invoices(connection, invoices)
            games = await self._written(connection, table, looked.games)
        moved_or_broken = self._broken.union(game.lobby_id for game in games)
        not_there = [i for i in looked.lobby_ids if i not in moved_or_broken]
        versions = {name: fields.get("version", "") for name, fields in invoices.items()}
        # They travel together: one after the other they would take longer than to verify games.
        ends = await asyncio.gather(
            self._games.let_go_of_games(table, games),
            self._games.forget_ended(table, not_there),
            self._games.let_go_of_invoices(table, versions),
            self._games.forget_invoices(table, invoices_gone),
            trim(self._ledger, self._games, self._clock, table, let_go, cursor.last_id),
            return_exceptions=True,
        )
        for error in ends:
            if error is not None:
                raise error
        return Moved(len(entries), len(games), len(invoices))

    async def move_unmatched(self) -> int:
        """Move some of the payments that match nothing; how many. Raises as `move` does."""
        bodies = await self._games.unmatched(MOST_UNMATCHED)
        if bodies:
            async with self._books.begin() as connection:
                await write_unmatched(connection, bodies)
            await self._games.let_go_of_unmatched(bodies)
        return len(bodies)

    @property
    def broken(self) -> int:
        """Games whose log does not hold: they stay where they are."""
        return len(self._broken)

    # Games

    async def _ended(self, table: str) -> list[str]:
        """Lobbies whose games are to be moved."""
        ended = await self._games.ended(table, MOST_GAMES + len(self._broken))
        return [lobby_id for lobby_id in ended if lobby_id not in self._broken][:MOST_GAMES]

    def _parts(self, lobby_ids: Sequence[str]) -> Iterable[Sequence[str]]:
        """What goes together; one part without games if there are none."""
        for first in range(0, len(lobby_ids) or 1, self._games_at_once):
            yield lobby_ids[first : first + self._games_at_once]

    async def _looked_at(self, lobby_ids: Sequence[str]) -> _Looked:
        games = []
        for first in range(0, len(lobby_ids), _LOGS_AT_ONCE):
            some = lobby_ids[first : first + _LOGS_AT_ONCE]
            # All are read before the first log is followed: an answer that waits is late.
            read = await asyncio.gather(*map(self._read, some))
            for lobby_id, texts in zip(some, read, strict=True):
                game = None if texts is None else self._finished_game(lobby_id, *texts)
                if game is not None:
                    games.append(game)
                await asyncio.sleep(0)  # for what is written meanwhile
        return _Looked(lobby_ids, games)

    async def _read(self, lobby_id: str) -> tuple[Texts, Sequence[StreamEntry]] | None:
        try:
            kept, entries = await self._lobbies.texts_with_log(lobby_id)
        except COMMAND_ERRORS as error:
            self._keep_back(lobby_id, str(error))
            return None
        return (kept, entries) if entries or any(kept) else None

    def _finished_game(
        self, lobby_id: str, kept: Texts, entries: Sequence[StreamEntry]
    ) -> FinishedGame | None:
        try:
            end = _end_of(kept, entries)
        except BrokenLog as error:
            self._keep_back(lobby_id, str(error))
            return None
        shown = proof(end.lobby)
        return FinishedGame(
            lobby=end.lobby,
            log=log_json(entries),
            hash=kept[0].get("hash", ""),
            proof=None if shown is None else shown.model_dump(mode="json"),
            server_seed_hash=seed_hash(bytes.fromhex(end.lobby.server_seed)),
        )

    async def _written(
        self, connection: BooksConnection, table: str, games: Sequence[FinishedGame]
    ) -> list[EndedGame]:
        """Write games; those of them that the store may let go of when that is committed."""
        others = await write_games(connection, table, games)
        for lobby_id in others:
            self._keep_back(lobby_id, "the books have another record of it")
        return [self._ended_game(game) for game in games if game.lobby.lobby_id not in others]

    def _keep_back(self, lobby_id: str, reason: str) -> None:
        self._broken.add(lobby_id)
        log.error("record_not_moved", lobby_id=lobby_id, reason=reason)

    def _ended_game(self, game: FinishedGame) -> EndedGame:
        over_ms = self._clock.now_ms() - (game.lobby.finished_at or 0)
        return EndedGame(
            lobby_id=game.lobby.lobby_id,
            players=tuple(game.lobby.players),
            hash=game.hash,
            lasting_ms=int(self._finished_ms - over_ms),
        )

    # Invoices

    async def _closed(self, table: str) -> tuple[dict[str, Fields], list[str]]:
        """Invoices to be moved, and those that are not there any more."""
        until_ms = self._clock.now_ms() - self._invoice_hot_ms
        closed = await self._games.closed_invoices(table, until_ms, MOST_INVOICES)
        gone = [invoice_id for invoice_id, fields in closed.items() if not fields]
        over = {invoice_id: fields for invoice_id, fields in closed.items() if fields}
        return over, gone

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
        stored = await self._ledger.entry(table, cursor.last_id)
        if stored is None or stored != await fields_of_entry(connection, table, cursor.last_id):
            raise OutOfStep(
                f"table {table}: the books have {table}:{cursor.last_id}, the store does not: the"
                " store went back in time"
            )


def _end_of(kept: Texts, entries: Sequence[StreamEntry]) -> Step:
    """The last step of a log that holds and leads to what is kept. Raises BrokenLog."""
    last = deque(replay(entries, kept[0].get("hash", "")), maxlen=1)
    if not last or last[0].lobby.status != "finished":
        raise BrokenLog("its log does not lead to an end")
    if not is_kept(last[0], kept):
        raise BrokenLog("its hashes are not what its log leads to")
    return last[0]
