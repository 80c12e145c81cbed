"""The queue of payouts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.schema import payouts
from server.rules.coins import Coins, coins_text, exact_coins
from server.rules.payouts import Standing, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """A debt and its payment. `attempts`: how often the service was asked for it; `body`: what it
    was sent, if it was."""

    payout_id: str
    entry_id: str
    kind: Literal["payout", "refund"]
    alien_id: str
    amount: Coins
    lobby_id: str | None
    invoice_id: str | None
    standing: Standing
    attempts: int = 0
    by_hand: bool = False
    approved_by: tuple[str, ...] = ()
    body: str | None = None
    updated_at: datetime | None = None

    @property
    def status(self) -> Status:
        """How far it is."""
        return self.standing.status

    @property
    def reference(self) -> str | None:
        """The payment service's name for the payment; None before it is known."""
        return self.standing.reference

    @property
    def table(self) -> str:
        """The table whose ledger it is owed by."""
        return self.entry_id.partition(":")[0]

    @property
    def stream_id(self) -> str:
        """The ledger entry that it is owed by."""
        return self.entry_id.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Change:
    """A payout as it is to be written. In so many seconds it is looked at next; None: it waits for
    an operator, or for nothing. `is_claim`: it is taken to be worked on. `asked_as`: it follows
    from what the service answered about one that stood so, and does not undo what an operator
    refused, or had tried again, meanwhile."""

    payout: Payout
    in_seconds: float | None
    is_claim: bool = False
    asked_as: Status | None = None


# Reading


async def take_waiting(
    connection: AsyncConnection, most: int, *, may_send: bool
) -> Sequence[Payout]:
    """At most so many payouts of which something is to be done now, which are this transaction's
    alone until it ends. What may have been sent comes first; what is due only if `may_send`."""
    found: list[Payout] = []
    # Refused ones if an operator refused what may have been sent.
    in_doubt = ("sending", "sent", "unknown", "refused")
    for statuses in (in_doubt, ("due",) if may_send else ()):
        if statuses and len(found) < most:
            ready = _waiting(statuses, most - len(found))
            found += map(_payout, await connection.execute(ready))
    return found


