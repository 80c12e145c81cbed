"""A delay that many share."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextvars import Context
from typing import Final, Generic, TypeVar

T = TypeVar("T")

GRAIN_SECONDS: Final = 0.005
"""What is due within so short a time is done together. A timer may come early: uvloop's count
whole milliseconds."""


class SharedTimeout(Generic[T]):
    """Calls `act(item)` so many `seconds` after the item was started, or up to `GRAIN_SECONDS`
    earlier, if it was not cancelled.

    As it is the same for all, they are due in the order in which they came, and one timer looks
    after them. Thousands a second wait for an answer of the store or for their turn, and a timer
    of its own for each costs several times as much.
    """

    def __init__(self, seconds: float, act: Callable[[T], None]) -> None:
        self._seconds = seconds
        self._act = act
        self._due: OrderedDict[T, float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, item: T) -> None:
        """Begin the delay of an item that is not in one."""
        loop = asyncio.get_running_loop()
        self._due[item] = due = loop.time() + self._seconds
        if self._timer is None:
            self._set_timer(loop, due)

    def cancel(self, item: T) -> None:
        """End the delay of an item, if it is in one."""
        self._due.pop(item, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now_due = loop.time() + GRAIN_SECONDS
        self._timer = None
        try:
            while self._due and next(iter(self._due.values())) <= now_due:
                item, _ = self._due.popitem(last=False)
                self._act(item)
        finally:
            if self._due and self._timer is None:
                self._set_timer(loop, next(iter(self._due.values())))

    def _set_timer(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        # A context of its own: what is logged is not of whoever happened to come first.
        self._timer = loop.call_at(due, self._look, context=Context())
