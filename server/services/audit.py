"""The audit: the ledger recomputed, against itself, the lobbies' own logs and their hashes."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from protocol.ids import is_lobby_id
from server.rules.coins import Coins, coins_text
from server.rules.lobby import Lobby
from server.rules.money import Movement, movements
from server.services.past import Account, Head, PastGame, WholeLedger
from server.store.directory import Directory
from server.store.errors import COMMAND_ERRORS
from server.store.ledger import LedgerEntry, MalformedEntry
from server.store.lobbies import LobbyStore
from server.store.past import stream_position
from server.store.replay import BrokenLog, is_kept, replay

_CHECKS: Final = 5
_CHECK_AGAIN_SECONDS: Final = 0.2


@dataclass(slots=True)
class Sums:
    """Coins by kind. They balance if what was received is somewhere."""

    received: Coins = 0
    pot: Coins = 0
    payout_owed: Coins = 0
    refund_owed: Coins = 0
    house: Coins = 0

    def add(self, movement: Movement | LedgerEntry) -> None:
        """Count one movement; a settlement changes no sum."""
        if movement.kind != "settled":
            setattr(self, movement.kind, getattr(self, movement.kind) + movement.amount)

    def add_coins(self, coins: Mapping[str, Coins]) -> None:
        """Count so much by kind."""
        for kind, amount in coins.items():
            setattr(self, kind, getattr(self, kind) + amount)

    @property
    def missing(self) -> Coins:
        """Coins that were received and are nowhere; negative: that are somewhere and were not."""
        return self.received - self.pot - self.payout_owed - self.refund_owed - self.house


@dataclass(slots=True)
class Books:
    """The sums of one table's ledger up to an entry: in all, by lobby, and by invoice what was
    received for it and is not owed back. What is malformed is in none."""

    head: Head
    last_id: str = ""
    entries: int = 0
    total: Sums = field(default_factory=Sums)
    by_lobby: defaultdict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    kept_of: defaultdict[str, Coins] = field(default_factory=lambda: defaultdict(int))
    malformed: list[MalformedEntry] = field(default_factory=list)
    began_ms: dict[str, int] = field(default_factory=dict)
    paid_to: dict[str, str | None] = field(default_factory=dict)
    _with_heads: set[str] = field(default_factory=set)

    @property
    def table(self) -> str:
        """The table."""
        return self.head.table

    def without_heads(self, lobbies: Iterable[str]) -> set[str]:
        """Those lobbies of which this is asked for the first time."""
        news = {*lobbies} - self._with_heads
        self._with_heads |= news
        return news

    def add_account(self, account: Account) -> None:
        """Take in what a lobby moved in the head; the total has it already."""
        self.by_lobby[account.lobby_id].add_coins(account.coins)
        if account.invoice_id is not None:
            kept = account.coins["received"] - account.coins["refund_owed"]
            self.kept_of[account.invoice_id] += kept
        self._note(account.lobby_id, account.first_ms, account.paid_to)

    def add(self, page: Iterable[LedgerEntry | MalformedEntry]) -> None:
        """Take in the next entries."""
        for entry in page:
            self.entries += 1
            self.last_id = entry.stream_id
            if isinstance(entry, MalformedEntry):
                self.malformed.append(entry)
                continue
            self.add_entry(entry)

    def add_entry(self, entry: LedgerEntry) -> None:
        """Take in one that is well formed."""
        self.total.add(entry)
        self.by_lobby[entry.lobby_id].add(entry)
        if entry.invoice_id is not None and entry.kind in ("received", "refund_owed"):
            kept = entry.amount if entry.kind == "received" else -entry.amount
            self.kept_of[entry.invoice_id] += kept
        paid_to = entry.alien_id if entry.kind == "payout_owed" else None
        self._note(entry.lobby_id, stream_position(entry.stream_id)[0], paid_to)

    def _note(self, lobby_id: str, at_ms: int, paid_to: str | None) -> None:
        self.began_ms[lobby_id] = min(at_ms, self.began_ms.get(lobby_id, at_ms))
        if paid_to is not None:
            self.paid_to[lobby_id] = paid_to


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found: nothing wrong if `problems` is empty."""

    books: Sequence[Books]
    problems: Sequence[str]


