"""Orders: restrictions that operators give, from their master to every table."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from server.rules.operator_chain import Action
from server.runtime.clock import StoreClock
from server.store.errors import StoreUnavailable
from server.store.operator_log import OperatorLog
from server.store.restrictions import Restrictions, is_ban, until_of
from server.store.tables import Tables

_ATTEMPTS: Final = 100
_SWEPT_AT_ONCE: Final = 500


class RestrictionOrders:
    """Writes an order to the master together with the log's entry, and from there to every table
    before it is acknowledged: from then on no commit seats whom it meets."""

    def __init__(
        self,
        operator_log: OperatorLog,
        restrictions: Restrictions,
        tables: Tables,
        clock: StoreClock,
    ) -> None:
        self._log = operator_log
        self._restrictions = restrictions
        self._tables = tables
        self._clock = clock

    async def give(self, action: Action, field: str, value: str | None) -> bool:
        """Give a field of the master this value, and then all tables; whether it had another.
        Raises StoreUnavailable."""
        for _ in range(_ATTEMPTS):
            head, now = await self._log.look(field)
            newest, at_least = await self._newest_copy()
            is_ahead = newest > head.version  # the master has lost what was ordered, or is not it
            if now == value and not is_ahead:  # perhaps its order did not reach all tables
                await self._at_all_tables(self._restrictions.copy)
                return False
            version = max(at_least, head.version) + 1
            changes: dict[str, str | None] = {**await self._ended_bans(), field: value}
            if await self._log.append(head, action, changes | {"version": str(version)}):
                bring = partial(self._restrictions.apply, version=version, changes=changes)
                await self._at_all_tables(self._restrictions.copy if is_ahead else bring)
                return True
        raise StoreUnavailable("the operators' log kept changing")

    async def _ended_bans(self) -> dict[str, str | None]:
        """Bans whose end is past: they go with the next order."""
        now_ms = self._clock.now_ms()
        ended = [
            field
            for field, written in (await self._restrictions.master()).items()
            if is_ban(field) and _is_past(until_of(written), now_ms)
        ]
        return dict.fromkeys(ended[:_SWEPT_AT_ONCE])

    async def _newest_copy(self) -> tuple[int, int]:
        """The newest version that a table has, of those that can be asked; and what none of all can
        be above. Versions are counted, or begin with the time where one could not be asked: when it
        is back, what was ordered meanwhile is newer than what it has."""
        known = await self._tables.read()
        found = await asyncio.gather(
            *map(self._restrictions.version, known), return_exceptions=True
        )
        for version in found:
            if isinstance(version, BaseException) and not isinstance(version, StoreUnavailable):
                raise version
        asked = [version for version in found if isinstance(version, int)]
        newest = max(asked, default=0)
        now_ms = int(self._clock.now_ms())
        return newest, newest if len(asked) == len(found) else max(newest, now_ms)

    async def _at_all_tables(self, bring: Callable[[str], Awaitable[None]]) -> None:
        await asyncio.gather(*map(bring, await self._tables.read()))


def _is_past(until: int | None, now_ms: float) -> bool:
    return until is not None and until <= now_ms


def closed_tiers(master: Mapping[str, str]) -> frozenset[int]:
    """The buy-ins of the tiers that are closed."""
    names = (field.partition(":") for field in master)
    return frozenset(int(tier) for kind, _, tier in names if kind == "closed" and tier.isdecimal())
