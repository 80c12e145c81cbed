"""The worker that pays: what is owed goes to the payment service, and what it says into the
ledger."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from server.books.errors import BooksUnavailable
from server.rules.payouts import Answer, Paid
from server.services.payout_queue import LEASE_SECONDS, PayoutAnswer, PayoutQueue, Taken
from server.store.errors import COMMAND_ERRORS, StoreUnavailable

POLL_SECONDS: Final = 0.5
RETRY_SECONDS: Final = 2.0
_AWAY: Final = (StoreUnavailable, BooksUnavailable, *COMMAND_ERRORS)
_PARTS: Final = 1000

log = structlog.get_logger(__name__)


class Service(Protocol):
    """The operator's payment service."""

    async def send(self, payout_id: str, body: str) -> Answer:
        """Have a payout paid."""
        ...

    async def look(self, payout_id: str) -> Answer:
        """Ask what became of a payout."""
        ...


class PayoutWorker:
    """Pays what is owed, at most `at_once` at a time. Any number of processes may do so."""

    def __init__(self, queue: PayoutQueue, service: Service, *, at_once: int) -> None:
        self._queue = queue
        self._service = service
        self._at_once = at_once
        self._turns = asyncio.Semaphore(at_once)
        self._asking: set[asyncio.Task[None]] = set()
        self._answers: list[PayoutAnswer] = []
        self._news = asyncio.Event()
        self._ending = False

    async def run(self, stop: asyncio.Event) -> None:
        """Pay until `stop` is set; then wait for the answers that are on their way, and note them.
        What cannot be noted in time is looked up by whoever comes next."""
        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(_wait(stop))
            noting = group.create_task(self._note_all())
            while not stop.is_set():
                await self._pass(group, stopping)
            if self._asking:
                await asyncio.wait(self._asking)
            self._ending = True
            self._news.set()
            _, late = await asyncio.wait([noting], timeout=LEASE_SECONDS)
            for task in late:
                log.warning("payouts_left_in_doubt", payouts=len(self._answers))
                task.cancel()

    async def _pass(self, group: asyncio.TaskGroup, stopping: asyncio.Task[None]) -> None:
        # As many wait for their turn as are asked for: one transaction takes many.
        free = 2 * self._at_once - len(self._asking)
        until_s = asyncio.get_running_loop().time() + LEASE_SECONDS
        try:
            taken: Sequence[Taken] = await self._queue.take(free)
        except _AWAY as error:
            log.warning("payouts_wait", error=str(error))
            await asyncio.wait([stopping], timeout=_retry_seconds())
            return
        for step, payout in taken:
            if step == "settle":  # the service said so before
                self._add(PayoutAnswer(payout, step, Paid(payout.standing.reference or "")))
            else:
                task = group.create_task(self._ask(Taken(step, payout), until_s))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
        while len(self._asking) > self._at_once and not stopping.done():
            await asyncio.wait([stopping, *self._asking], return_when=asyncio.FIRST_COMPLETED)
        if len(taken) < free:
            await asyncio.wait([stopping], timeout=POLL_SECONDS)

    async def _ask(self, taken: Taken, until_s: float) -> None:
        step, payout = taken
        async with self._turns:
            # After a pause of this process it may be another's by now.
            if asyncio.get_running_loop().time() > until_s:
                return
            if step == "send":
                answer = await self._service.send(payout.payout_id, payout.body or "")
            else:
                answer = await self._service.look(payout.payout_id)
        self._add(PayoutAnswer(payout, step, answer))

    def _add(self, answer: PayoutAnswer) -> None:
        self._answers.append(answer)
        self._news.set()

    async def _note_all(self) -> None:
        while self._answers or not self._ending:
            await self._news.wait()
            self._news.clear()
            while self._answers:
                answers, self._answers = self._answers, []
                try:
                    await self._queue.note(answers)
                except _AWAY as error:
                    log.warning("payouts_not_noted_yet", error=str(error), payouts=len(answers))
                    self._answers = answers + self._answers
                    await asyncio.sleep(_retry_seconds())


def _retry_seconds() -> float:
    return RETRY_SECONDS * (1 + secrets.randbelow(_PARTS) / _PARTS) / 2


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()
