"""The lists of the best, each read from the books once for all who ask at about the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from protocol.history import Leaderboard, Period

FRESH_SECONDS: Final = 1.0
SHOWN_SECONDS: Final = 2.0
"""A list that is older than the first is read anew, and shown meanwhile until it is older than the
second: a game is in all answers within 5 s after its end, and its way into the books is part of
that."""
_MOST: Final = 64

_Asked = tuple[Period, int | None]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A list, and when it began to be read, on the monotonic clock."""

    board: Leaderboard
    began_s: float


class Leaderboards:
    """Everyone may ask, as often as they like, and everyone gets the same answer; to count is work
    for the books. So each list is read by one at a time, and an answer is used again for a
    moment."""

    def __init__(self, read: Callable[[Period, int | None], Awaitable[Leaderboard]]) -> None:
        self._read = read
        self._kept: dict[_Asked, _Kept] = {}
        self._reading: dict[_Asked, asyncio.Task[Leaderboard]] = {}

    async def of(self, period: Period, buy_in_amount: int | None) -> Leaderboard:
        """The list. Raises StoreUnavailable."""
        asked = (period, buy_in_amount)
        kept = self._kept.get(asked)
        age_seconds = float("inf") if kept is None else time.monotonic() - kept.began_s
        if kept is not None and age_seconds < FRESH_SECONDS:
            return kept.board
        reading = self._reading.get(asked)
        if reading is None:
            reading = self._reading[asked] = asyncio.create_task(self._read_anew(asked))
            reading.add_done_callback(_retrieve)
        if kept is not None and age_seconds < SHOWN_SECONDS:
            return kept.board
        return await asyncio.shield(reading)

    def forget(self) -> None:
        """Use no answer again that was read, or is being read: something has changed."""
        self._kept.clear()
        self._reading.clear()

    async def _read_anew(self, asked: _Asked) -> Leaderboard:
        began_s = time.monotonic()
        mine = asyncio.current_task()
        try:
            board = await self._read(*asked)
        finally:
            is_wanted = self._reading.get(asked) is mine
            if is_wanted:
                del self._reading[asked]
        if is_wanted:
            self._kept.pop(asked, None)
            self._kept[asked] = _Kept(board, began_s)
            if len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
        return board


def _retrieve(reading: asyncio.Task[Leaderboard]) -> None:
    """Whoever asked may have been shown an earlier list: then the next one asks the books again,
    and gets what is wrong."""
    if not reading.cancelled():
        reading.exception()
