"""Requests and answers of the HTTP side. Times are ISO-8601 here, in UTC."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    SerializerFunctionWrapHandler,
    StrictInt,
    WithJsonSchema,
    model_serializer,
)

from protocol.errors import ErrorCode
from protocol.from_client import ArrangeGrid, Claim, Join, Leave, SelectNumbers
from protocol.views import (
    Invoice,
    InvoiceStatus,
    LobbyView,
    Message,
    Patterns,
    Request,
    Status,
    You,
    without_none,
)

__all__ = ["ArrangeGrid", "Claim", "Join", "Leave", "SelectNumbers"]

IsoTime = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


def iso_time(unix_ms: float) -> str:
    """A Unix time in ms as ISO-8601 in UTC, with milliseconds: `2026-02-08T10:00:00.123Z`."""
    text = datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class InvoiceRequest(Request):
    """`POST /api/invoices`."""

    buy_in_amount: StrictInt
    lobby_id: str


class HttpInvoice(Message):
    """An invoice, with its end as ISO-8601."""

    invoice_id: str
    amount: str
    recipient: str
    token: str
    network: str
    status: InvoiceStatus
    expires_at: IsoTime
    owed: str | None = None

    @model_serializer(mode="wrap")
    def _without_nothing_owed(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_none(serialize(self), "owed")

    @classmethod
    def of(cls, invoice: Invoice) -> "HttpInvoice":
        """The same invoice as it stands in an HTTP answer."""
        return cls(**invoice.model_dump() | {"expires_at": iso_time(invoice.expires_at)})


class HttpJoinAnswer(Message):
    """`POST /api/game/join`."""

    lobby_id: str
    status: Status
    player_count: int
    pot: int
    invoice: HttpInvoice


class SelectAnswer(Message):
    """`POST /api/game/{lobby_id}/numbers/select`."""

    success: Literal[True] = True
    message: str


class ArrangeAnswer(Message):
    """`POST /api/game/{lobby_id}/numbers/arrange`; `verified`: it holds the chosen numbers."""

    success: Literal[True] = True
    verified: Literal[True] = True
    message: str


class HttpLeaveAnswer(Message):
    """`POST /api/game/{lobby_id}/leave`."""

    success: Literal[True] = True


_TIMES = ("created_at", "started_at", "finished_at", "deadline")


def status_answer(lobby: LobbyView, patterns: Patterns, you: You, now_ms: float) -> dict[str, Any]:
    """`GET /api/game/{lobby_id}/status`: the public view with ISO-8601 times, the lines that win,
    the asker's own part, and the seconds since the game became active (0 before)."""
    body = lobby.model_dump()
    for name in _TIMES:
        if body[name] is not None:
            body[name] = iso_time(body[name])
    own = you.model_dump()
    if you.invoice is not None:
        own["invoice"] = HttpInvoice.of(you.invoice).model_dump()
    started = lobby.started_at
    elapsed = 0.0 if started is None else max(0.0, round((now_ms - started) / 1000, 3))
    return {**body, "patterns": patterns, "you": own, "time_elapsed": elapsed}


class Health(Message):
    """`GET /health`."""

    status: Literal["healthy", "unhealthy"]
    redis_connected: bool
    timestamp: IsoTime
    version: str


class Live(Message):
    """`GET /health/live`: the process is up."""

    status: Literal["ok"]


class Ready(Message):
    """`GET /health/ready`: whether this process should get traffic."""

    status: Literal["ok", "starting", "draining", "degraded"]


class ShardHealth(Message):
    """One primary of the store: where it was found last, and how long it takes to answer."""

    address: str | None
    status: Literal["ok", "unavailable"]
    round_trip_ms: float | None


class StoreHealth(Message):
    """`GET /health/redis`: how long the store takes to answer."""

    status: Literal["ok", "unavailable"]
    round_trip_ms: float | None
    topology: Literal["plain", "sentinel", "cluster"]
    shards: list[ShardHealth]


class Problem(Message):
    """What went wrong (RFC 9457). `code` is of the closed table; `title` is the status in words;
    `details`, if any, are facts that help, times in Unix ms."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str
    code: ErrorCode
    details: dict[str, Any] | None = None

    @model_serializer(mode="wrap")
    def _without_no_details(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_none(serialize(self), "details")
