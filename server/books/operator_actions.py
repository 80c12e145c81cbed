"""What operators did, as the books have it: a copy of the store's log, which stays there too."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from server.books.engine import BooksConnection
from server.books.schema import operator_actions
from server.rules.operator_chain import LogEntry

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


async def last_action(connection: BooksConnection) -> int:
    """The number of the last entry that is copied; 0 if there is none."""
    return int((await connection.execute(select(func.max(operator_actions.c.id)))).scalar() or 0)


async def write_actions(connection: BooksConnection, entries: Sequence[LogEntry]) -> None:
    """Copy entries; those that are there already stay as they are."""
    rows = [_row(entry) for entry in entries]
    if rows:
        await connection.execute(insert(operator_actions).on_conflict_do_nothing(), rows)


async def read_actions(connection: BooksConnection) -> list[LogEntry]:
    """All entries that are copied, the oldest first."""
    rows = await connection.execute(select(operator_actions).order_by(operator_actions.c.id))
    return [LogEntry(**dict(row._mapping) | {"at": (row.at - _EPOCH) // _MS}) for row in rows]


def _row(entry: LogEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": _EPOCH + timedelta(milliseconds=entry.at),
        "operator": entry.operator,
        "action": entry.action,
        "target": entry.target,
        "reason": entry.reason,
        "details": None if entry.details is None else dict(entry.details),
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }
