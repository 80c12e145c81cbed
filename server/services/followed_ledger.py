"""A table's ledger in the books, followed entry by entry along its chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.books import reading
from server.books.chain import DoubtfulRow, LedgerChain, follow
from server.books.engine import BooksConnection
from server.store.ledger import LedgerEntry, MalformedEntry, read_entry


@dataclass(frozen=True, slots=True)
class FollowedLedger:
    """A table's ledger, followed to its end: what is wrong with it, which rows are not what was
    moved, and what of those the stream is said to have had."""

    chain: LedgerChain
    problems: list[str]
    left_out: Sequence[str]
    at_fault: Sequence[LedgerEntry]


async def follow_ledger(connection: BooksConnection, table: str) -> FollowedLedger:
    """Follow a table's ledger."""
    found: list[str] = []
    left_out: list[str] = []
    at_fault: list[LedgerEntry] = []
    chain = LedgerChain()
    async for row in follow(connection, table, chain):
        entry = read_entry(table, row.stream_id, row.fields)
        problem = _problem(row, entry)
        if problem is not None:
            found.append(f"{entry.entry_id}: {problem}")
            left_out.append(row.entry_id)
            at_fault += [entry] if isinstance(entry, LedgerEntry) else []
    found += _cursor_problems(table, await reading.cursor_of(connection, table), chain)
    return FollowedLedger(chain, found, left_out, at_fault)


def _problem(row: DoubtfulRow, entry: LedgerEntry | MalformedEntry) -> str | None:
    if not row.in_chain:
        return "it is not what the chain in the books has next"
    if not row.is_as_moved:
        return "its columns in the books were altered"
    return entry.problem if isinstance(entry, MalformedEntry) else None


def _cursor_problems(table: str, cursor: Any | None, chain: LedgerChain) -> list[str]:
    """How the chain differs from what the cursor says was moved."""
    if cursor is None:
        return [] if not chain.entries else [f"table {table}: the books have lost its cursor"]
    if cursor.entries != chain.entries:
        more, less = cursor.entries - chain.entries, chain.entries - cursor.entries
        what = f"{more} entries less" if more > 0 else f"{less} entries more"
        return [f"table {table}: the books have {what} than were moved"]
    if cursor.hash != chain.hash:
        return [f"{table}:{chain.last_id}: it is not the last entry that was moved"]
    return []
