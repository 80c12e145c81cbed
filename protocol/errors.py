"""The closed table of refusals: every code a client can meet, and what it means.

A refusal is a value. Whatever is not in this table is a bug of the server: it is logged and
counted, and the client sees only `internal`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict

from protocol.reading import NEWER_WORDS


class ErrorCode(StrEnum):
    """The names of all refusals. The list is closed."""

    INVALID_MESSAGE = "invalid_message"
    INVALID_NUMBERS = "invalid_numbers"
    INVALID_GRID = "invalid_grid"
    NOT_YOUR_NUMBERS = "not_your_numbers"
    UNKNOWN_COMMAND = "unknown_command"
    UNKNOWN_TIER = "unknown_tier"
    WEBSOCKET_ONLY = "websocket_only"
    UNAUTHORIZED = "unauthorized"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code, not a token
    IDENTITY_MISMATCH = "identity_mismatch"
    NOT_SEATED = "not_seated"
    NOT_PAID = "not_paid"
    NOT_ACTIVE = "not_active"
    REMOVED_FROM_GAME = "removed_from_game"
    BANNED = "banned"
    LIMIT_REACHED = "limit_reached"
    FORBIDDEN = "forbidden"
    UNKNOWN_LOBBY = "unknown_lobby"
    UNKNOWN_INVOICE = "unknown_invoice"
    NOT_OFFERED = "not_offered"
    WRONG_STATUS = "wrong_status"
    LOBBY_CLOSED = "lobby_closed"
    LOBBY_FULL = "lobby_full"
    ALREADY_ARRANGED = "already_arranged"
    NOT_FINISHED = "not_finished"
    TIER_CLOSED = "tier_closed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_ENCODING = "unsupported_encoding"
    RATE_LIMITED = "rate_limited"
    TOO_SLOW = "too_slow"
    INTERNAL = "internal"
    DRAINING = "draining"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One row of the table: the HTTP status, whether the same request may succeed later, and the
    sentence that a client gets."""

    http_status: int
    retry: bool
    message: str


ERRORS: Mapping[ErrorCode, ErrorEntry] = MappingProxyType(
    {
        ErrorCode.INVALID_MESSAGE: ErrorEntry(400, False, "The message is not of the shape that this command takes."),
        ErrorCode.INVALID_NUMBERS: ErrorEntry(400, False, "A ticket needs the right count of different numbers, each in range."),
        ErrorCode.INVALID_GRID: ErrorEntry(400, False, "The grid must be square and hold different numbers, each in range."),
        ErrorCode.NOT_YOUR_NUMBERS: ErrorEntry(400, False, "The grid must hold exactly the numbers that you chose."),
        ErrorCode.UNKNOWN_COMMAND: ErrorEntry(400, False, "There is no such command here."),
        ErrorCode.UNKNOWN_TIER: ErrorEntry(400, False, "There is no table with this buy-in."),
        ErrorCode.WEBSOCKET_ONLY: ErrorEntry(400, False, 'Long polling is not offered: connect with transports: ["websocket"].'),
        ErrorCode.UNAUTHORIZED: ErrorEntry(401, False, "A valid token is needed."),
        ErrorCode.TOKEN_EXPIRED: ErrorEntry(401, False, "The token has expired: get a new one."),
        ErrorCode.IDENTITY_MISMATCH: ErrorEntry(403, False, "The Alien ID is not the one of the token."),
        ErrorCode.NOT_SEATED: ErrorEntry(403, False, "You hold no seat in this lobby."),
        ErrorCode.NOT_PAID: ErrorEntry(403, False, "Your seat is not paid yet."),
        ErrorCode.NOT_ACTIVE: ErrorEntry(403, False, "You have left this game."),
        ErrorCode.REMOVED_FROM_GAME: ErrorEntry(403, False, "You were removed from this game after a false claim."),
        ErrorCode.BANNED: ErrorEntry(403, False, "This account may not take new seats."),
        ErrorCode.LIMIT_REACHED: ErrorEntry(403, False, "That would pass a limit that you set yourself."),
        ErrorCode.FORBIDDEN: ErrorEntry(403, False, "Your role may not do that."),
        ErrorCode.UNKNOWN_LOBBY: ErrorEntry(404, False, "There is no such lobby."),
        ErrorCode.UNKNOWN_INVOICE: ErrorEntry(404, False, "There is no such invoice."),
        ErrorCode.NOT_OFFERED: ErrorEntry(404, False, "This server does not offer that."),
        ErrorCode.WRONG_STATUS: ErrorEntry(409, False, "The lobby is not in the phase for this."),
        ErrorCode.LOBBY_CLOSED: ErrorEntry(409, False, "The lobby no longer takes players."),
        ErrorCode.LOBBY_FULL: ErrorEntry(409, False, "Every seat of this lobby is taken."),
        ErrorCode.ALREADY_ARRANGED: ErrorEntry(409, False, "The grid is arranged: its numbers stay."),
        ErrorCode.NOT_FINISHED: ErrorEntry(409, False, "There is a proof only for a game that was played to its end."),
        ErrorCode.TIER_CLOSED: ErrorEntry(409, False, "No new seats are sold for this buy-in at the moment."),
        ErrorCode.TOO_LARGE: ErrorEntry(413, False, "The request is too large."),
        ErrorCode.UNSUPPORTED_ENCODING: ErrorEntry(415, False, "Send the body without a Content-Encoding."),
        ErrorCode.RATE_LIMITED: ErrorEntry(429, True, "Too many requests: slow down and try again."),
        ErrorCode.TOO_SLOW: ErrorEntry(429, True, "The connection is too slow: connect again."),
        ErrorCode.INTERNAL: ErrorEntry(500, True, "Something went wrong on our side."),
        ErrorCode.DRAINING: ErrorEntry(503, True, "This server is shutting down: connect again to reach another."),
        ErrorCode.UNAVAILABLE: ErrorEntry(503, True, "The service cannot answer at the moment: try again soon."),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refused:
    """What a command or a request was refused for. `details` holds facts that help the client
    and that it may see; None when the code says all."""

    code: ErrorCode
    details: Mapping[str, Any] | None = None


class ErrorBody(BaseModel):
    """The `error` of a failed acknowledgement, and the `data` of a refused connect."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    code: Annotated[ErrorCode, NEWER_WORDS]
    message: str
    retry: bool
    details: dict[str, Any] | None = None


class ErrorAnswer(BaseModel):
    """A failed acknowledgement."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    ok: Literal[False] = False
    error: ErrorBody


def error_body(refused: Refused) -> dict[str, Any]:
    """The refusal as it stands on the wire; `details` only when there are some."""
    entry = ERRORS[refused.code]
    body: dict[str, Any] = {
        "code": refused.code.value,
        "message": entry.message,
        "retry": entry.retry,
    }
    if refused.details is not None:
        body["details"] = dict(refused.details)
    return body


def error_answer(refused: Refused) -> dict[str, Any]:
    """The failed acknowledgement of a socket command."""
    return {"ok": False, "error": error_body(refused)}
