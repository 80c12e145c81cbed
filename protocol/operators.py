"""Who operators are, and what they ask for: over `/ops/api`, and by the command line alike. The
answers are in `operator_views`."""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)

from protocol.ids import ALIEN_ID_PATTERN
from protocol.to_client import AnnouncementLevel

MOST_CHARACTERS: Final = 500
MOST_NAME: Final = 64
_MOST_MS: Final = 253_402_300_799_000
"""The end of the year 9999: later is for good, and no ISO-8601."""

PayoutStatus = Literal["due", "sending", "sent", "settled", "refused", "held", "unknown"]
Role = Literal["viewer", "support", "cashier", "admin"]
ROLES: Final[tuple[Role, ...]] = ("viewer", "support", "cashier", "admin")
"""Each may do what those before it may."""


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable characters")
    return text


def _unix_ms(given: Any) -> Any:
    """A time as Unix ms or ISO-8601 (without a zone it is UTC)."""
    if isinstance(given, str):
        if given.isascii() and given.isdigit():
            given = int(given)
        else:
            at = datetime.fromisoformat(given)
            at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
            given = at.timestamp() * 1000
    if isinstance(given, float) and math.isfinite(given):
        given = int(given)
    return given


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_CHARACTERS),
    AfterValidator(_one_line),
]
"""One line of text."""
OptionalLine = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MOST_CHARACTERS),
    AfterValidator(_one_line),
]
Until = Annotated[
    Annotated[int, Field(strict=True, ge=0, le=_MOST_MS)] | None,
    BeforeValidator(_unix_ms),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "description": "Unix ms"},
                {"type": "string", "description": "ISO-8601"},
                {"type": "null"},
            ]
        }
    ),
]
KnownAlienId = Annotated[str, StringConstraints(pattern=ALIEN_ID_PATTERN)]
Tier = Annotated[StrictInt, Field(gt=0)]


_NAME: Final = re.compile(r"[\w.@-]+( [\w.@-]+)*")


def _name(text: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if len(name) > MOST_NAME or _NAME.fullmatch(name) is None:
        raise ValueError(f"must be a name: up to {MOST_NAME} letters, digits, spaces and . _ @ -")
    return name


OperatorName = Annotated[str, AfterValidator(_name)]
"""Who does something, as the command line takes it. The names of tokens are such names without
spaces, of ASCII."""


class OperatorRequest(BaseModel):
    """What an operator sends: exact types, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class VoidLobby(OperatorRequest):
    """`void`: end a lobby in whatever phase it is; everything that was paid in is owed back."""

    lobby_id: str
    reason: Line


class BanPlayer(OperatorRequest):
    """`ban`: the player takes no seat and gets no invoice, until then or for good."""

    alien_id: KnownAlienId
    reason: Line
    until: Until = None


class UnbanPlayer(OperatorRequest):
    """`unban`: the player may take seats again. `until` is ignored."""

    alien_id: KnownAlienId
    reason: Line
    until: Until = None


class CloseTier(OperatorRequest):
    """`close`: no new seats in the tier."""

    buy_in_amount: Tier
    reason: Line


class OpenTier(OperatorRequest):
    """`open`: seats in the tier again."""

    buy_in_amount: Tier
    reason: Line


class Announce(OperatorRequest):
    """`announce`: said to everybody in every namespace; with `until` it stands, and is said on
    connect. The same text again takes the place of the one before."""

    text: Line
    level: AnnouncementLevel = "info"
    until: Until = None
    reason: OptionalLine = ""


class KickPlayer(OperatorRequest):
    """`kick`: take a player's seat in a lobby that forms; a payment is owed back."""

    alien_id: KnownAlienId
    lobby_id: str
    reason: Line


ActionRequest = VoidLobby | BanPlayer | UnbanPlayer | CloseTier | OpenTier | Announce | KickPlayer
ActionName = Literal["void", "ban", "unban", "close", "open", "announce", "kick"]


class OperatorAction(NamedTuple):
    """What is sent for an action, and the `least` role that may do it."""

    request: type[ActionRequest]
    least: Role


ACTIONS: Final[Mapping[ActionName, OperatorAction]] = MappingProxyType(
    {
        "void": OperatorAction(VoidLobby, "admin"),
        "ban": OperatorAction(BanPlayer, "support"),
        "unban": OperatorAction(UnbanPlayer, "support"),
        "close": OperatorAction(CloseTier, "admin"),
        "open": OperatorAction(OpenTier, "admin"),
        "announce": OperatorAction(Announce, "support"),
        "kick": OperatorAction(KickPlayer, "admin"),
    }
)


def may(role: Role, least: Role) -> bool:
    """Whether a role may do what `least` may."""
    return ROLES.index(role) >= ROLES.index(least)


PayoutId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]


class ListPayouts(OperatorRequest):
    """`payouts/list`: payouts in the order of their ids, those of a status, those after one."""

    status: PayoutStatus | None = None
    after: PayoutId | Literal[""] = ""


class OnePayout(OperatorRequest):
    """`payouts/retry`: try it now. `payouts/approve`: approve of one that is held."""

    payout_id: PayoutId
    reason: OptionalLine = ""


class RefusePayout(OperatorRequest):
    """`payouts/refuse`: do not pay it."""

    payout_id: PayoutId
    reason: Line


class AllPayouts(OperatorRequest):
    """`payouts/pause`: send nothing. `payouts/resume`: go on; the hour of the limit counts anew."""

    reason: OptionalLine = ""
