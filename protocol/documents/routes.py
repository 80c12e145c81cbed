"""Every HTTP route in one table: what it takes, what it answers, what it refuses."""

from typing import Any, Final

from protocol import history, http, limits, payments
from protocol.documents.operator_routes import OPERATOR_ROUTES
from protocol.documents.published import HttpClaimFalse, HttpClaimWon, StatusAnswer
from protocol.documents.route import ANY, BODY, TOKEN, Route
from protocol.errors import ErrorCode as Code
from protocol.views import Proof

_SEAT: Final = (
    *(Code.UNKNOWN_LOBBY, Code.NOT_SEATED, Code.REMOVED_FROM_GAME, Code.NOT_ACTIVE),
    *(Code.WRONG_STATUS, Code.NOT_PAID),
)


def _play(path: str, summary: str, **facts: Any) -> Route:
    """A route of a player."""
    body = facts.get("body")
    method = facts.pop("method", "get" if body is None else "post")
    refusals = (*TOKEN, *(() if body is None else BODY), *facts.pop("refusals", ()))
    return Route(method, path, summary, refusals=refusals, needs_token=True, **facts)


_GAME: Final = "/api/game/{lobby_id}"
_LIMIT: Final = {
    "type": "integer",
    "minimum": 1,
    "maximum": history.MAX_LIMIT,
    "default": history.GAMES_LIMIT,
}
_CURSOR: Final = {"type": "string", "pattern": history.CURSOR_PATTERN}
_TIME: Final = {"type": "string", "format": "date-time"}
_PERIOD: Final = {"type": "string", "enum": ["day", "week", "month", "all"], "default": "all"}
_SIGNATURE: Final = {"type": "string", "pattern": "^[0-9A-Fa-f]{128}$"}

