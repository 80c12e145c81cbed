"""A player's own limits over HTTP: coins, and ISO-8601 times."""

from typing import (
    Annotated,
    Final,
    NotRequired,  # pydantic wants these before Python 3.12
)

from pydantic import Field, StrictInt
from typing_extensions import TypedDict

from protocol.coins import Coins
from protocol.http import IsoTime
from protocol.views import Message, Request

MAX_DAYS: Final = 3650

LimitInCoins = Annotated[StrictInt, Field(ge=0, lt=10**15)]


class LimitsRequest(Request):
    """`PUT /api/me/limits`: a limit that is not named stays; null takes it away."""

    coins_per_day: LimitInCoins | None = None
    coins_per_week: LimitInCoins | None = None
    coins_per_month: LimitInCoins | None = None


class ExclusionRequest(Request):
    """`POST /api/me/exclusion`: for how many days the player is kept out."""

    days: Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)]


PendingLimits = TypedDict(
    "PendingLimits",
    {
        "coins_per_day": NotRequired[int | None],
        "coins_per_week": NotRequired[int | None],
        "coins_per_month": NotRequired[int | None],
        "from": IsoTime,
    },
)
"""The limits that rise, or go (null), and when the first of them does; others are not named."""


class Spent(Message):
    """What counts against limits now: payments, and seats that are not paid yet."""

    day: Coins
    week: Coins
    month: Coins


class PlayerLimits(Message):
    """The answer to each of them: what holds now (null: no limit), what comes, what was spent in
    the last 24 hours, 7 and 30 days, and until when the player is kept out."""

    coins_per_day: int | None
    coins_per_week: int | None
    coins_per_month: int | None
    pending: PendingLimits | None
    spent: Spent
    excluded_until: IsoTime | None
