import pytest

from tests.system.game_server import GameServer

LOBBY = "/api/game/lobby_3500_0123456789ab"
ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/docs", 200),
    ("GET", "/client/main.js", 200),
    ("GET", "/health", 200),
    ("GET", "/health/live", 200),
    ("GET", "/metrics", 200),
    ("GET", f"{LOBBY}/proof", 404),
    ("GET", "/nothing", 404),
    ("DELETE", f"{LOBBY}/leave", 405),
    ("POST", "/api/game/join", 401),
    ("POST", "/api/webhooks/payment", 401),
    ("GET", "/socket.io/?EIO=4&transport=polling", 400),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
async def test_no_answer_can_be_framed_sniffed_or_made_to_load_something(
    game: GameServer, method: str, path: str, status: int
) -> None:
    answer = await game.request(method, path)

    assert answer.status == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy or "default-src 'none'" in policy
    assert "frame-ancestors" in policy
    assert "unsafe" not in policy
