"""Playing: choosing numbers, arranging them, claiming."""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.errors import Refused
from server.rules import commands
from server.rules.events import PlayerKicked
from server.services.lobbies import Changed, Lobbies


@dataclass(frozen=True, slots=True)
class Won:
    """The claim was valid and the first."""

    pattern: str
    pot: int


@dataclass(frozen=True, slots=True)
class Kicked:
    """The claim was false: the player is out."""

    missing_numbers: tuple[int, ...]


class Play:
    """What a seated player does in a lobby. All of it raises StoreUnavailable when it is not known
    whether it was done."""

    def __init__(self, lobbies: Lobbies) -> None:
        self._lobbies = lobbies

    async def select_numbers(
        self, alien_id: str, lobby_id: str, numbers: Sequence[int]
    ) -> Changed | Refused:
        """Choose the numbers of the player's ticket."""
        command = commands.SelectNumbers(alien_id, tuple(numbers))
        return await self._lobbies.carry_out(lobby_id, command)

    async def arrange_grid(
        self, alien_id: str, lobby_id: str, grid: Sequence[Sequence[int]]
    ) -> Changed | Refused:
        """Arrange the player's numbers, row by row."""
        command = commands.ArrangeGrid(alien_id, tuple(tuple(row) for row in grid))
        return await self._lobbies.carry_out(lobby_id, command)

    async def claim(self, alien_id: str, lobby_id: str) -> Won | Kicked | Refused:
        """Claim a complete pattern: the one place where a claim is judged. The winner may repeat
        it."""
        changed = await self._lobbies.carry_out(lobby_id, commands.Claim(alien_id))
        if isinstance(changed, Refused):
            return changed
        kicked = changed.first(PlayerKicked)
        if isinstance(kicked, PlayerKicked):
            return Kicked(kicked.missing_numbers)
        lobby = changed.lobby
        if lobby.winner == alien_id and lobby.pattern is not None:
            return Won(lobby.pattern, lobby.pot)
        raise RuntimeError("a claim led to nothing")
