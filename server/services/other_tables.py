"""The other tables of a tier: a player joins at one of them only, but may hold a seat at any.

A seat was taken elsewhere by its invoice, or by a join when the tier had more or fewer tables.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import structlog

from server.services.tiers import Tier
from server.store.directory import Directory, Seat
from server.store.errors import StoreUnavailable
from server.store.tables import Tables

SKIP_SECONDS: Final = 2.0
"""So long a table that did not answer is not asked again: else everybody who joins would wait for
it in turn."""
_NAMES: Final = "the names of all tables"
LOOKS: Final = 10
LOOK_AGAIN_SECONDS: Final = 0.05

log = structlog.get_logger(__name__)


class OtherTables:
    """Looks for a player's seats at the tables of a tier where they do not join. A table that
    cannot be asked keeps nobody from a seat at theirs."""

    def __init__(
        self, directory: Directory, tables: Tables, tier: Tier, look_seconds: float
    ) -> None:
        self._directory = directory
        self._tables = tables
        self._tier = tier
        self._look_seconds = look_seconds
        self._away_until_s: dict[str, float] = {}

    async def seats(self, alien_ids: Sequence[str]) -> Sequence[Seat | None]:
        """For each of these players the seat that they have held for longest there."""
        if len(self._tables.of_tier(self._tier.buy_in_amount)) == 1:
            return [None] * len(alien_ids)
        return await asyncio.gather(*map(self.seat, alien_ids))

    async def seat(self, alien_id: str) -> Seat | None:
        """The seat that the player has held for longest there."""
        home = self._tier.table_of(alien_id)
        known = self._tables.of_tier(self._tier.buy_in_amount)
        others = [table for table in known if table != home and not self._is_away(table)]
        if not others:
            return None
        looks = {asyncio.create_task(self._directory.seat(t, alien_id)): t for t in others}
        _done, late = await asyncio.wait(looks, timeout=self._look_seconds)
        for look in late:
            look.cancel()
        held = []
        for look, table in looks.items():
            error = StoreUnavailable("too late") if look in late else look.exception()
            if error is None:
                held.append(look.result())
            elif isinstance(error, StoreUnavailable):
                self._skip(table, error)
            else:
                raise error
        return min((seat for seat in held if seat is not None), default=None)

    async def seat_to_keep(self, alien_id: str, taken: Seat) -> Seat | None:
        """The seat that the player holds there, instead of which they took that one just now: it
        has to be given up. None: there is none.

        Servers that are given other numbers of tables may take a seat for the same player at the
        same time. Each looks after it has written, so at least one sees the other's. If both do,
        the later one gives up at once, and the earlier one finds that after a moment; if it does
        not, the other has looked before this one had written. (A third join of the same player at
        the same instant may be answered with the seat that is given up.)
        """
        if not self._is_away(_NAMES):
            try:
                async with asyncio.timeout(self._look_seconds):
                    await self._tables.read()
            except (StoreUnavailable, TimeoutError) as error:
                self._skip(_NAMES, error)
        for _ in range(LOOKS):
            held = await self.seat(alien_id)
            if held is None or held < taken:
                return held
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return held

    def _is_away(self, table: str) -> bool:
        return time.monotonic() < self._away_until_s.get(table, 0)

    def _skip(self, table: str, error: Exception) -> None:
        log.info("table_not_asked", table=table, error=repr(error))
        self._away_until_s[table] = time.monotonic() + SKIP_SECONDS
