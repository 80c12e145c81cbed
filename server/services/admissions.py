"""Admissions: whether operators let a player take a seat, and that they still do when it is
taken."""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.errors import ErrorCode, Refused
from server.runtime.clock import StoreClock
from server.store.commits import Check
from server.store.restrictions import Restricted, Restrictions


@dataclass(frozen=True, slots=True)
class Admission:
    """What operators had ordered for a table when it was asked. `unchanged` holds as long as they
    order nothing else, and belongs into the commit that seats somebody."""

    restricted: Restricted
    now_ms: float
    unchanged: Check

    def banned(self, alien_id: str) -> Refused | None:
        """The refusal of whatever a banned player asks for; None for everybody else."""
        is_banned, until = self.restricted.banned_until(alien_id, self.now_ms)
        return Refused(ErrorCode.BANNED, {"until": until}) if is_banned else None

    def new_seat(self, alien_id: str) -> Refused | None:
        """Why the player may not take a new seat now; None if they may."""
        closed = Refused(ErrorCode.TIER_CLOSED) if self.restricted.closed else None
        return self.banned(alien_id) or closed


class Admissions:
    """Asks the store."""

    def __init__(self, restrictions: Restrictions, clock: StoreClock) -> None:
        self._restrictions = restrictions
        self._clock = clock

    async def of(self, table: str, alien_ids: Sequence[str]) -> Admission:
        """What is ordered for these players at a table. Raises StoreUnavailable."""
        restricted = await self._restrictions.of(table, alien_ids)
        unchanged = self._restrictions.unchanged_check(table, restricted)
        return Admission(restricted, self._clock.now_ms(), unchanged)
