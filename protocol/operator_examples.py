"""One example of what operators send, and of what they are answered."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from protocol import operator_views, operators
from protocol.example_game import DEADLINE_MS, LOBBY_ID, OPENED, VIEW

FROM_OPERATORS: Final[Mapping[type[BaseModel], Any]] = MappingProxyType(
    {
        operators.ListPayouts: {"status": "held"},
        operators.OnePayout: {"payout_id": "po_3500_1770540000000-0"},
        operators.RefusePayout: {"payout_id": "po_3500_1770540000000-0", "reason": "Fraud."},
        operators.AllPayouts: {"reason": "The bank is closed."},
        operators.VoidLobby: {"lobby_id": LOBBY_ID, "reason": "A wrong setting went live."},
        operators.BanPlayer: {
            "alien_id": "mallory",
            "reason": "Two accounts in one lobby.",
            "until": DEADLINE_MS,
        },
        operators.UnbanPlayer: {"alien_id": "mallory", "reason": "It was her sister."},
        operators.CloseTier: {"buy_in_amount": 3500, "reason": "The provider is down."},
        operators.OpenTier: {"buy_in_amount": 3500, "reason": "The provider is back."},
        operators.Announce: {"text": "No new games from noon on: maintenance."},
        operators.KickPlayer: {
            "alien_id": "mallory",
            "lobby_id": LOBBY_ID,
            "reason": "They asked for it.",
        },
    }
)

_ACTION: Final = {
    "id": 1,
    "at": OPENED,
    "operator": "eve",
    "action": "ban",
    "target": "mallory",
    "reason": "Two accounts in one lobby.",
    "details": {"until": None},
    "previous_hash": "0" * 64,
    "hash": "4f2d54b0d0b1c0f0a0f1d7a5b4a2a3a0b9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4",
}

_DEBT: Final = {
    "entry": "3500:1770544800123-0",
    "kind": "refund_owed",
    "alien_id": "mallory",
    "lobby_id": LOBBY_ID,
    "amount": 3500.0,
    "at": OPENED,
}

TO_OPERATORS: Final[Mapping[type[BaseModel], Any]] = MappingProxyType(
    {
        operator_views.Operator: {"name": "eve", "role": "support", "actions": ["ban", "unban"]},
        operator_views.OrdersLook: {
            "closed": [7000],
            "banned": {"mallory": None},
            "announcements": [],
        },
        operator_views.LobbyLook: {
            "lobby_id": LOBBY_ID,
            "view": VIEW,
            "paid_players": 0,
            "in_books": False,
            "problem": None,
            "owed": [_DEBT],
            "payouts": [],
            "steps": [{"id": "0-1", "at": OPENED, "text": "a lobby opens"}],
        },
        operator_views.PlayerLook: {
            "alien_id": "mallory",
            "banned": True,
            "until": None,
            "seats": [{"lobby_id": LOBBY_ID, "status": "active", "paid": True, "active": True}],
            "owed": [_DEBT],
        },
        operator_views.PayoutList: {
            "payouts": [
                {
                    "payout_id": "po_3500_1770540000000-0",
                    "entry_id": "3500:1770540000000-0",
                    "alien_id": "ada",
                    "amount": 28000,
                    "status": "held",
                    "reference": None,
                    "attempts": 0,
                    "updated_at": "2026-02-08T10:00:00+00:00",
                    "reason": None,
                    "approved_by": ["eve"],
                }
            ]
        },
        operator_views.ActionDone: {"action": "ban", "changed": True},
        operator_views.OperatorLogView: {"entries": [_ACTION], "intact": True, "problems": []},
    }
)
