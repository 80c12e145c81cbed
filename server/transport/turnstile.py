"""The turnstile: what is asked of the server goes through a few at a time.

The clock of the running games does not, nor does a claim. When more is asked than can be done, each
pass of the event loop stays short by that, so the numbers are called and heard in time and it is
the newcomers who wait. Payments have a turnstile of their own: whoever sits in a lobby already and
has paid shall not wait behind those who want to get in.
"""

import asyncio
from collections import deque
from types import TracebackType
from typing import Final

from server.delay import Delay
from server.store.errors import StoreUnavailable

PLAYERS_AT_ONCE: Final = 64
"""So many keep the store's connection busy; with each more a pass takes longer."""
PAYMENTS_AT_ONCE: Final = 32
PATIENCE_SECONDS: Final = 8.0
"""To wait costs nothing, to be refused and ask again does. Less than a connection has to join."""


class Turnstile:
    """An asynchronous context manager in which at most `at_once` are at a time, in the order in
    which they came.

    To enter it raises StoreUnavailable after `PATIENCE_SECONDS`, and for all who wait as soon as
    one inside meets it: while the store hangs, each in the line would else wait for it in turn.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._line: deque[asyncio.Future[None]] = deque()
        self._patience = Delay(PATIENCE_SECONDS, _give_up)

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._line)

    async def __aenter__(self) -> None:
        if self._free:  # then nobody waits
            self._free -= 1
        else:
            await self._wait()

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, StoreUnavailable):
            self._let_down(error)
        self._let_in()

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
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
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _let_down(self, error: StoreUnavailable) -> None:
        for turn in self._line:
            if not turn.done():
                turn.set_exception(StoreUnavailable(str(error)))
        self._line.clear()


def _give_up(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_exception(StoreUnavailable(f"no turn within {PATIENCE_SECONDS:g} s"))
