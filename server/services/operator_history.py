"""The operators' log as it is shown: all of it, and whether nobody has altered it."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from protocol.http import iso_time
from protocol.operator_views import LogEntryView, OperatorLogView
from server.rules.operator_chain import LogEntry, breaks
from server.store.errors import StoreUnavailable
from server.store.operator_log import OperatorLog

log = structlog.get_logger(__name__)


class KeptEntries(Protocol):
    """What is kept of the log outside the store."""

    async def entries(self) -> Sequence[LogEntry]:
        """All entries, the oldest first. Raises StoreUnavailable."""
        ...


class OperatorHistory:
    """Reads the log. `kept`: the copy in the books; None without them."""

    def __init__(self, operator_log: OperatorLog, kept: KeptEntries | None = None) -> None:
        self._log = operator_log
        self._kept = kept

    async def read(self) -> OperatorLogView:
        """The whole log, with what is wrong with it. Raises StoreUnavailable."""
        copy = await self._copy()
        entries = await self._log.entries()
        head = await self._log.head()
        if len(entries) < head.number:  # something was written between the two questions
            entries = (await self._log.entries())[: head.number]  # and perhaps since
        problems = breaks(entries, head)
        problems += _differences(entries, copy)
        return OperatorLogView(
            entries=[view(entry) for entry in entries], intact=not problems, problems=problems
        )

    async def _copy(self) -> Sequence[LogEntry]:
        """The books' copy; that they are away keeps nobody from the log."""
        try:
            return () if self._kept is None else await self._kept.entries()
        except StoreUnavailable as error:
            log.warning("operator_log_not_compared", error=str(error))
            return ()


def _differences(stored: Sequence[LogEntry], copy: Sequence[LogEntry]) -> list[str]:
    """Where the copy is another than what is stored, of which it is the beginning."""
    found = {entry.id: entry for entry in stored}
    return [
        f"entry {entry.id}: the books have another"
        for entry in copy
        if found.get(entry.id) != entry
    ]


def view(entry: LogEntry) -> LogEntryView:
    """An entry as the outside has it."""
    return LogEntryView(
        id=entry.id,
        at=iso_time(entry.at),
        operator=entry.operator,
        action=entry.action,
        target=entry.target,
        reason=entry.reason,
        details=None if entry.details is None else dict(entry.details),
        previous_hash=entry.previous_hash,
        hash=entry.hash,
    )
