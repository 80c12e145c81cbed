"""The game of the examples: one between ann and bob, which nobody won. Its proof is one of the test
vectors, so it holds."""

import json
from pathlib import Path
from typing import Final

PROOF: Final = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))["proofs"][0]
LOBBY_ID: Final = PROOF["lobby_id"]
GRID: Final = PROOF["players"][0][2]
NUMBERS: Final = [number for row in GRID for number in row]

OPENED_MS, OPENED = 1770544800000.25, "2026-02-08T10:00:00.000Z"
DEADLINE_MS, DEADLINE = 1770544920000.25, "2026-02-08T10:02:00.000Z"
_ANN = {"alien_id": "ann", "paid": False, "ready": False, "active": True}
VIEW = {
    "lobby_id": LOBBY_ID,
    "rules": {"variant": "classic", "side": 3, "highest": 50, "min_players": 2, "max_players": 10},
    "status": "forming",
    "buy_in_amount": 3500,
    "pot": 0,
    "player_count": 1,
    "active_players": 1,
    "players": [_ANN],
    "latest_number": None,
    "previous_number": None,
    "winner": None,
    "outcome": None,
    "created_at": OPENED_MS,
    "started_at": None,
    "finished_at": None,
    "deadline": DEADLINE_MS,
    "server_seed_hash": PROOF["server_seed_hash"],
    "seq": 1,
}
