"""The shape of everything that the server sends, as it is documented: exact fields, exact types.

This is written down a second time on purpose: the models of the server cannot check themselves.
"""

from collections.abc import Sequence
from typing import Any

from tests.system.spec import (
    Spec,
    assert_shape,
    differences,
    digits,
    flag,
    hex32,
    hex48,
    integer,
    invoice_id,
    iso_time,
    lobby_id,
    seconds,
    text,
    unix_ms,
)


def grid(value: Any) -> bool:
    return not any(differences(value, [[integer]]))


def grids(value: Any) -> bool:
    return isinstance(value, dict) and all(map(grid, value.values()))


def proof_row(value: Any) -> bool:
    return len(value) == 3 and text(value[0]) and text(value[1]) and grid(value[2])


def arranged(value: Any) -> bool:
    return isinstance(value, dict) and {"arranged", "picked"}.issuperset(value.values())


def patterns(value: Any) -> bool:
    return isinstance(value, dict) and all(map(grid, value.values()))


def room_event(value: Any) -> bool:
    fields = {name: field for name, field in value.items() if name != "event"}
    return not any(differences(fields, ROOM_EVENTS[value["event"]]))


def anything(value: Any) -> bool:
    return True


def _invoice(time: Spec) -> Spec:
    return {
        "invoice_id": invoice_id,
        "amount": digits,
        "recipient": text,
        "token": text,
        "network": text,
        "status": ("pending", "paid", "failed", "expired", "cancelled", "refund_owed"),
        "expires_at": time,
        "owed?": digits,
    }


BEACON = {"chain_hash": hex32, "round": (integer, None)}


def _view(time: Spec) -> Spec:
    return {
        "lobby_id": lobby_id,
        "rules": {
            "variant": ("classic", "grand"),
            "side": integer,
            "highest": integer,
            "min_players": integer,
            "max_players": integer,
        },
        "status": ("forming", "arranging", "active", "finished"),
        "buy_in_amount": integer,
        "pot": integer,
        "player_count": integer,
        "active_players": integer,
        "players": [{"alien_id": text, "paid": flag, "ready": flag, "active": flag}],
        "latest_number": (integer, None),
        "previous_number": (integer, None),
        "winner": (text, None),
        "outcome": ("won", "no_winner", "cancelled", "voided", None),
        "created_at": time,
        "started_at": (time, None),
        "finished_at": (time, None),
        "deadline": (time, None),
        "beacon?": BEACON,
        "server_seed_hash": hex32,
        "seq": integer,
    }


def _you(invoice: Spec) -> Spec:
    player = {
        "role": "player",
        "paid": flag,
        "active": flag,
        "numbers": ([integer], None),
        "grid": ([[integer]], None),
        "invoice": invoice,
    }
    # Whoever held a seat here before still sees what became of its invoice.
    return (player, {"role": "spectator", "invoice?": invoice})


INVOICE = _invoice(unix_ms)
VIEW = _view(unix_ms)
STATE = {**VIEW, "patterns": patterns, "at": unix_ms, "you": _you(INVOICE)}
PROOF = {
    "lobby_id": lobby_id,
    "variant": ("classic", "grand"),
    "server_seed": hex32,
    "server_seed_hash": hex32,
    "players": [proof_row],
    "arranged": arranged,
    "entropy": hex32,
    "beacon?": {
        "chain_hash": hex32,
        "round": integer,
        "signature": (hex48, None),
        "randomness": (hex32, None),
    },
    "numbers_called": [integer],
    "winner": (text, None),
    "pattern": (text, None),
    "log_hash": hex32,
    "proof_hash": hex32,
}

HTTP_INVOICE = _invoice(iso_time)
HTTP_STATUS = {
    **_view(iso_time),
    "patterns": patterns,
    "you": _you(HTTP_INVOICE),
    "time_elapsed": seconds,
}
HTTP_JOINED = {
    "lobby_id": lobby_id,
    "status": "forming",
    "player_count": integer,
    "pot": integer,
    "invoice": HTTP_INVOICE,
}

_ROOM = {"seq": integer, "at": unix_ms}
_PLAYER = {**_ROOM, "alien_id": text, "player_count": integer, "pot": integer}
ROOM_EVENTS: dict[str, Spec] = {
    "player_joined": _PLAYER,
    "player_paid": _PLAYER,
    "player_ready": _PLAYER,
    "player_left": {**_PLAYER, "reason": ("left", "unpaid", "payment_failed", "expired", "kicked")},
    "status_changed": {
        **_ROOM,
        "status": ("forming", "arranging", "active"),
        "deadline": (unix_ms, None),
        "beacon?": BEACON,
    },
    "beacon_mixed": {**_ROOM, "round": integer, "signature": hex48, "randomness": hex32},
    "number_called": {**_ROOM, "number": integer, "previous": (integer, None), "index": integer},
    "player_kicked": {**_ROOM, "alien_id": text, "active_players": integer},
    "game_finished": {
        **_ROOM,
        "outcome": ("won", "no_winner", "cancelled", "voided"),
        "winner": (text, None),
        "pattern": (text, None),
        "pot": integer,
        "numbers_called": [integer],
        "grids": grids,
        "proof": (PROOF, None),
        "log_hash": hex32,
    },
}
EVENTS: dict[str, Spec] = {
    **ROOM_EVENTS,
    "lobby_state": STATE,
    "lobbies": {"lobbies": [VIEW]},
    "lobby_listed": {"lobby": VIEW},
    "payout": {"lobby_id": lobby_id, "amount": seconds, "status": "settled", "reference": text},
    "announcement": {"text": text, "level": ("info", "warning"), "until": (unix_ms, None)},
    "draining": {"retry_after_ms": integer},
}

CLAIM_WON = {"valid": True, "winner": True, "pattern": text, "pot": integer, "message": text}
CLAIM_FALSE = {"valid": False, "kicked": True, "missing_numbers": [integer], "message": text}
ANSWERS: dict[str, Spec] = {
    "join": {"ok": True, "lobby": VIEW, "invoice": INVOICE},
    "list": {"ok": True, "lobbies": [VIEW]},
    "select_numbers": {"ok": True, "numbers": [integer]},
    "arrange_grid": {"ok": True, "grid": [[integer]]},
    "claim": ({"ok": True, **CLAIM_WON}, {"ok": True, **CLAIM_FALSE}),
    "leave": {"ok": True},
    "sync": (
        {"ok": True, "state": STATE},
        {"ok": True, "events": [room_event], "you": _you(INVOICE)},
    ),
    "refresh_token": {"ok": True, "expires_at": unix_ms},
}
ERROR = {"code": text, "message": text, "retry": flag, "details?": anything}
REFUSAL = {"ok": False, "error": ERROR}


def assert_transcript(received: Sequence[tuple[str, Any]], *, begins_anew: bool = False) -> None:
    """Fail unless every event in one namespace is of its shape, and those of the room follow on
    each other and on the first state without a gap, in the order of time. A store that went back
    in time begins anew with a state: with an earlier one or, if `begins_anew`, any other."""
    for event, data in received:
        assert_shape(data, EVENTS[event])
    seq: int | None = None
    for event, data in received:
        if event == "lobby_state" and (seq is None or begins_anew or data["seq"] < seq):
            seq = data["seq"]
        elif event in ROOM_EVENTS:
            assert seq is None or data["seq"] == seq + 1
            seq = data["seq"]
    room = [data for event, data in received if event in ROOM_EVENTS]
    assert [data["at"] for data in room] == sorted(data["at"] for data in room)
