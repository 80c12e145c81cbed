"""A thousand join at once: everyone gets one seat, and no lobby more than it has."""

import asyncio
from collections import Counter

from tests.support.wait import until
from tests.system.conftest import Serve
from tests.system.game_server import BUY_IN, GameServer
from tests.system.visitor import Visitor

PLAYERS = 1_000
REPEATED = 100
SEATS = 10
AT_ONCE = 200


async def test_a_thousand_joins_at_once_fill_lobby_after_lobby(serve: Serve) -> None:
    limits = {"MAX_PLAYERS": str(SEATS), "HTTP_RATE": "0", "MESSAGE_RATE": "0"}
    server = await serve(**limits, SEAT_SECONDS="600", FORMATION_SECONDS="600")
    names = [f"player-{number}" for number in range(PLAYERS)]
    lobby_ids = await join_all(server, [*names, *names[:REPEATED]])

    assert lobby_ids[PLAYERS:] == lobby_ids[:REPEATED]
    async with server.visitor("spectator") as visitor:
        await visitor.enter("lobbies")
        # The server may yet have to hear of the last ones.
        await until(lambda: lists(visitor, PLAYERS // SEATS))
        lobbies = (await visitor.ask("list", {"buy_in_amount": BUY_IN}))["lobbies"]
    seats = {
        player["alien_id"]: lobby["lobby_id"] for lobby in lobbies for player in lobby["players"]
    }
    assert seats == dict(zip(names, lobby_ids, strict=False))
    assert [lobby["player_count"] for lobby in lobbies] == [SEATS] * (PLAYERS // SEATS)
    assert set(Counter(lobby_ids[:PLAYERS]).values()) == {SEATS}


async def lists(visitor: Visitor, lobbies: int) -> bool:
    """Whether so many lobbies are listed, all of them full."""
    listed = (await visitor.ask("list", {"buy_in_amount": BUY_IN}))["lobbies"]
    return [lobby["player_count"] for lobby in listed] == [SEATS] * lobbies


async def join_all(server: GameServer, names: list[str]) -> list[str]:
    """Join with all of them, so many at a time. Their lobbies."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def join(name: str) -> str:
        async with turn:
            return str((await server.join(name))["lobby_id"])

    return await asyncio.gather(*map(join, names))
