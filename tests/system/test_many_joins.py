"""A thousand join at once: everyone gets one seat, and no lobby more than it has."""

import asyncio
from collections import Counter

from tests.system.conftest import Serve
from tests.system.game_server import BUY_IN, GameServer

PLAYERS = 1_000
REPEATED = 100
SEATS = 10
AT_ONCE = 200


async def test_a_thousand_joins_at_once_fill_lobby_after_lobby(serve: Serve) -> None:
    limits = {"MAX_PLAYERS": str(SEATS), "HTTP_RATE": "0", "SEAT_SECONDS": "600"}
    server = await serve(**limits, FORMATION_SECONDS="600")
    names = [f"player-{number}" for number in range(PLAYERS)]
    lobby_ids = await join_all(server, [*names, *names[:REPEATED]])

    assert lobby_ids[PLAYERS:] == lobby_ids[:REPEATED]
    async with server.visitor("spectator") as visitor:
        await visitor.enter("lobbies")
        lobbies = (await visitor.ask("list", {"buy_in_amount": BUY_IN}))["lobbies"]
    seats = {
        player["alien_id"]: lobby["lobby_id"] for lobby in lobbies for player in lobby["players"]
    }
    assert seats == dict(zip(names, lobby_ids, strict=False))
    assert [lobby["player_count"] for lobby in lobbies] == [SEATS] * (PLAYERS // SEATS)
    assert set(Counter(lobby_ids[:PLAYERS]).values()) == {SEATS}


async def join_all(server: GameServer, names: list[str]) -> list[str]:
    """Join with all of them, so many at a time. Their lobbies."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def join(name: str) -> str:
        async with turn:
            return str((await server.join(name))["lobby_id"])

    return await asyncio.gather(*map(join, names))
