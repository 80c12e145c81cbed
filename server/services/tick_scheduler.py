"""The tick scheduler: does what is due in every lobby, on whichever node takes it first."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

import structlog

from protocol.errors import ErrorCode, Refused
from server.rules.commands import Tick
from server.rules.lobby import Lobby
from server.runtime.clock import SET_BACK_MS, StoreClock
from server.runtime.tasks import end
from server.services.alarms import Alarms
from server.services.lobbies import Changed, Lobbies
from server.store.errors import StoreUnavailable
from server.store.tables import Tables
from server.store.timers import AHEAD_MS, LEASE_MS, Timers
from server.store.timings import TIMINGS, StoreTimings

MAX_SLEEP_SECONDS: Final = 0.25
"""Another node may have set an earlier timer and died, so no scheduler sleeps longer."""
MIN_SLEEP_SECONDS: Final = 0.02
"""What is due within so short a time is taken in one batch, well before it is due."""
_BATCH: Final = 256
_RETRY_SECONDS: Final = 0.5
_FIRST_RETRY_SECONDS: Final = 0.1
"""From a failure to the next attempt, at most and at first: each time it is twice as long. A
primary that only changes places is back so soon."""
_DEAD_SECONDS: Final = 5.0
"""A scheduler that has not been able to take what is due for so long counts as down."""

log = structlog.get_logger(__name__)


class TickScheduler:
    """Takes lobbies of all tables shortly before they are due, a batch at a time, and carries out
    a `Tick` in each when it is due.

    There may be any number of schedulers: a lease keeps two from doing the same work, and the
    commit prevents that it is done twice. `await_beacon` is called for each lobby
    that is due and can go on only with the signature of its beacon; it does not wait for anything.
    """

    def __init__(
        self,
        lobbies: Lobbies,
        timers: Timers,
        alarms: Alarms,
        clock: StoreClock,
        tables: Tables,
        await_beacon: Callable[[Lobby], None],
        timings: StoreTimings = TIMINGS,
    ) -> None:
        self._lobbies = lobbies
        self._timers = timers
        self._alarms = alarms
        self._clock = clock
        self._tables = tables
        self._await_beacon = await_beacon
        self._find_tables_seconds = timings.find_tables_seconds
        self._stopping = False
        self._finding: asyncio.Task[None] | None = None
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._ticking: dict[str, asyncio.Task[None]] = {}
        self._taken_s: dict[str, float] = {}
        self._reviewed: dict[str, int] = {}

    @property
    def alive(self) -> bool:
        """Whether the due lobbies of every table are taken, and the store accepts that."""
        since_s = time.monotonic() - _DEAD_SECONDS
        return (
            bool(self._taken_s)
            and not self._stopping
            and all(taken_s > since_s for taken_s in self._taken_s.values())
        )

    @property
    def alive_somewhere(self) -> bool:
        """Whether the due lobbies of any table are taken: the shards of others may be away."""
        since_s = time.monotonic() - _DEAD_SECONDS
        return not self._stopping and any(taken > since_s for taken in self._taken_s.values())

    @property
    def ticking(self) -> int:
        """How many lobbies were taken and are not done."""
        return len(self._ticking)

    def start(self) -> None:
        """Begin to take work."""
        self._serve_all_known()
        self._finding = asyncio.create_task(self._find_tables())

    async def stop(self) -> None:
        """Take no more work, and finish what was taken."""
        self._stopping = True
        await end(self._finding)
        self._alarms.wake()
        if self._serving:
            await asyncio.wait(self._serving.values())
        if self._ticking:  # only now: what was being taken is among them
            await asyncio.wait(self._ticking.values())

    def _serve_all_known(self) -> None:
        for table in self._tables.known:
            if table not in self._serving:
                self._alarms.add(table)
                self._taken_s[table] = time.monotonic()
                self._serving[table] = asyncio.create_task(self._serve(table))

    async def _find_tables(self) -> None:
        while True:
            try:
                await self._tables.refresh()
            except StoreUnavailable as error:
                log.warning("scheduler_without_store", error=str(error))
            except Exception:
                # Tables that are known are served all the same, and the next attempt may succeed.
                log.exception("scheduler_failed")
            self._serve_all_known()
            await asyncio.sleep(self._find_tables_seconds)

    async def _serve(self, table: str) -> None:
        retry_seconds = _FIRST_RETRY_SECONDS
        while not self._stopping:
            try:
                sleep_seconds = await self._take_due(table)
                self._taken_s[table] = time.monotonic()
                await self._review_after_set_back(table)
                retry_seconds = _FIRST_RETRY_SECONDS
            except StoreUnavailable as error:
                log.warning("scheduler_without_store", table=table, error=str(error))
                sleep_seconds = retry_seconds
                retry_seconds = min(2 * retry_seconds, _RETRY_SECONDS)
            except Exception:
                # The task must not end: nothing would start it again.
                log.exception("scheduler_failed", table=table)
                sleep_seconds = _RETRY_SECONDS
            until_ms = self._clock.now_ms() + sleep_seconds * 1000
            await self._alarms.sleep(table, sleep_seconds, until_ms + AHEAD_MS)

    async def _take_due(self, table: str) -> float:
        """Take what is due soon, and return in how many seconds to do so again."""
        due, following_ms = await self._timers.take_due(table, _BATCH)
        for lobby_id, due_ms in due.items():
            if lobby_id not in self._ticking:
                task = asyncio.create_task(self._tick(table, lobby_id, due_ms))
                self._ticking[lobby_id] = task
        if len(due) == _BATCH:
            return 0
        if following_ms is None:
            return MAX_SLEEP_SECONDS
        seconds = (following_ms - AHEAD_MS - self._clock.now_ms()) / 1000
        return min(max(seconds, MIN_SLEEP_SECONDS), MAX_SLEEP_SECONDS)

    async def _review_after_set_back(self, table: str) -> None:
        """Bring forward the timers that lie too far ahead because the store's clock was set back,
        while this node ran or before."""
        set_backs = self._clock.set_backs
        if self._reviewed.get(table) == set_backs:
            return
        later = await self._timers.later_than(table, self._clock.now_ms() + SET_BACK_MS)
        for start in range(0, len(later), _BATCH):
            await asyncio.gather(*map(self._lobbies.repair_indexes, later[start : start + _BATCH]))
        self._reviewed[table] = set_backs

    async def _tick(self, table: str, lobby_id: str, due_ms: float) -> None:
        try:
            # In a loop: the clock may be set meanwhile. Rounded up: uvloop sleeps whole ms.
            while (early_ms := due_ms - self._clock.now_ms()) > 0:
                if early_ms > AHEAD_MS + SET_BACK_MS:  # the clock was set back
                    return
                await asyncio.sleep(math.ceil(early_ms) / 1000)
            changed = await self._carry_out(lobby_id, due_ms)
            if isinstance(changed, Refused) and changed.code is ErrorCode.UNKNOWN_LOBBY:
                log.error("timer_of_no_lobby", lobby_id=lobby_id)
                await self._lobbies.repair_indexes(lobby_id)
            elif isinstance(changed, Changed) and changed.lobby.awaited is not None:
                self._await_beacon(changed.lobby)  # until it is there, the lease brings it up again
            elif isinstance(changed, Changed) and not changed.records:
                # Another node was faster, or the timer contradicts the lobby.
                await self._lobbies.repair_indexes(lobby_id)
        except StoreUnavailable as error:
            log.warning("tick_without_store", lobby_id=lobby_id, error=str(error))
        except Exception:
            # A fault in one lobby must not stop the clock of the others.
            log.exception("tick_failed", lobby_id=lobby_id)
        finally:
            del self._ticking[lobby_id]

    async def _carry_out(self, lobby_id: str, due_ms: float) -> Changed | Refused:
        """Do what is due; if the store cannot, again, as long as no other node may take it."""
        pause_seconds = _FIRST_RETRY_SECONDS
        while True:
            try:
                return await self._lobbies.carry_out(lobby_id, Tick())
            except StoreUnavailable:
                if self._clock.now_ms() + pause_seconds * 1000 > due_ms + LEASE_MS:
                    raise
            await asyncio.sleep(pause_seconds)
            pause_seconds *= 2
