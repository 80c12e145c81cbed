"""The audit: the ledger recomputed, against itself, the lobbies' own logs and their hashes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from protocol.ids import is_lobby_id
from server.rules.coins import coins_text
from server.rules.lobby import Lobby
from server.rules.money import movements
from server.services.past import GameEnd, WholeLedger
from server.services.table_audit import Sums, TableAudit
from server.store.directory import Directory
from server.store.errors import COMMAND_ERRORS
from server.store.ledger import LedgerEntry
from server.store.lobbies import LobbyStore
from server.store.replay import BrokenLog, is_kept, replay

_CHECKS: Final = 5
_CHECK_AGAIN_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found: nothing wrong if `problems` is empty."""

    tables: Sequence[TableAudit]
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

    async def run(self, tables: Iterable[str]) -> AuditReport:
        """Recompute everything. Raises StoreUnavailable."""
        audited = [await self._opened(table) for table in tables]
        problems = [problem for table in audited async for problem in self._check(table)]
        return AuditReport(audited, problems)

    async def _opened(self, table: str) -> TableAudit:
        """Of what has left the store only the lobbies that do not add up are looked at one by
        one, and those that the store's part has more of."""
        moved = await self._ledger.moved_ledger(table)
        audited = TableAudit(moved, moved.last_id, moved.entries)
        audited.total.add_coins(moved.coins)
        for entry in moved.entries_at_fault:
            audited.add_entry(entry)
        await self._add_moved(audited, moved.doubtful)
        await self._read(audited)
        return audited

    async def _read(self, audited: TableAudit) -> None:
        """Take in what has come since."""
        lobbies: set[str] = set()
        async for page in self._ledger.pages(audited.table, audited.last_id):
            audited.add(page)
            self._looked_at(len(page))
            lobbies |= {entry.lobby_id for entry in page if isinstance(entry, LedgerEntry)}
        await self._add_moved(audited, lobbies)

    async def _add_moved(self, audited: TableAudit, lobbies: Iterable[str]) -> None:
        news = audited.not_yet_added(lobbies)
        for account in await self._ledger.accounts(audited.moved, news):
            audited.add_account(account)

    async def _check(self, audited: TableAudit) -> AsyncIterator[str]:
        for problem in audited.moved.problems:
            yield problem
        for entry in audited.malformed:
            yield f"{entry.entry_id}: {entry.problem}"
        if audited.total.missing:
            yield f"table {audited.table}: {coins_text(audited.total.missing)} coins do not balance"
        for invoice_id, kept in audited.kept_of.items():
            if kept < 0:
                more = coins_text(-kept)
                yield f"{_named(invoice_id)}: {more} coins more are owed back than were received"
        doubtful: Collection[str] = {
            *audited.by_lobby,
            *await self._directory.running(audited.table),
        }
        moves_since_ms = await self._ledger.began_ms(audited.table)
        found: dict[str, str] = {}
        for check in range(_CHECKS):
            if check:
                await asyncio.sleep(_CHECK_AGAIN_SECONDS)
                await self._read(audited)
            found = {}
            for lobby_id in doubtful:
                difference = await self._difference(lobby_id, audited, moves_since_ms)
                self._looked_at(1)
                if difference is not None:
                    found[lobby_id] = difference
            doubtful = found
            if not found:
                break
        for lobby_id, difference in found.items():
            yield f"{_named(lobby_id)}: {difference}"

    async def _difference(
        self, lobby_id: str, audited: TableAudit, moves_since_ms: float | None
    ) -> str | None:
        sums = audited.by_lobby[lobby_id]
        if sums.missing:
            return f"{coins_text(sums.missing)} coins do not balance"
        if not is_lobby_id(lobby_id):
            # It was not written by this server, so there is no log to compare with.
            return f"{coins_text(sums.pot)} coins are in its pot" if sums.pot else None
        try:
            kept, log = await self._lobbies.texts_with_log(lobby_id)
        except COMMAND_ERRORS as error:
            return f"it cannot be read: {error}"
        past = await self._ledger.ended(lobby_id)
        if past is not None:
            difference = _compared_with_past(past, sums, audited.paid_to.get(lobby_id))
            if difference is not None:
                return difference
        if not log:
            if sums.pot:
                return f"it is over, but {coins_text(sums.pot)} coins are in its pot"
            began_ms = audited.began_ms.get(lobby_id, 0)
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


def _compared_with_past(game: GameEnd, sums: Sums, paid_to: str | None) -> str | None:
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
