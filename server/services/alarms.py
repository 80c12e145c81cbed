"""Alarms: a task that sleeps until the next due time is woken when an earlier one is set."""

import asyncio
import math
from collections.abc import Iterable


class Alarms:
    """One alarm for each table that was added."""

    def __init__(self, tables: Iterable[str] = ()) -> None:
        self._alarms: dict[str, asyncio.Event] = {}
        self._asleep_until_ms: dict[str, float] = {}
        for table in tables:
            self.add(table)

    def add(self, table: str) -> None:
        """Allow one task to sleep until something of the table is due."""
        self._alarms[table] = asyncio.Event()
        self._asleep_until_ms[table] = -math.inf

    def due(self, table: str, due_ms: float | None) -> None:
        """Something of the table is due at `due_ms` (Unix ms); None: nothing is."""
        if due_ms is not None and due_ms < self._asleep_until_ms.get(table, -math.inf):
            self._alarms[table].set()

    def wake(self) -> None:
        """Wake every sleeper."""
        for alarm in self._alarms.values():
            alarm.set()

    async def sleep(self, table: str, seconds: float, until_ms: float) -> None:
        """Sleep for so long, until `until_ms`, unless something earlier comes up."""
        self._asleep_until_ms[table] = until_ms
        try:
            async with asyncio.timeout(seconds):
                await self._alarms[table].wait()
        except TimeoutError:
            pass  # nothing earlier came up
        finally:
            self._alarms[table].clear()
            self._asleep_until_ms[table] = -math.inf
