"""Ann and Bob, who play by the client."""

from protocol.client import (
    Room,
    connect,
    enter_lobby,
)
from protocol.to_client import ClaimFalse, ClaimWon, NumberCalled
from server.assembly.app import App
from server.dev.compose import DevWorld
from server.transport.close_reason import CloseReason
from tests.system.game_server import has_pattern

GRIDS = {
    "ann": [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
    "bob": [[11, 12, 13], [14, 15, 16], [17, 18, 19]],
}


async def take_seat(world: DevWorld, player: str) -> str:
    """The lobby in which `player` now has a paid seat."""
    async with connect(world.url, world.access.token(player)) as desk:
        joined = await desk.join(3500)
    await world.access.pay(joined.invoice)
    return joined.lobby.lobby_id


async def begin_game(world: DevWorld) -> str:
    """The lobby in which Ann and Bob play with their grids."""
    for player, grid in GRIDS.items():
        lobby_id = await take_seat(world, player)
        async with enter_lobby(world.url, world.access.token(player), lobby_id) as lobby:
            assert await lobby.arrange_grid(grid) == grid
    return lobby_id


async def win(lobby: Room, grid: list[list[int]]) -> ClaimWon | ClaimFalse:
    """Claim as soon as a line has been called, and receive the rest."""
    called: set[int] = set()
    answer = None
    async for event in lobby:
        if isinstance(event, NumberCalled):
            called.add(event.number)
            if answer is None and has_pattern(grid, called):
                answer = await lobby.claim()
    assert answer is not None
    return answer


def cut(app: App) -> int:
    """End every connection; how many there were."""
    sessions = list(app.sockets.gateway.eio.sockets.values())
    for session in sessions:
        session.close(CloseReason.DRAINING)
    return len(sessions)