class Audit:
    """Audits the ledgers of all tables. It may run while the server does: a difference is checked
    again, so often that it cannot come from commits between two reads. `looked_at` is
    called with how many more entries and lobbies were read."""

    def __init__(
        self,
        ledger: WholeLedger,
        lobbies: LobbyStore,
        directory: Directory,
        looked_at: Callable[[int], None] = lambda _number: None,
    ) -> None:
        self._ledger = ledger
        self._lobbies = lobbies
        self._directory = directory
        self._looked_at = looked_at

    async def run(self, tables: Iterable[str]) -> Report:
        """Recompute everything. Raises StoreUnavailable."""
        books = [await self._opened(table) for table in tables]
        problems = [problem for book in books async for problem in self._check(book)]
        return Report(books, problems)

    async def _opened(self, table: str) -> Books:
        """Of what has left the store only the lobbies that do not add up are looked at one by
        one, and those that the store's part has more of."""
        head = await self._ledger.head(table)
        books = Books(head, head.last_id, head.entries)
        books.total.add_coins(head.coins)
        for entry in head.entries_at_fault:
            books.add_entry(entry)
        await self._add_heads(books, head.suspects)
        await self._read(books)
        return books

    async def _read(self, books: Books) -> None:
        """Take in what has come since."""
        lobbies: set[str] = set()
        async for page in self._ledger.pages(books.table, books.last_id):
            books.add(page)
            self._looked_at(len(page))
            lobbies |= {entry.lobby_id for entry in page if isinstance(entry, LedgerEntry)}
        await self._add_heads(books, lobbies)

    async def _add_heads(self, books: Books, lobbies: Iterable[str]) -> None:
        news = books.without_heads(lobbies)
        for account in await self._ledger.accounts(books.head, news):
            books.add_account(account)

    async def _check(self, books: Books) -> AsyncIterator[str]:
        for problem in books.head.problems:
            yield problem
        for entry in books.malformed:
            yield f"{entry.entry_id}: {entry.problem}"
        if books.total.missing:
            yield f"table {books.table}: {coins_text(books.total.missing)} coins do not balance"
        for invoice_id, kept in books.kept_of.items():
            if kept < 0:
                more = coins_text(-kept)
                yield f"{_named(invoice_id)}: {more} coins more are owed back than were received"
        suspects: Collection[str] = {*books.by_lobby, *await self._directory.running(books.table)}
        moves_since_ms = await self._ledger.began_ms(books.table)
        found: dict[str, str] = {}
        for check in range(_CHECKS):
            if check:
                await asyncio.sleep(_CHECK_AGAIN_SECONDS)
                await self._read(books)
            found = {}
            for lobby_id in suspects:
                difference = await self._difference(lobby_id, books, moves_since_ms)
                self._looked_at(1)
                if difference is not None:
                    found[lobby_id] = difference
            suspects = found
            if not found:
                break
        for lobby_id, difference in found.items():
            yield f"{_named(lobby_id)}: {difference}"

    async def _difference(
        self, lobby_id: str, books: Books, moves_since_ms: float | None
    ) -> str | None:
        sums = books.by_lobby[lobby_id]
        if sums.missing:
            return f"{coins_text(sums.missing)} coins do not balance"
        if not is_lobby_id(
            lobby_id
        ):  # not written by this server, so there is no log to compare with
            return f"{coins_text(sums.pot)} coins are in its pot" if sums.pot else None
        try:
            kept, log = await self._lobbies.texts_with_log(lobby_id)
        except COMMAND_ERRORS as error:
            return f"it cannot be read: {error}"
        past = await self._ledger.ended(lobby_id)
        if past is not None:
            difference = _compared_with_past(past, sums, books.paid_to.get(lobby_id))
            if difference is not None:
                return difference
        if not log:
            if sums.pot:
                return f"it is over, but {coins_text(sums.pot)} coins are in its pot"
            began_ms = books.began_ms.get(lobby_id, 0)
            is_lost = past is None and moves_since_ms is not None and began_ms > moves_since_ms
            return "it is neither in the store nor in the books" if is_lost else None
        try:
            steps = list(replay(log, kept[0].get("hash", "")))
        except BrokenLog as error:
            return f"its log does not hold at {error}"
        last = steps[-1]
        if not is_kept(last, kept):
            return "its hashes are not what its log says"
        moved = Sums()
        for before, after in pairwise(steps):
            for movement in movements(before.lobby, after.record.event):
                moved.add(movement)
        return _compared(last.lobby, sums, moved)


def _named(name: str) -> str:
    """A name in the ledger, safe to print: other programs may have written anything there."""
    return name if name.isprintable() and name else repr(name)


def _compared_with_past(game: PastGame, sums: Sums, paid_to: str | None) -> str | None:
    """What the ledger's sums of a lobby have other than its game in the books, if anything."""
    pots = {"won": (game.pot, 0), "no_winner": (0, game.pot)}
    payout_owed, house = pots.get(game.outcome, (0, 0))
    if (sums.payout_owed, sums.house) != (payout_owed, house):
        return (
            f"payout_owed is {coins_text(payout_owed)} and house {coins_text(house)} by its game"
            f" in the books, {coins_text(sums.payout_owed)} and {coins_text(sums.house)} in the"
            " ledger"
        )
    if not game.winner == paid_to == game.seat_won:
        return "its winner in the books is another by its game, its seats or the ledger"
    if game.paid_out != payout_owed or game.seats != game.player_count:
        return "its seats in the books are not those of its game"
    return None if game.recorded else "its record is not in the books"


def _compared(lobby: Lobby, sums: Sums, log: Sums) -> str | None:
    """What the ledger's sums of a lobby lack or have beyond those of its log, if anything."""
    in_pot = 0 if lobby.status == "finished" else lobby.pot
    if sums.pot != in_pot:
        return f"its pot is {in_pot}, in the ledger {coins_text(sums.pot)}"
    for kind in ("pot", "payout_owed", "house"):
        if getattr(sums, kind) != getattr(log, kind):
            by_log, by_ledger = coins_text(getattr(log, kind)), coins_text(getattr(sums, kind))
            return f"{kind} is {by_log} by its log, {by_ledger} in the ledger"
    if sums.received < log.received or sums.refund_owed < log.refund_owed:
        return "the ledger lacks payments or refunds of its log"
    return None
