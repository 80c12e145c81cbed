"""What is asked of the books. Every query has an index that it uses (tests/books/test_plans.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Select, and_, case, exists, func, select, true, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.schema import (
    cursors,
    games,
    invoices,
    ledger,
    payouts,
    profiles,
    records,
    seats,
    unmatched,
)

_OWED: Final = ("payout_owed", "refund_owed")
_OF_A_PLAYER: Final = ("received", *_OWED, "settled")
_ledger_settled = ledger.alias("settled")


@dataclass(frozen=True, slots=True)
class PlayerSums:
    """What a player paid in, was paid, and is owed still, in coins."""

    paid_in: Decimal
    paid_out: Decimal
    owed: Decimal


async def games_of(
    connection: AsyncConnection, alien_id: str, limit: int, before: tuple[datetime, str] | None
) -> Sequence[Any]:
    """A player's games, the latest first, at most `limit`; those before the end and the id of the
    lobby in `before`."""
    found: Sequence[Any] = (await connection.execute(games_query(alien_id, limit, before))).all()
    return found


def games_query(alien_id: str, limit: int, before: tuple[datetime, str] | None) -> Select[Any]:
    """The query of `games_of`."""
    place = tuple_(seats.c.finished_at, seats.c.lobby_id)
    # Of several payments in a game, as after one that was paid twice, the pot counts most.
    payout = (
        select(payouts)
        .where(payouts.c.lobby_id == seats.c.lobby_id, payouts.c.alien_id == seats.c.alien_id)
        .order_by(payouts.c.kind, payouts.c.owed_at.desc(), payouts.c.payout_id)
        .limit(1)
        .lateral("payout")
    )
    found = (
        select(
            *(games.c[name] for name in ("lobby_id", "buy_in_amount", "variant", "outcome")),
            *(games.c[name] for name in ("pattern", "pot", "player_count", "calls")),
            *(seats.c[name] for name in ("won", "kicked", "paid_in", "paid_out", "finished_at")),
            *(payout.c[name].label(f"payout_{name}") for name in ("amount", "status", "reference")),
        )
        .join(games, games.c.lobby_id == seats.c.lobby_id)
        .join(payout, true(), isouter=True)
        .where(seats.c.alien_id == alien_id)
        .order_by(seats.c.finished_at.desc(), seats.c.lobby_id.desc())
        .limit(limit)
    )
    return found if before is None else found.where(place < tuple_(*before))


@dataclass(frozen=True, slots=True)
class MovementPlace:
    """Where a movement stands among all: by its time, and among those of the same by its entry."""

    at: datetime
    stream_ms: int
    stream_seq: int
    table: str


async def movements_of(
    connection: AsyncConnection,
    alien_id: str,
    window: tuple[datetime, datetime],
    limit: int,
    after: MovementPlace | None,
) -> Sequence[Any]:
    """The movements of a player's money in a window (its end not included) in order, at most
    `limit`; those after the one at that place."""
    found: Sequence[Any] = (
        await connection.execute(movements_query(alien_id, window, limit, after))
    ).all()
    return found


def movements_query(
    alien_id: str,
    window: tuple[datetime, datetime],
    limit: int,
    after: MovementPlace | None,
) -> Select[Any]:
    """The query of `movements_of`."""
    columns = ("entry_id", "at", "kind", "amount", "lobby_id", "invoice_id", "reference")
    place = tuple_(*(ledger.c[name] for name in ("at", "stream_ms", "stream_seq", "table_name")))
    # The index has the entries in the order of their times, so only equals are sorted.
    found = (
        select(*(ledger.c[name] for name in columns))
        .where(_of_a_player(alien_id, window))
        .order_by(*place)
        .limit(limit)
    )
    if after is None:
        return found
    last = tuple_(after.at, after.stream_ms, after.stream_seq, after.table)
    return found.where(ledger.c.at >= after.at, place > last)


async def sums_of(
    connection: AsyncConnection, alien_id: str, window: tuple[datetime, datetime]
) -> PlayerSums:
    """What the movements of a window add up to; `owed` is what of it is not settled by now."""
    row = (await connection.execute(sums_query(alien_id, window))).one()
    return PlayerSums(row.paid_in, row.paid_out, row.owed)


def sums_query(alien_id: str, window: tuple[datetime, datetime]) -> Select[Any]:
    """The query of `sums_of`."""
    settled = exists().where(
        _ledger_settled.c.table_name == ledger.c.table_name,
        _ledger_settled.c.event == stream_id_of(ledger),
        _ledger_settled.c.kind == "settled",
    )

    def total(condition: Any) -> Any:
        return func.coalesce(func.sum(case((condition, ledger.c.amount), else_=0)), 0)

    return select(
        total(ledger.c.kind == "received").label("paid_in"),
        total(ledger.c.kind == "settled").label("paid_out"),
        total(and_(ledger.c.kind.in_(_OWED), ~settled)).label("owed"),
    ).where(_of_a_player(alien_id, window))


def stream_id_of(entries: Any) -> Any:
    """The stream id of ledger entries, as a settlement names it."""
    return func.concat(entries.c.stream_ms, "-", entries.c.stream_seq)


def _of_a_player(alien_id: str, window: tuple[datetime, datetime]) -> Any:
    start, end = window
    return and_(
        ledger.c.alien_id == alien_id,
        ledger.c.kind.in_(_OF_A_PLAYER),
        ledger.c.at >= start,
        ledger.c.at < end,
    )


async def set_listed(connection: AsyncConnection, alien_id: str, listed: bool) -> None:
    """Note whether a player wants to be shown among the best."""
    wish = insert(profiles).values(alien_id=alien_id, listed=listed)
    await connection.execute(
        wish.on_conflict_do_update(index_elements=["alien_id"], set_={"listed": listed})
    )


async def record_of(connection: AsyncConnection, lobby_id: str) -> Any | None:
    """A game's `log`, the `hash` of its last entry, and its `proof`; None if it is not there."""
    found = (
        select(records.c.log, records.c.hash, games.c.proof)
        .join(games, games.c.lobby_id == records.c.lobby_id)
        .where(records.c.lobby_id == lobby_id)
    )
    return (await connection.execute(found)).one_or_none()


