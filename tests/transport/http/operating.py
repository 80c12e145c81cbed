"""Operators of each role, and what they do over HTTP."""

from typing import Any

from tests.system.game_server import GameServer, HttpAnswer

TOKENS = {
    role: f"{role}-{role}-{role}-{role}" for role in ("viewer", "support", "cashier", "admin")
}
OPS_TOKENS = ",".join(f"{role[:3]}:{role}:{token}" for role, token in TOKENS.items())
TIER: dict[str, Any] = {"buy_in_amount": 3500}


async def act(server: GameServer, action: str, role: str = "admin", **body: Any) -> HttpAnswer:
    headers = {"Authorization": f"Bearer {TOKENS[role]}"}
    return await server.request("POST", f"/ops/api/{action}", headers=headers, json=body)
