"""What all workers of a machine have counted, those that have ended included, as one."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Final

from server.assembly.workers.worker import Worker
from server.runtime.metrics import Metrics
from server.runtime.reports import Report, counted, total

REPORT_SECONDS: Final = 0.5
"""So long a report may take; of a worker that hangs the last one counts."""
TOTAL_SECONDS: Final = 0.1
"""However often they are asked, the workers collect their metrics no more often than this."""


class Totals:
    """The sum of what the `running` workers count, what those before them counted, and `metrics`,
    which count workers."""

    def __init__(self, running: Collection[Worker]) -> None:
        self.metrics = Metrics()
        for cause in ("died", "hung"):  # Prometheus sees no increase of a series that is new
            self.metrics.worker_deaths.labels(cause)
        self._running = running
        self._ended: Report = ()
        self._sum: Report = ()
        self._added_s = -TOTAL_SECONDS
        self._adding = asyncio.Lock()

    def keep(self, worker: Worker) -> None:
        """Keep what a worker counted that has ended."""
        self._ended = total([self._ended, counted(worker.report)])

    async def answer(self, worker: Worker) -> None:
        """Send a worker the sum whenever it asks. Returns when it has ended."""
        while await worker.asks():
            worker.answer(await self._total())

    async def _total(self) -> Report:
        # One sum for all who ask at once: so a worker that is asked later never shows less.
        async with self._adding:
            if time.monotonic() - self._added_s > TOTAL_SECONDS:
                await self._collect()
                self._added_s = time.monotonic()
            return self._sum

    async def _collect(self) -> None:
        # One that starts reports that it is not up, which counts only where no other is.
        serving = [w for w in self._running if w.ready] or list(self._running)
        with suppress(TimeoutError):
            async with asyncio.timeout(REPORT_SECONDS):
                await asyncio.gather(*(worker.refresh_report() for worker in serving))
        reports = (w.report if w in serving else counted(w.report) for w in self._running)
        self._sum = total([self._ended, self.metrics.report(), *reports])