async def proofs_of(
    connection: AsyncConnection,
    since: datetime | None,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[Any]:
    """The `lobby_id`, `finished_at` and `proof` of games that have one, in the order of their ends,
    from `since` on and before `until`; those after the end and the id of the lobby in `after`."""
    found: Sequence[Any] = (
        await connection.execute(proofs_query(since, until, after, limit))
    ).all()
    return found


def proofs_query(
    since: datetime | None,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Select[Any]:
    """The query of `proofs_of`."""
    place = tuple_(games.c.finished_at, games.c.lobby_id)
    return (
        select(games.c.lobby_id, games.c.finished_at, games.c.proof)
        .where(
            games.c.proof.is_not(None),
            true() if since is None else games.c.finished_at >= since,
            true() if until is None else games.c.finished_at < until,
            true() if after is None else place > tuple_(*after),
        )
        .order_by(*place)
        .limit(limit)
    )


async def invoice_fields(connection: AsyncConnection, invoice_id: str) -> Mapping[str, str] | None:
    """A closed invoice as the store had it; None if it is not there."""
    found = select(invoices.c.fields).where(invoices.c.invoice_id == invoice_id)
    fields: Mapping[str, str] | None = (await connection.execute(found)).scalar_one_or_none()
    return fields


async def ledger_after(
    connection: AsyncConnection, table: str, after: tuple[int, int], limit: int
) -> Sequence[Any]:
    """Entries of a table's ledger after a place in its stream, in order: whole rows."""
    place = tuple_(ledger.c.stream_ms, ledger.c.stream_seq)
    wanted = (
        select(ledger)
        .where(ledger.c.table_name == table, place > tuple_(*after))
        .order_by(ledger.c.stream_ms, ledger.c.stream_seq)
        .limit(limit)
    )
    found: Sequence[Any] = (await connection.execute(wanted)).all()
    return found


async def settlements(
    connection: AsyncConnection, table: str, owed: Sequence[str]
) -> Mapping[str, str]:
    """The references of those of the owed entries (stream ids) that are settled, by their ids."""
    wanted = select(ledger.c.event, ledger.c.reference).where(
        ledger.c.table_name == table, ledger.c.kind == "settled", ledger.c.event.in_(owed)
    )
    found = (await connection.execute(wanted)).all()
    return {row.event: row.reference or "" for row in found}


async def received_since(
    connection: AsyncConnection, alien_id: str, since_ms: float
) -> Sequence[Any]:
    """A player's payments since then (Unix ms): `table_name` and `fields` of their entries."""
    found: Sequence[Any] = (await connection.execute(received_query(alien_id, since_ms))).all()
    return found


def received_query(alien_id: str, since_ms: float) -> Select[Any]:
    """The query of `received_since`."""
    since = datetime.fromtimestamp(since_ms / 1000, UTC)
    return select(ledger.c.table_name, ledger.c.fields).where(
        ledger.c.alien_id == alien_id, ledger.c.kind == "received", ledger.c.at >= since
    )


async def cursor_of(connection: AsyncConnection, table: str) -> Any | None:
    """How far a table's ledger has moved: `last_id`, `entries` and `hash`; None if nothing has."""
    found = await connection.execute(select(cursors).where(cursors.c.table_name == table))
    return found.one_or_none()


async def unmatched_after(connection: AsyncConnection, after: str, limit: int) -> Sequence[Any]:
    """Payments that match nothing, by transaction: those after the one of that name."""
    wanted = select(unmatched).where(unmatched.c.tx > after).order_by(unmatched.c.tx).limit(limit)
    found: Sequence[Any] = (await connection.execute(wanted)).all()
    return found
