"""The parent of the workers: it owns their sockets, starts a worker anew when one dies, replaces
them one by one, and adds up what they count. It serves nobody itself, so nothing can hold it up."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from signal import SIGTERM
from socket import socket
from typing import Final

import structlog

from server.assembly.workers.totals import Totals
from server.assembly.workers.watchdog import PATIENCE, Patience, end_if_silent
from server.assembly.workers.worker import PROGRAM, Worker
from server.runtime.exit_codes import BAD_SETTINGS, FAILED

LOOP_DEATHS: Final = 5
LOOP_SECONDS: Final = 30.0
"""After so many deaths in so long, of workers no older than that, another start is of no use."""
FIRST_PAUSE_SECONDS: Final = 0.4
LONGEST_PAUSE_SECONDS: Final = 3.0
MOST_DOUBLINGS: Final = 10
LEAVE_SECONDS: Final = 60.0
"""So much longer than to drain a worker may take to leave."""

log = structlog.get_logger(__name__)


class Slot:
    """A worker's place, which outlives it: its number and its sockets. `successor` is being
    started in place of `worker`, which serves until then."""

    def __init__(self, number: int, public: Sequence[socket], metrics: Sequence[socket]) -> None:
        self.number = number
        self.public = public
        self.metrics = metrics
        self.worker: Worker | None = None
        self.successor: Worker | None = None

    def close(self) -> None:
        """Close the sockets here. Where a worker has them they stay open."""
        for each in (*self.public, *self.metrics):
            each.close()


class Supervisor:
    """Keeps a worker in each of `slots`, which may drain for `drain_seconds`. `report` is called
    with the reason why one could not start, a line for the operator. `pauses_seconds`: the pause
    after a second death, and the longest after further ones. `patience`: how long a worker may not
    answer; `program`: what it runs."""

    _tasks: asyncio.TaskGroup

    def __init__(
        self,
        slots: Sequence[Slot],
        drain_seconds: float,
        report: Callable[[str], None],
        *,
        pauses_seconds: tuple[float, float] = (FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS),
        patience: Patience = PATIENCE,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._slots = slots
        self._pauses_seconds = pauses_seconds
        self._patience = patience
        self._program = program
        self._drain_seconds = drain_seconds
        self._report_failure = report
        self._running: set[Worker] = set()
        self._totals = Totals(self._running)
        self._deaths_s: list[float] = []
        self._exit_code = 0
        self._stopped = asyncio.Event()
        self._starting = asyncio.Lock()
        self._replacing = asyncio.Lock()
        self._is_to_replace = False

    async def run(self) -> int:
        """Serve until `stop` is called, or no worker can be started. The exit code."""
        async with asyncio.TaskGroup() as self._tasks:
            for slot in self._slots:
                await self._fill(slot)
            await self._stopped.wait()
            async with self._starting:  # a worker that is being started needs the sockets
                for slot in self._slots:
                    slot.close()
            for worker in self._running:
                # One that is not ready serves nobody, and would report its end as a failure.
                (worker.terminate if worker.ready else worker.kill)()
        return self._exit_code

    def stop(self) -> None:
        """Let all workers drain, and end."""
        self._stopped.set()

    def replace(self) -> None:
        """Replace the workers one by one, without refusing anybody. Calls while they are being
        replaced have them replaced once more after that."""
        if not self._is_to_replace and not self._stopped.is_set():
            self._is_to_replace = True
            self._tasks.create_task(self._replace_all())

    async def _fill(self, slot: Slot) -> None:
        """Start a worker in a place that has none, as soon as the machine lets us."""
        for attempt in count(2):
            try:
                async with self._starting:
                    if not (slot.worker or slot.successor or self._stopped.is_set()):
                        slot.worker = await self._start(slot)
                return
            except OSError as error:
                log.error("worker_not_started", worker=slot.number, reason=error.strerror)
                await self._pause(attempt)

    async def _start(self, slot: Slot) -> Worker:
        worker = await Worker.start(slot.number, slot.public, slot.metrics, self._program)
        self._running.add(worker)
        self._tasks.create_task(self._watch(slot, worker))
        self._tasks.create_task(self._totals.answer(worker))
        self._tasks.create_task(end_if_silent(worker, self._patience))
        return worker

    # When one dies

    async def _watch(self, slot: Slot, worker: Worker) -> None:
        code = await worker.run()
        self._running.discard(worker)
        self._totals.keep(worker)
        if self._stopped.is_set():
            if worker.ready and code not in (0, -SIGTERM):
                self._exit_code = self._exit_code or FAILED
        elif worker is slot.worker:
            slot.worker = None
            await self._died(slot, worker, code)

    async def _died(self, slot: Slot, worker: Worker, code: int) -> None:
        if worker.failure is not None:
            self._report_failure(worker.failure)
        if code == BAD_SETTINGS:
            self._give_up(BAD_SETTINGS)
            return
        log.error("worker_died", worker=slot.number, pid=worker.pid, exit_code=code)
        self._totals.metrics.worker_deaths.labels("hung" if worker.hung else "died").inc()
        deaths = self._count_death(worker)
        if deaths >= LOOP_DEATHS:
            log.critical("workers_die_at_once", deaths=deaths, within_seconds=LOOP_SECONDS)
            self._give_up(FAILED)
            return
        await self._pause(deaths)
        await self._fill(slot)  # unless it was replaced meanwhile

    def _count_death(self, worker: Worker) -> int:
        """How many have died soon after their start lately, if this one has; else 0."""
        now_s = time.monotonic()
        if worker.age_seconds > LOOP_SECONDS:
            return 0
        self._deaths_s = [at_s for at_s in self._deaths_s if now_s - at_s < LOOP_SECONDS]
        self._deaths_s.append(now_s)
        return len(self._deaths_s)

    async def _pause(self, deaths: int) -> None:
        if deaths > 1:
            first_seconds, longest_seconds = self._pauses_seconds
            seconds = min(first_seconds * 2.0 ** min(deaths - 2, MOST_DOUBLINGS), longest_seconds)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), seconds)

    def _give_up(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self.stop()

    # When all are replaced

    async def _replace_all(self) -> None:
        async with self._replacing:
            self._is_to_replace = False
            for slot in self._slots:
                if not await self._replace(slot):
                    return
            log.info("workers_replaced")

    async def _replace(self, slot: Slot) -> bool:
        try:
            successor = await self._start_successor(slot)
        except OSError as error:
            log.error("worker_not_replaced", worker=slot.number, reason=error.strerror)
            return False
        if successor is None:
            return False
        await successor.settled.wait()
        slot.successor = None
        if self._stopped.is_set():
            return False
        if successor.exit_code is not None:
            log.error("worker_not_replaced", worker=slot.number, reason=successor.failure)
            await self._fill(slot)  # if it has died meanwhile
            return False
        old, slot.worker = slot.worker, successor
        if old is not None:
            await self._let_go(old)
        return True

    async def _start_successor(self, slot: Slot) -> Worker | None:
        async with self._starting:
            if not self._stopped.is_set():
                slot.successor = await self._start(slot)
            return slot.successor

    async def _let_go(self, worker: Worker) -> None:
        worker.leave()
        try:
            async with asyncio.timeout(self._drain_seconds + LEAVE_SECONDS):
                await worker.ended.wait()
        except TimeoutError:
            log.error("worker_did_not_leave", worker=worker.number, pid=worker.pid)
            worker.kill()