ROUTES: Final = (
    _play(
        "/api/game/join",
        "Take a seat in the fullest forming lobby of a tier, or open one.",
        body=http.Join,
        answers={200: http.HttpJoinAnswer},
        refusals=(Code.UNKNOWN_TIER, Code.BANNED, Code.TIER_CLOSED, Code.LIMIT_REACHED),
    ),
    _play(
        "/api/invoices",
        "The invoice of your seat in a lobby; the seat is taken if the lobby forms and has room.",
        body=http.InvoiceRequest,
        answers={200: http.HttpInvoice},
        refusals=(
            *(Code.UNKNOWN_TIER, Code.UNKNOWN_LOBBY, Code.LOBBY_CLOSED, Code.LOBBY_FULL),
            *(Code.BANNED, Code.TIER_CLOSED, Code.LIMIT_REACHED),
        ),
    ),
    _play(
        f"{_GAME}/numbers/select",
        "Choose the numbers of your ticket.",
        body=http.SelectNumbers,
        answers={200: http.SelectAnswer},
        refusals=(*_SEAT, Code.ALREADY_ARRANGED, Code.INVALID_NUMBERS),
    ),
    _play(
        f"{_GAME}/numbers/arrange",
        "Arrange your ticket, as rows.",
        body=http.ArrangeGrid,
        answers={200: http.ArrangeAnswer},
        refusals=(*_SEAT, Code.INVALID_GRID, Code.NOT_YOUR_NUMBERS),
    ),
    _play(
        f"{_GAME}/leave",
        "Give your seat up.",
        body=http.Leave,
        body_required=False,
        answers={200: http.HttpLeaveAnswer},
        refusals=_SEAT,
    ),
    _play(
        f"{_GAME}/claim",
        "Say that a pattern is complete. A false claim removes you from the game.",
        body=http.Claim,
        body_required=False,
        answers={200: HttpClaimWon, 400: HttpClaimFalse},
        refusals=_SEAT,
    ),
    _play(
        f"{_GAME}/status",
        "The lobby as everyone sees it, and your own part of it.",
        answers={200: StatusAnswer},
        refusals=(Code.UNKNOWN_LOBBY,),
    ),
    Route(
        "get",
        f"{_GAME}/proof",
        "The proof that the draw was fair, for everyone.",
        {200: Proof},
        (Code.UNKNOWN_LOBBY, Code.NOT_FINISHED, Code.RATE_LIMITED, *ANY),
    ),
    Route(
        "get",
        f"{_GAME}/record",
        "The whole record of a game that is over, for everyone: what `fair-bingo export` writes.",
        {200: "application/json"},
        (Code.NOT_OFFERED, Code.UNKNOWN_LOBBY, Code.NOT_FINISHED, Code.RATE_LIMITED, *ANY),
    ),
    _play(
        "/api/me/games",
        "Your games, the latest first.",
        answers={200: history.GamesPage},
        refusals=(Code.NOT_OFFERED, Code.INVALID_MESSAGE),
        query={"limit": _LIMIT, "before": _CURSOR},
    ),
    _play(
        "/api/me/statement",
        "Every movement of your money, in order; as CSV where `Accept` asks for it.",
        answers={200: history.Statement},
        refusals=(Code.NOT_OFFERED, Code.INVALID_MESSAGE),
        query={"from": _TIME, "to": _TIME, "before": _CURSOR},
    ),
    _play(
        "/api/me/profile",
        "Whether you are shown on the leaderboard.",
        method="put",
        body=history.ProfileRequest,
        answers={200: history.Profile},
        refusals=(Code.NOT_OFFERED,),
    ),
    _play(
        "/api/me/limits",
        "What you let yourself pay in, what comes, and what counts against it now.",
        method="get",
        answers={200: limits.PlayerLimits},
    ),
    _play(
        "/api/me/limits",
        "Set yourself limits. Lower ones hold at once, higher ones after a day; null is no limit.",
        method="put",
        body=limits.LimitsRequest,
        answers={200: limits.PlayerLimits},
    ),
    _play(
        "/api/me/exclusion",
        "Take a break of so many days. It cannot be undone.",
        body=limits.ExclusionRequest,
        answers={200: limits.PlayerLimits},
    ),
    Route(
        "get",
        "/api/leaderboard",
        "Who won most games of a period, of those who want to be shown, for everyone.",
        {200: history.Leaderboard},
        (Code.NOT_OFFERED, Code.INVALID_MESSAGE, Code.RATE_LIMITED, *ANY),
        query={"period": _PERIOD, "buy_in_amount": {"type": "integer", "minimum": 1}},
    ),
    Route(
        "post",
        payments.PATH,
        "The payment provider reports what became of an invoice.",
        {200: payments.WebhookAnswer},
        (
            *(Code.TOO_LARGE, Code.UNSUPPORTED_ENCODING, Code.TOO_SLOW, Code.UNAUTHORIZED),
            *(Code.INVALID_MESSAGE, Code.UNKNOWN_INVOICE, *ANY),
        ),
        body=payments.PaymentDelivery,
        headers={payments.SIGNATURE_HEADER: _SIGNATURE},
    ),
    *OPERATOR_ROUTES,
    Route(
        "get",
        "/health",
        "Whether the server reaches its store.",
        {200: http.Health, 503: http.Health},
    ),
    Route("get", "/health/live", "Whether the process is up.", {200: http.Live}),
    Route(
        "get",
        "/health/ready",
        "Whether this process should get traffic.",
        {200: http.Ready, 503: http.Ready},
    ),
    Route(
        "get",
        "/health/redis",
        "How long the store takes to answer.",
        {200: http.StoreHealth, 503: http.StoreHealth},
    ),
    Route("get", "/metrics", "Metrics for Prometheus.", {200: "text/plain"}),
    Route("get", "/", "The browser client.", {200: "text/html"}),
    Route("get", "/verify", "A page that checks any proof.", {200: "text/html"}),
    Route("get", "/docs", "This documentation, to read.", {200: "text/html"}),
    Route("get", "/docs/asyncapi.json", "AsyncAPI of the sockets.", {200: "application/json"}),
    Route("get", "/docs/openapi.json", "OpenAPI of the routes.", {200: "application/json"}),
    Route("get", "/docs/schema.json", "JSON Schema of all models.", {200: "application/json"}),
    Route("get", "/docs/types.ts", "TypeScript types of all models.", {200: "text/plain"}),
)
