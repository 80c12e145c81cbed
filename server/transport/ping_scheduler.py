"""The ping scheduler, a timing wheel: everyone has a turn once in each round, always at the same
place of it."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Final, Generic, TypeVar

T = TypeVar("T")

SLOT_SECONDS: Final = 0.05
CATCH_UP_SECONDS: Final = 1.0
"""A wheel that is later than this shifts all turns, so that between two of them there is time."""


class PingScheduler(Generic[T]):
    """Calls `act(item)` once in each round of `round_seconds`, first one round after it was added.

    With a timer for each, set again at its turn, turns that once came together, because the loop
    was held up, would stay together and gather those that are due meanwhile; in a crowd that pause
    grows from round to round. Here a turn belongs to a slot of the round for good.
    """

    def __init__(self, round_seconds: float, act: Callable[[T], None]) -> None:
        self._act = act
        self._slots: list[set[T]] = [set() for _ in range(round(round_seconds / SLOT_SECONDS))]
        self._next = 0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, item: T) -> set[T]:
        """Give an item a turn. It has it for as long as it is in the slot that this returns."""
        slot = self._slots[self._next - 1]  # whose turn was last
        slot.add(item)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._due = loop.time()
            self._set_timer(loop)
        return slot

    def _turn(self) -> None:
        slot = self._slots[self._next]
        self._next = (self._next + 1) % len(self._slots)
        self._timer = None
        try:
            for item in tuple(slot):
                self._act(item)
        finally:
            if any(self._slots):
                self._set_timer(asyncio.get_running_loop())

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        # When it is late the next turns follow soon, but not at once: others have theirs between.
        self._due = max(self._due + SLOT_SECONDS, loop.time() - CATCH_UP_SECONDS)
        # A context of its own: what is logged is not of whoever happened to come first.
        self._timer = loop.call_at(self._due, self._turn, context=Context())
