"""A player's own limits: how much they let themselves pay in, and whether they take a break.

Gross payments count, whatever became of them, and so do seats that are held and not paid yet.
Stricter holds at once; what is less strict has to be waited for (RTS 12B of the Gambling
Commission has the same rule).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal

from protocol.errors import ErrorCode, Refused
from server.rules.coins import Coins

Limit = Literal["coins_per_day", "coins_per_week", "coins_per_month"]
"""The name of a limit."""

DAY_MS: Final = 86_400_000
PERIODS: Final[Mapping[Limit, tuple[str, int]]] = MappingProxyType(
    {
        "coins_per_day": ("day", DAY_MS),
        "coins_per_week": ("week", 7 * DAY_MS),
        "coins_per_month": ("month", 30 * DAY_MS),
    }
)
"""Each limit's period: its name, and how far it goes back from now, in ms."""
LONGEST_MS: Final = 30 * DAY_MS


@dataclass(frozen=True, slots=True)
class Raise:
    """A limit that becomes `coins` (None: no limit) at `from_ms` (Unix ms)."""

    limit: Limit
    coins: int | None
    from_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a player has set. `excluded_until` is Unix ms."""

    coins_per_day: int | None = None
    coins_per_week: int | None = None
    coins_per_month: int | None = None
    pending: tuple[Raise, ...] = ()
    excluded_until: int | None = None

    def of(self, limit: Limit) -> int | None:
        """That limit, in coins."""
        found: int | None = getattr(self, limit)
        return found


@dataclass(frozen=True, slots=True)
class Spending:
    """What a player has paid, as pairs of Unix ms and coins, and what the seats cost that they hold
    and have not paid."""

    payments: tuple[tuple[float, Coins], ...] = ()
    held: int = field(default=0)

    def within(self, limit: Limit, now_ms: float) -> Coins:
        """What counts against a limit now."""
        return sum((coins for _, coins in self._since(limit, now_ms)), start=self.held)

    def free_at(self, limit: Limit, now_ms: float) -> int | None:
        """When (Unix ms) the oldest payment leaves the limit's period; None if there is none."""
        times = [at_ms for at_ms, _ in self._since(limit, now_ms)]
        return math.ceil(min(times) + PERIODS[limit][1]) if times else None

    def _since(self, limit: Limit, now_ms: float) -> Iterable[tuple[float, Coins]]:
        start_ms = now_ms - PERIODS[limit][1]
        return (payment for payment in self.payments if payment[0] > start_ms)


def in_force(limits: Limits, now_ms: float) -> Limits:
    """The limits with those raises made whose time has come."""
    due = {change.limit: change.coins for change in limits.pending if change.from_ms <= now_ms}
    later = tuple(change for change in limits.pending if change.from_ms > now_ms)
    return replace(limits, pending=later, **due) if due else limits


def changed(
    limits: Limits, wanted: Mapping[Limit, int | None], now_ms: float, cooling_ms: float
) -> Limits:
    """The limits after the player wants some to be so many coins (None: no limit).

    A new or lower one holds at once and cancels a raise of it that is pending; a higher one, or
    none, comes after `cooling_ms`. A raise that is pending may be made smaller without waiting
    anew, but not larger.
    """
    limits = in_force(limits, now_ms)
    for limit, coins in wanted.items():
        others = tuple(change for change in limits.pending if change.limit != limit)
        if not _is_above(coins, limits.of(limit)):
            limits = replace(limits, pending=others, **{limit: coins})
            continue
        before = next((change for change in limits.pending if change.limit == limit), None)
        from_ms = math.ceil(now_ms + cooling_ms)
        if before is not None and not _is_above(coins, before.coins):
            from_ms = before.from_ms
        limits = replace(limits, pending=(*others, Raise(limit, coins, from_ms)))
    return limits


def excluded(limits: Limits, days: int, now_ms: float) -> Limits:
    """The limits after the player asks to be kept out for so many days. The longest holds."""
    until = math.ceil(now_ms + days * DAY_MS)
    return replace(limits, excluded_until=max(until, limits.excluded_until or 0))


def refusal(limits: Limits, spending: Spending, price: int, now_ms: float) -> Refused | None:
    """Why a player may not take one more seat of that `price`; None if they may.

    Of several limits that it would pass, the one that holds for longest is named.
    """
    limits = in_force(limits, now_ms)
    if limits.excluded_until is not None and limits.excluded_until > now_ms:
        return Refused(ErrorCode.LIMIT_REACHED, {"excluded_until": limits.excluded_until})
    passed = [
        limit
        for limit in PERIODS
        if (coins := limits.of(limit)) is not None
        and spending.within(limit, now_ms) + price > coins
    ]
    if not passed:
        return None
    details = [_details(limits, spending, limit, now_ms) for limit in passed]
    return Refused(ErrorCode.LIMIT_REACHED, max(details, key=_holds_until))


def _details(limits: Limits, spending: Spending, limit: Limit, now_ms: float) -> Mapping[str, Any]:
    return {
        "period": PERIODS[limit][0],
        "limit": limits.of(limit),
        "spent": math.ceil(spending.within(limit, now_ms)),
        "free_at": spending.free_at(limit, now_ms),
    }


def _holds_until(details: Mapping[str, Any]) -> float:
    free_at: int | None = details["free_at"]
    return math.inf if free_at is None else free_at


def _is_above(coins: int | None, other: int | None) -> bool:
    """Whether a limit is less strict than another; none at all is the least strict."""
    return other is not None and (coins is None or coins > other)
