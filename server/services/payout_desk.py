"""What operators do about payouts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Final

import structlog

from server.books import payout_control
from server.books import payouts as rows
from server.books.engine import Books, BooksConnection
from server.books.payout_control import Open
from server.books.payouts import Change, Payout
from server.rules.payouts import (
    APPROVALS,
    Standing,
    Status,
    approved,
    approvers,
    noted,
    refused,
    retried,
)
from server.services.books_asked import asked
from server.services.settling import Settling
from server.store.ledger import LedgerEntry

_PAGE: Final = 1_000

Record = Callable[[str, str, str, str], Awaitable[object]]
"""Writes down what an operator did: who, what, on what, why."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NotDone:
    """Why something was not done, for the operator. `unknown`: there is no such payout; `already`:
    it was so before."""

    reason: str
    unknown: bool = False
    already: bool = False


class PayoutDesk:
    """What operators do; `record` writes it down. Every method raises StoreUnavailable, also while
    the books are away."""

    def __init__(self, books: Books, settling: Settling, record: Record) -> None:
        self._books = books
        self._settling = settling
        self._record = record

    async def each(self, status: Status | None = None) -> AsyncIterator[Payout]:
        """All payouts, or those of a status."""
        after = ""
        while True:
            async with self._begin() as connection:
                page = await rows.payouts_after(connection, after, status, _PAGE)
            for payout in page:
                yield payout
            if len(page) < _PAGE:
                return
            after = page[-1].payout_id

    async def page(self, status: Status | None, after: str) -> Sequence[Payout]:
        """The payouts, or those of a status, that follow on that id: some at a time."""
        async with self._begin() as connection:
            return await rows.payouts_after(connection, after, status, _PAGE)

    async def survey(self) -> Open:
        """What is open, and whether payouts pause."""
        async with self._begin() as connection:
            return await payout_control.survey(connection)

    async def of_lobby(self, lobby_id: str) -> Sequence[Payout]:
        """The payouts of what a lobby owes."""
        async with self._begin() as connection:
            return await rows.payouts_of_lobby(connection, lobby_id)

    async def retry(self, payout_id: str, by: str, reason: str = "") -> Payout | NotDone:
        """Have a payout tried now, one that was refused too."""
        async with self._begin() as connection:
            payout = await _locked(connection, payout_id)
            if isinstance(payout, NotDone):
                return payout
            standing = retried(payout.standing)
            return await self._change(connection, payout, standing, 0, by, "retry", reason)

    async def refuse(self, payout_id: str, reason: str, by: str) -> Payout | NotDone:
        """Have a payout not paid. One that may have been sent before is looked up on, until it is
        known what became of it."""
        async with self._begin() as connection:
            payout = await _locked(connection, payout_id)
            if isinstance(payout, NotDone):
                return payout
            standing = refused(payout.standing, f"{reason} ({by})")
            seconds = 0 if payout.standing.in_doubt else None
            return await self._change(connection, payout, standing, seconds, by, "refuse", reason)

    async def approve(self, payout_id: str, by: str, reason: str = "") -> Payout | NotDone:
        """Approve of a payout that is held; when enough operators do, it is due."""
        async with self._begin() as connection:
            payout = await _locked(connection, payout_id)
            if isinstance(payout, NotDone):
                return payout
            approvals = approvers(payout.approved_by, by)
            standing = approved(payout.standing, len(approvals))
            if isinstance(standing, str):
                return NotDone(standing)
            if approvals == payout.approved_by:
                return NotDone(f"{by} approves of it already", already=True)
            await rows.add_approval(connection, payout_id, by)
            approving = replace(payout, approved_by=approvals)
            seconds = 0 if len(approvals) >= APPROVALS else None
            return await self._change(
                connection, approving, standing, seconds, by, "approve", reason
            )

    async def pause(self, by: str, reason: str = "") -> None:
        """Have nothing sent until `resume`."""
        async with self._begin() as connection:
            await payout_control.lock_control(connection, alone=True)
            await payout_control.set_paused(connection, "operator", by, reason or None)
            await self._record(by, "payouts/pause", "payouts", reason)
        log.info("payouts_paused", reason="operator", by=by)

    async def resume(self, by: str, reason: str = "") -> None:
        """Have payouts go on; the hour of the limit counts anew."""
        async with self._begin() as connection:
            await payout_control.lock_control(connection, alone=True)
            await payout_control.set_paused(connection, None, by, None)
            await payout_control.start_anew(connection)
            await self._record(by, "payouts/resume", "payouts", reason)
        log.info("payouts_resumed", by=by)

    async def settle(self, entry: LedgerEntry, reference: str) -> str | None:
        """Note that an owed entry was paid by hand: from then on nobody sends it. Why that cannot
        be, if it cannot."""
        payout = _payout_of(entry)
        async with self._begin() as connection:
            if payout is not None:
                await rows.queue(connection, payout, entry.at / 1000)
                found = await rows.lock_payout(connection, payout.payout_id)
                payout, is_sent_now = found if found is not None else (payout, False)
                if is_sent_now:
                    return "it is being sent at this moment: try again in some seconds"
            if await self._settling.settled(connection, [entry]):
                return "it was settled before"
            paid_by = None if payout is None else payout.standing.reference
            if paid_by not in (None, reference):
                return f"it was paid by {paid_by}: settle it with that reference"
            settled = await self._settling.settle(connection, [(entry, reference)])
            if entry.entry_id not in settled:
                return "the store refuses: try again"
            if settled[entry.entry_id] != reference:
                return "it was settled before"
            if payout is not None:
                standing = noted(replace(payout.standing, reference=reference))
                by_hand = replace(payout, standing=standing, by_hand=True)
                await rows.write(connection, [Change(by_hand, None)])
        return None

    async def _change(
        self,
        connection: BooksConnection,
        payout: Payout,
        standing: Standing | str,
        in_seconds: float | None,
        by: str,
        command: str,
        reason: str = "",
    ) -> Payout | NotDone:
        if isinstance(standing, str):
            return NotDone(standing)
        changed = replace(payout, standing=standing)
        await rows.write(connection, [Change(changed, in_seconds)])
        # Before it is done for good: what is not written down is not done.
        await self._record(by, f"payouts/{command}", payout.payout_id, reason)
        log.info("payout_changed", payout_id=payout.payout_id, status=standing.status, by=by)
        return changed

    def _begin(self) -> AbstractAsyncContextManager[BooksConnection]:
        return asked(self._books, Books.begin)


async def _locked(connection: BooksConnection, payout_id: str) -> Payout | NotDone:
    found = await rows.lock_payout(connection, payout_id)
    return NotDone("there is no such payout", unknown=True) if found is None else found[0]


def _payout_of(entry: LedgerEntry) -> Payout | None:
    """The payout of an entry that is not in the books yet; None if nobody would pay it but by
    hand."""
    if not entry.owed or entry.test or not entry.alien_id:
        return None
    return Payout(
        payout_id=f"po_{entry.table}_{entry.stream_id}",
        entry_id=entry.entry_id,
        kind="payout" if entry.kind == "payout_owed" else "refund",
        alien_id=entry.alien_id,
        amount=entry.amount,
        lobby_id=entry.lobby_id,
        invoice_id=entry.invoice_id,
        standing=Standing(),
    )