def _waiting(statuses: Iterable[str], most: int) -> Any:
    named = ", ".join(f"'{status}'" for status in statuses)
    return (
        select(payouts)
        # Literals: with bound parameters PostgreSQL does not use the partial index.
        .where(text(f"status IN ({named}) AND status <> 'settled' AND next_at <= now()"))
        .order_by(payouts.c.next_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )


async def lock_payout(connection: AsyncConnection, payout_id: str) -> tuple[Payout, bool] | None:
    """That payout, which is this transaction's alone until it ends, and whether a worker sends it
    at this moment; None if there is none."""
    is_sent_now = (payouts.c.status == "sending") & (payouts.c.next_at > func.now())
    wanted = select(payouts, is_sent_now.label("is_sent_now"))
    wanted = wanted.where(payouts.c.payout_id == payout_id).with_for_update()
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else (_payout(row), bool(row.is_sent_now))


async def payouts_after(
    connection: AsyncConnection, after: str, status: Status | None, most: int
) -> Sequence[Payout]:
    """Payouts in the order of their ids, or those of a status: those after that id."""
    wanted = select(payouts).where(payouts.c.payout_id > after)
    if status is not None:
        wanted = wanted.where(payouts.c.status == status)
        if status != "settled":
            wanted = wanted.where(text("status <> 'settled'"))
    found = await connection.execute(wanted.order_by(payouts.c.payout_id).limit(most))
    return [_payout(row) for row in found]


async def payouts_of_lobby(connection: AsyncConnection, lobby_id: str) -> Sequence[Payout]:
    """The payouts of what a lobby owes, in the order of their ids."""
    wanted = select(payouts).where(payouts.c.lobby_id == lobby_id).order_by(payouts.c.payout_id)
    return [_payout(row) for row in await connection.execute(wanted)]


# Writing


async def queue(connection: AsyncConnection, payout: Payout, owed_at_s: float) -> None:
    """Add a payout whose entry is on its way into the books, unless it is there."""
    await connection.execute(
        text(
            "INSERT INTO payouts (payout_id, entry_id, table_name, kind, alien_id, amount,"
            " lobby_id, invoice_id, owed_at) VALUES (:payout_id, :entry_id, :table, :kind,"
            " :alien_id, :amount, :lobby_id, :invoice_id, to_timestamp(:owed_at))"
            " ON CONFLICT DO NOTHING"
        ),
        {
            "payout_id": payout.payout_id,
            "entry_id": payout.entry_id,
            "table": payout.table,
            "kind": payout.kind,
            "alien_id": payout.alien_id,
            "amount": Decimal(coins_text(payout.amount)),
            "lobby_id": payout.lobby_id,
            "invoice_id": payout.invoice_id,
            "owed_at": owed_at_s,
        },
    )


_WRITE: Final = text(
    "UPDATE payouts SET status = new.status, reference = new.reference, reason = new.reason,"
    " in_doubt = new.in_doubt, by_hand = new.by_hand, tries = new.tries, body = new.body,"
    " attempts = new.attempts + new.claimed, updated_at = now(),"
    " next_at = now() + new.in_seconds * interval '1 second'"
    " FROM unnest(CAST(:payout_id AS text[]), CAST(:status AS text[]), CAST(:reference AS text[]),"
    " CAST(:reason AS text[]), CAST(:in_doubt AS boolean[]), CAST(:by_hand AS boolean[]),"
    " CAST(:tries AS int[]), CAST(:body AS text[]), CAST(:attempts AS int[]),"
    " CAST(:claimed AS int[]), CAST(:asked_as AS text[]),"
    " CAST(:in_seconds AS double precision[])) AS new(payout_id, status, reference, reason,"
    " in_doubt, by_hand, tries, body, attempts, claimed, asked_as, in_seconds)"
    " WHERE payouts.payout_id = new.payout_id AND (new.reference IS NOT NULL"
    " OR (payouts.attempts = new.attempts AND payouts.status <> 'settled'"
    " AND (new.asked_as IS NULL"
    " OR (new.asked_as = 'refused') = (payouts.status = 'refused'))))"
)


_SETTLE_AGAIN: Final = text(
    "UPDATE payouts SET status = 'sent', next_at = now(), updated_at = now()"
    " WHERE table_name = :table AND status = 'settled' AND reference IS NOT NULL AND NOT by_hand"
    " AND EXISTS (SELECT FROM ledger WHERE ledger.entry_id = payouts.entry_id)"
    " AND NOT EXISTS (SELECT FROM ledger WHERE kind = 'settled'"
    " AND ledger.table_name = payouts.table_name AND event = split_part(payouts.entry_id, ':', 2))"
)


async def settle_again(connection: AsyncConnection, table: str) -> None:
    """Have payouts settled once more that are paid, but whose settlement is not in the books'
    ledger: it was lost with the store. Nothing is sent for them. The audit names what was settled
    by hand."""
    await connection.execute(_SETTLE_AGAIN, {"table": table})


async def write(connection: AsyncConnection, changes: Sequence[Change]) -> None:
    """Write payouts as they are now, each once. What somebody else has taken up since is left to
    them, unless it was paid: a payment is a fact that nobody's change undoes."""
    if not changes:
        return
    rows = [(change.payout, change.payout.standing) for change in changes]
    names = [payout.payout_id for payout, _ in rows]
    # In one order, so that two transactions that write the same ones do not deadlock.
    in_order = payouts.c.payout_id.in_(names)
    locked = select(payouts.c.payout_id).where(in_order).order_by(payouts.c.payout_id)
    await connection.execute(locked.with_for_update())
    await connection.execute(
        _WRITE,
        {
            "payout_id": names,
            "status": [standing.status for _, standing in rows],
            "reference": [standing.reference for _, standing in rows],
            "reason": [standing.reason for _, standing in rows],
            "in_doubt": [standing.in_doubt for _, standing in rows],
            "by_hand": [payout.by_hand for payout, _ in rows],
            "tries": [standing.tries for _, standing in rows],
            "body": [payout.body for payout, _ in rows],
            "attempts": [payout.attempts for payout, _ in rows],
            "claimed": [int(change.is_claim) for change in changes],
            "asked_as": [change.asked_as for change in changes],
            # The driver refuses a list that mixes int and float.
            "in_seconds": [
                None if change.in_seconds is None else float(change.in_seconds)
                for change in changes
            ],
        },
    )


async def add_approval(connection: AsyncConnection, payout_id: str, by: str) -> None:
    """Note that an operator approves of a payout."""
    await connection.execute(
        text(
            "UPDATE payouts SET approved_by = array_append(approved_by, :by), updated_at = now()"
            " WHERE payout_id = :payout_id AND NOT :by = ANY(approved_by)"
        ),
        {"payout_id": payout_id, "by": by},
    )


def _payout(row: Any) -> Payout:
    return Payout(
        payout_id=row.payout_id,
        entry_id=row.entry_id,
        kind=row.kind,
        alien_id=row.alien_id,
        amount=exact_coins(row.amount),
        lobby_id=row.lobby_id,
        invoice_id=row.invoice_id,
        standing=Standing(row.status, row.in_doubt, row.tries, row.reference, row.reason),
        attempts=row.attempts,
        by_hand=row.by_hand,
        approved_by=tuple(row.approved_by),
        body=row.body,
        updated_at=row.updated_at,
    )
