"""One example of every message: those of one game between ann and bob, which nobody won.

The documents show them, and the tests send what a client would send.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from protocol import from_client, history, http, limits, payments, to_client
from protocol.documents.published import (
    HttpClaimFalse,
    HttpClaimWon,
    StatusAnswer,
    SyncEvents,
)
from protocol.errors import ErrorAnswer, ErrorBody, ErrorCode, Refused, error_answer, error_body
from protocol.example_game import (
    DEADLINE,
    DEADLINE_MS,
    GRID,
    LOBBY_ID,
    NUMBERS,
    OPENED,
    OPENED_MS,
    PROOF,
    VIEW,
)
from protocol.operator_examples import FROM_OPERATORS, TO_OPERATORS
from protocol.views import Proof

_TOKEN = "eyJhbGciOiJFZERTQSIsImtpZCI6IjEifQ.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"  # noqa: S105
_INVOICE_ID = "inv_3500_000000000000_0000000000000001"

_INVOICE = {
    "invoice_id": _INVOICE_ID,
    "amount": "3500",
    "recipient": "00000001000000000000000000000000",
    "token": "ALIEN",
    "network": "alien",
    "status": "pending",
    "expires_at": DEADLINE_MS,
}
_HTTP_INVOICE = _INVOICE | {"expires_at": DEADLINE}
_YOU = {"role": "player", "paid": False, "active": True, "numbers": None, "grid": None}
_PATTERNS = {
    "row_0": [[0, 0], [0, 1], [0, 2]],
    "row_1": [[1, 0], [1, 1], [1, 2]],
    "row_2": [[2, 0], [2, 1], [2, 2]],
    "col_0": [[0, 0], [1, 0], [2, 0]],
    "col_1": [[0, 1], [1, 1], [2, 1]],
    "col_2": [[0, 2], [1, 2], [2, 2]],
    "diag_lr": [[0, 0], [1, 1], [2, 2]],
    "diag_rl": [[0, 2], [1, 1], [2, 0]],
}
_STATE = {**VIEW, "patterns": _PATTERNS, "you": {**_YOU, "invoice": _INVOICE}, "at": OPENED_MS}


def _event(seq: int, **fields: Any) -> dict[str, Any]:
    """The `seq`-th event of the lobby, one second after the one before it."""
    return {"seq": seq, "at": OPENED_MS + 1000 * (seq - 1), **fields}


_CALLED = _event(9, number=46, previous=23, index=2)

_ROUND = {
    "round": 1000,
    "signature": (
        "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125"
        "e342b73a8dd2bacbe47e4b6b63ed5e39"
    ),
    "randomness": "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
}
"""A real round of the public chain quicknet."""

_PAST_GAME: Final = {
    "lobby_id": LOBBY_ID,
    "buy_in_amount": 3500,
    "variant": "classic",
    "outcome": "won",
    "won": True,
    "kicked": False,
    "pattern": "row_0",
    "pot": 28000,
    "paid_in": 3500,
    "paid_out": 28000,
    "player_count": 8,
    "calls": 23,
    "finished_at": "2026-02-08T10:05:00.123Z",
    "payout": None,
}
_MOVEMENT: Final = {
    "entry_id": "3500:1770544800123-0",
    "at": "2026-02-08T10:00:00.123Z",
    "kind": "received",
    "amount": 3500,
    "lobby_id": LOBBY_ID,
    "invoice_id": _HTTP_INVOICE["invoice_id"],
    "reference": None,
}

FROM_CLIENT: Final[Mapping[type[BaseModel], Any]] = MappingProxyType(
    {
        **FROM_OPERATORS,
        from_client.Auth: {"token": _TOKEN, "last_seq": 8},
        from_client.Join: {"buy_in_amount": 3500, "client_seed": "my luck"},
        from_client.ListLobbies: {"buy_in_amount": 3500},
        from_client.SelectNumbers: {"numbers": NUMBERS},
        from_client.ArrangeGrid: {"grid": GRID},
        from_client.Claim: {},
        from_client.Leave: {},
        from_client.Sync: {"last_seq": 8},
        from_client.RefreshToken: {"token": _TOKEN},
        http.InvoiceRequest: {"buy_in_amount": 3500, "lobby_id": LOBBY_ID},
        history.ProfileRequest: {"listed": True},
        limits.LimitsRequest: {"coins_per_week": 35000, "coins_per_month": None},
        limits.ExclusionRequest: {"days": 30},
        payments.PaymentDelivery: {
            "invoice": _INVOICE_ID,
            "status": "finalized",
            "recipient": "00000001000000000000000000000000",
            "txHash": "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02",
            "amount": "3500",
            "decimals": 0,
            "token": "native",
            "network": "alien",
        },
    }
)

ROOM: Final[Mapping[type[BaseModel], Any]] = MappingProxyType(
    {
        to_client.PlayerJoined: _event(1, alien_id="ann", player_count=1, pot=0),
        to_client.PlayerPaid: _event(2, alien_id="ann", player_count=1, pot=3500),
        to_client.PlayerReady: _event(6, alien_id="ann", player_count=2, pot=7000),
        to_client.PlayerLeft: _event(3, alien_id="cy", player_count=1, pot=3500, reason="unpaid"),
        to_client.StatusChanged: _event(5, status="arranging", deadline=DEADLINE_MS),
        to_client.BeaconMixed: _event(7, **_ROUND),
        to_client.NumberCalled: _CALLED,
        to_client.PlayerKicked: _event(10, alien_id="bob", active_players=1),
        to_client.GameFinished: _event(
            59,
            outcome="no_winner",
            winner=None,
            pattern=None,
            pot=7000,
            numbers_called=PROOF["numbers_called"],
            grids={alien_id: grid for alien_id, _, grid in PROOF["players"]},
            proof=PROOF,
            log_hash=PROOF["log_hash"],
        ),
    }
)

_CLAIM_WON = {
    "valid": True,
    "winner": True,
    "pattern": "diag_lr",
    "pot": 7000,
    "message": "Bingo! The pot is yours.",
}
_CLAIM_FALSE = {
    "valid": False,
    "kicked": True,
    "missing_numbers": [9, 17],
    "message": "No pattern is complete: you are out of this game.",
}


TO_CLIENT: Final[Mapping[type[BaseModel], Any]] = MappingProxyType(
    {
        **ROOM,
        **TO_OPERATORS,
        to_client.LobbyState: _STATE,
        to_client.Lobbies: {"lobbies": [VIEW]},
        to_client.LobbyListed: {"lobby": VIEW},
        to_client.Payout: {
            "lobby_id": VIEW["lobby_id"],
            "amount": 28000,
            "status": "settled",
            "reference": "0x9c1f",
        },
        to_client.Draining: {"retry_after_ms": 1500},
        to_client.Announcement: {
            "text": "No new games from noon on: maintenance.",
            "level": "warning",
            "until": DEADLINE_MS,
        },
        to_client.JoinAnswer: {"ok": True, "lobby": VIEW, "invoice": _INVOICE},
        to_client.ListAnswer: {"ok": True, "lobbies": [VIEW]},
        to_client.SelectNumbersAnswer: {"ok": True, "numbers": NUMBERS},
        to_client.ArrangeGridAnswer: {"ok": True, "grid": GRID},
        to_client.ClaimWon: {"ok": True, **_CLAIM_WON},
        to_client.ClaimFalse: {"ok": True, **_CLAIM_FALSE},
        to_client.LeaveAnswer: {"ok": True},
        to_client.SyncState: {"ok": True, "state": _STATE},
        SyncEvents: {
            "ok": True,
            "events": [{"event": "number_called", **_CALLED}],
            "you": {**_YOU, "invoice": _INVOICE},
        },
        to_client.RefreshTokenAnswer: {"ok": True, "expires_at": DEADLINE_MS},
        ErrorAnswer: error_answer(Refused(ErrorCode.NOT_PAID)),
        ErrorBody: error_body(Refused(ErrorCode.TOKEN_EXPIRED)),
        Proof: PROOF,
        http.HttpJoinAnswer: {
            "lobby_id": LOBBY_ID,
            "status": "forming",
            "player_count": 1,
            "pot": 0,
            "invoice": _HTTP_INVOICE,
        },
        http.HttpInvoice: _HTTP_INVOICE,
        http.SelectAnswer: {"success": True, "message": "Your numbers are chosen."},
        http.ArrangeAnswer: {
            "success": True,
            "verified": True,
            "message": "Your grid is arranged.",
        },
        http.HttpLeaveAnswer: {"success": True},
        HttpClaimWon: _CLAIM_WON,
        HttpClaimFalse: _CLAIM_FALSE,
        StatusAnswer: {
            **VIEW,
            "created_at": OPENED,
            "deadline": DEADLINE,
            "patterns": _PATTERNS,
            "you": {**_YOU, "invoice": _HTTP_INVOICE},
            "time_elapsed": 0.0,
        },
        payments.WebhookAnswer: {"success": True, "processed": True},
        http.Health: {
            "status": "healthy",
            "redis_connected": True,
            "timestamp": "2026-02-08T10:00:00Z",
            "version": "0.1.0",
        },
        http.Live: {"status": "ok"},
        http.Ready: {"status": "ok"},
        http.StoreHealth: {
            "status": "ok",
            "round_trip_ms": 0.231,
            "topology": "plain",
            "shards": [{"address": "10.0.0.7:6379", "status": "ok", "round_trip_ms": 0.231}],
        },
        history.GamesPage: {"games": [_PAST_GAME], "next": None},
        history.Statement: {
            "entries": [_MOVEMENT],
            "sums": {"paid_in": 3500, "paid_out": 0, "owed": 0},
            "next": None,
        },
        history.Profile: {"listed": True},
        limits.PlayerLimits: {
            "coins_per_day": 7000,
            "coins_per_week": 35000,
            "coins_per_month": 70000,
            "pending": {"coins_per_month": None, "from": "2026-02-09T10:00:00.000Z"},
            "spent": {"day": 3500, "week": 3500, "month": 17500},
            "excluded_until": None,
        },
        history.Leaderboard: {
            "period": "week",
            "since": "2026-02-01T10:00:00.000Z",
            "players": [
                {"rank": 1, "alien_id": "alice", "games": 12, "won": 3, "coins_won": 84000}
            ],
        },
        http.Problem: {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "There is no such lobby.",
            "code": "unknown_lobby",
        },
    }
)

EXAMPLES: Final[Mapping[type[BaseModel], Any]] = MappingProxyType({**FROM_CLIENT, **TO_CLIENT})
"""An example of each model, as it stands on the wire."""
