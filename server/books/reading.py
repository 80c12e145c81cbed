"""What else is asked of the books. Every query has an index that it uses: see
tests/books/test_plans.py."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Select, exists, func, select, true, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.schema import (
    cursors,
    games,
    invoices,
    ledger,
    profiles,
    records,
    unmatched,
)

_OWED: Final = ("payout_owed", "refund_owed")
_ledger_settled = ledger.alias("settled")


def _is_settled() -> Any:
    """Whether there is a settlement of an entry of the ledger."""
    return exists().where(
        _ledger_settled.c.table_name == ledger.c.table_name,
        _ledger_settled.c.event == _stream_id(ledger),
        _ledger_settled.c.kind == "settled",
    )


def _stream_id(entries: Any) -> Any:
    """The stream id of ledger entries, as a settlement names it."""
    return func.concat(entries.c.stream_ms, "-", entries.c.stream_seq)


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


async def unsettled(connection: AsyncConnection, table: str) -> Mapping[str, Mapping[str, str]]:
    """The fields of a table's entries that are owed and not settled, by their stream ids."""
    wanted = select(ledger.c.stream_ms, ledger.c.stream_seq, ledger.c.fields).where(
        ledger.c.table_name == table, ledger.c.kind.in_(_OWED), ~_is_settled()
    )
    found = await connection.execute(wanted)
    return {f"{row.stream_ms}-{row.stream_seq}": row.fields for row in found}


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
