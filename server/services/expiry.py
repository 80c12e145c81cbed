"""When finished lobbies expire: the store notifies nobody of that, so it is asked."""

import asyncio
from collections.abc import Callable
from typing import Final

from server.runtime.tasks import end
from server.store.errors import StoreUnavailable
from server.store.lobbies import LobbyStore

_RETRY_SECONDS: Final = 0.5
_CHECK_SECONDS: Final = 60.0
"""The longest time between two checks: the store's clock, by which lobbies expire, may be set."""


class ExpiryWatch:
    """Calls `on_expired` with each watched lobby that the store no longer has, again and again
    until it is unwatched. A lobby costs a timer, and a task only while the store is asked."""

    def __init__(self, store: LobbyStore, on_expired: Callable[[str], None]) -> None:
        self._store = store
        self._on_expired = on_expired
        self._timer_of: dict[str, asyncio.TimerHandle] = {}
        self._checks: set[asyncio.Task[None]] = set()

    def watch(self, lobby_id: str) -> None:
        """Check this lobby from now on, if that is not so already."""
        if lobby_id not in self._timer_of:
            self._check_in(0, lobby_id)

    def unwatch(self, lobby_id: str) -> None:
        """Check this lobby no more, if it was watched."""
        timer = self._timer_of.pop(lobby_id, None)
        if timer is not None:
            timer.cancel()

    async def close(self) -> None:
        """Check nothing any more."""
        for lobby_id in list(self._timer_of):
            self.unwatch(lobby_id)
        await end(*self._checks)

    def _check_in(self, seconds: float, lobby_id: str) -> None:
        loop = asyncio.get_running_loop()
        self._timer_of[lobby_id] = loop.call_later(seconds, self._start_check, lobby_id)

    def _start_check(self, lobby_id: str) -> None:
        check = asyncio.create_task(self._check(lobby_id, self._timer_of[lobby_id]))
        self._checks.add(check)
        check.add_done_callback(self._checks.discard)

    async def _check(self, lobby_id: str, timer: asyncio.TimerHandle) -> None:
        try:
            left_seconds = await self._store.seconds_left(lobby_id)
        except StoreUnavailable:
            left_seconds = _RETRY_SECONDS
        if self._timer_of.get(lobby_id) is not timer:
            return  # unwatched meanwhile
        self._check_in(min(max(left_seconds, _RETRY_SECONDS), _CHECK_SECONDS), lobby_id)
        if left_seconds == 0:
            self._on_expired(lobby_id)
