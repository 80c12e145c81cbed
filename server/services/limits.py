"""A player's own limits: set, shown, and kept when they want a seat.

What counts is at many tables, and no commit can check them all. So whoever has limits is seated one
seat at a time, whichever server is asked: under a lock in the store, within a time after which no
commit that was begun can still happen.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from protocol.errors import Refused
from server.rules.limits import (
    LONGEST_MS,
    Limit,
    Limits,
    Spending,
    changed,
    excluded,
    in_force,
    refusal,
)
from server.runtime.clock import StoreClock
from server.services.past import Past
from server.store.commits import MAX_DECISION_AGE_MS
from server.store.errors import StoreUnavailable
from server.store.limits import LOCK_MS, HeldSeat, LimitsStore, StoredLimits
from server.store.past_ledger import PastLedger
from server.store.spent import Received, received_of
from server.store.tables import Tables

_ATTEMPTS: Final = 10
_PAGE: Final = 5_000
_RETRY_SECONDS: Final = 0.05
_WAIT_SECONDS: Final = 4.0
"""How long a request waits for another one of the same player."""
_SEATING_SECONDS: Final = (LOCK_MS - 2 * MAX_DECISION_AGE_MS) / 1000
"""The store takes no decision that is older than `MAX_DECISION_AGE_MS`: what was decided within
this time is written while the lock holds, or never."""

_LETTING_GO_MS: Final = 3 * MAX_DECISION_AGE_MS
"""So long after a player has limits, and more, no archive lets go of what it decided before."""


@dataclass(frozen=True, slots=True)
class SeatPermission:
    """What a player may do who wants a seat: nothing, if `refused` says why; else have the seat
    that they hold, and, unless `only_kept`, a new one."""

    refused: Refused | None = None
    only_kept: bool = False


class SpendingLimits:
    """The limits of players. `past`: what has left the store; None without books. A limit is raised
    after `cooling_seconds`."""

    def __init__(
        self,
        store: LimitsStore,
        past_ledger: PastLedger,
        past: Past | None,
        tables: Tables,
        clock: StoreClock,
        cooling_seconds: float,
    ) -> None:
        self._store = store
        self._past_ledger = past_ledger
        self._past = past
        self._tables = tables
        self._clock = clock
        self._cooling_ms = cooling_seconds * 1000

    async def of(self, alien_id: str) -> tuple[Limits, Spending]:
        """A player's limits, as they are now, and what counts against them."""
        stored = await self._store.load(alien_id)
        return await self._shown(alien_id, stored)

    async def change(
        self, alien_id: str, wanted: Mapping[Limit, int | None]
    ) -> tuple[Limits, Spending]:
        """Set limits to so many coins (None: no limit), at once or as soon as the rules allow."""
        now_ms = self._clock.now_ms
        return await self._replace(
            alien_id, lambda limits: changed(limits, wanted, now_ms(), self._cooling_ms)
        )

    async def exclude(self, alien_id: str, days: int) -> tuple[Limits, Spending]:
        """Keep a player out for so many days, which nobody can take back."""
        return await self._replace(
            alien_id, lambda limits: excluded(limits, days, self._clock.now_ms())
        )

    @asynccontextmanager
    async def admission(
        self, alien_id: str, price: int, keeps: Callable[[HeldSeat], bool]
    ) -> AsyncIterator[SeatPermission]:
        """Whether a player may take a seat of that price, which they do within this context. Who
        holds a seat that is one they keep may have that, and no other, should it be gone by then.

        Raises StoreUnavailable, also when another request of the player does not end, or this one
        takes too long.
        """
        if not await self._store.is_limited(alien_id):
            yield SeatPermission()
            return
        owner = os.urandom(8).hex()
        await self._lock(alien_id, owner)
        try:
            async with asyncio.timeout(_SEATING_SECONDS):
                yield await self._permission(alien_id, price, keeps)
        except TimeoutError as error:
            raise StoreUnavailable("a seat could not be taken in time") from error
        finally:
            await self._store.unlock(alien_id, owner)

    async def _lock(self, alien_id: str, owner: str) -> None:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while not await self._store.lock(alien_id, owner):  # noqa: ASYNC110 - it is elsewhere
                    await asyncio.sleep(_RETRY_SECONDS)
        except TimeoutError as error:
            raise StoreUnavailable("another request of the player does not end") from error

    async def new_seat(self, alien_id: str, price: int) -> Refused | None:
        """Why a player may not have a new seat of that price, as far as the store knows: for a
        payment of one that is held no more, which waits neither for other requests of the player
        nor for the books. Raises StoreUnavailable."""
        if not await self._store.is_limited(alien_id):
            return None
        stored = await self._store.load(alien_id)
        now_ms = self._clock.now_ms()
        spending, _ = await self._store.spending(alien_id, await self._tables.read(), now_ms)
        return refusal(stored.limits, spending, price, now_ms)

    async def _permission(
        self, alien_id: str, price: int, keeps: Callable[[HeldSeat], bool]
    ) -> SeatPermission:
        stored = await self._store.load(alien_id)
        if not stored.complete:
            await self._complete(alien_id, stored.since_ms)
        now_ms = self._clock.now_ms()
        tables = await self._tables.read()
        spending, seats = await self._store.spending(alien_id, tables, now_ms)
        if any(map(keeps, seats)):
            return SeatPermission(only_kept=True)
        return SeatPermission(refusal(stored.limits, spending, price, now_ms))

    async def _replace(
        self, alien_id: str, change: Callable[[Limits], Limits]
    ) -> tuple[Limits, Spending]:
        for _ in range(_ATTEMPTS):
            before = await self._store.load(alien_id)
            if await self._store.save(
                alien_id, before, change(before.limits), self._clock.now_ms()
            ):
                return await self._shown(alien_id, await self._store.load(alien_id))
        raise StoreUnavailable("the limits kept changing")

    async def _shown(self, alien_id: str, stored: StoredLimits) -> tuple[Limits, Spending]:
        if stored.version and not stored.complete:
            await self._complete(alien_id, stored.since_ms)
        now_ms = self._clock.now_ms()
        tables = await self._tables.read()
        spending, _ = await self._store.spending(alien_id, tables, now_ms)
        return in_force(stored.limits, now_ms), spending

    async def _complete(self, alien_id: str, limited_since_ms: float) -> None:
        """Count what was paid before there were limits, and has left the store or was written by a
        version that kept no count. What is paid from now on stays.

        An archive that looked before there were limits may let go of some still: so with the books
        it is looked up anew until none can any more."""
        now_ms = self._clock.now_ms()
        since_ms = now_ms - LONGEST_MS
        found: list[Received] = []
        for table in await self._tables.read():
            after = f"{max(int(since_ms), 0)}-0"
            while page := await self._past_ledger.entries_after(table, after, _PAGE):
                after = page[-1][0]
                found += (
                    payment
                    for _, fields in page
                    if fields.get("alien_id") == alien_id
                    and (payment := received_of(table, fields)) is not None
                )
        if self._past is not None:
            found += await self._past.received(alien_id, since_ms)
        are_all = self._past is None or now_ms - limited_since_ms > _LETTING_GO_MS
        await self._store.add_earlier(alien_id, found, are_all=are_all)
