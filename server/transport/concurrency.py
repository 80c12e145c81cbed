"""The limiter: what is asked of the server goes through a few at a time.

The clock of the running games does not, nor does a claim. When more is asked than can be done, each
pass of the event loop stays short by that, so the numbers are called and sent in time and it is
new requests that wait. Payments have a limiter of their own: whoever sits in a lobby already and
has paid shall not wait behind those who want to get in.
"""

import asyncio
from collections import deque
from types import TracebackType
from typing import Final

from server.runtime.shared_timeout import SharedTimeout
from server.store.errors import StoreUnavailable

PLAYERS_AT_ONCE: Final = 64
"""So many keep the store's connection busy; with each more a pass takes longer."""
PAYMENTS_AT_ONCE: Final = 32
PATIENCE_SECONDS: Final = 8.0
"""To wait costs nothing, to be refused and ask again does. Less than a connection has to join."""
HANGING_SECONDS: Final = 1.0
"""Whoever met a store that is away, but only after so long, met one that hangs."""

_Queue = deque["asyncio.Future[None]"]


class ConcurrencyLimiter:
    """Lets at most `at_once` in at a time: `async with limiter.turn(whose)`.

    Those who wait are let in by turns: each time the next of those `whose` turn it is, and of
    theirs the one who came first. So one who asks a thousand things delays another by one.

    To wait raises StoreUnavailable after `patience_seconds`. While the store hangs, each in the
    queue would wait for it in turn: so all are refused when one inside has met that, unless
    somebody got an answer since that one went in.
    """

    def __init__(
        self,
        at_once: int,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        hanging_seconds: float = HANGING_SECONDS,
    ) -> None:
        self._free = at_once
        self._hanging_seconds = hanging_seconds
        self._queues: dict[str, _Queue] = {}  # whose turn is next comes first; none is empty
        self._patience = SharedTimeout(patience_seconds, _give_up)
        self._answered_at_s = float("-inf")

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return sum(map(len, self._queues.values()))

    def turn(self, whose: str) -> "_Turn":
        """One turn of a player, as an asynchronous context manager."""
        return _Turn(self, whose)

    async def enter(self, whose: str) -> None:
        """Wait for a turn, which `leave` ends."""
        if self._free:  # then nobody waits
            self._free -= 1
        else:
            await self._wait(whose)

    def leave(self, entered_at_s: float, error: BaseException | None) -> None:
        """End a turn that began at `entered_at_s`, by the event loop's clock, with that error."""
        now_s = asyncio.get_running_loop().time()
        if not isinstance(error, StoreUnavailable):
            self._answered_at_s = now_s
        elif self._answered_at_s < entered_at_s <= now_s - self._hanging_seconds:
            self._let_down(error)
        self._let_in()

    async def _wait(self, whose: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(whose, deque()).append(turn)
        self._patience.start(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.exception() is None:  # it had just got its turn
                self._let_in()
            raise
        finally:
            self._patience.cancel(turn)

    def _let_in(self) -> None:
        """Give the turn of one who leaves to the next who still waits."""
        while self._queues:
            whose = next(iter(self._queues))
            queue = self._queues.pop(whose)
            turn = _first_waiting(queue)
            if queue:
                self._queues[whose] = queue  # behind all others
            if turn is not None:
                turn.set_result(None)
                return
        self._free += 1

    def _let_down(self, error: StoreUnavailable) -> None:
        queues, self._queues = self._queues, {}
        for queue in queues.values():
            for turn in queue:
                if not turn.done():
                    turn.set_exception(StoreUnavailable(str(error)))


class _Turn:
    __slots__ = ("_entered_at_s", "_limiter", "_whose")

    def __init__(self, limiter: ConcurrencyLimiter, whose: str) -> None:
        self._limiter = limiter
        self._whose = whose

    async def __aenter__(self) -> None:
        await self._limiter.enter(self._whose)
        self._entered_at_s = asyncio.get_running_loop().time()

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._limiter.leave(self._entered_at_s, error)


def _first_waiting(queue: _Queue) -> "asyncio.Future[None] | None":
    """Take the first who still waits out of the queue, and all before."""
    while queue:
        turn = queue.popleft()
        if not turn.done():
            return turn
    return None


def _give_up(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_exception(StoreUnavailable("the limiter is full for too long"))
