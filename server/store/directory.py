"""Finding lobbies: those that form, the one to join, and where a player sits already."""

from dataclasses import dataclass

from server.store import keys
from server.store.commits import Check
from server.store.connection import Connection


@dataclass(frozen=True, slots=True)
class LobbyCounts:
    """How many lobbies of a table form, and how many are in play: arranging or active."""

    forming: int
    playing: int


class Directory:
    """The indexes of a table's forming lobbies."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def forming(self, table: str) -> list[str]:
        """The forming lobbies, oldest first."""
        found: list[str] = await self._connection.call("ZRANGE", keys.active_lobbies(table), 0, -1)
        return found

    async def running(self, table: str) -> list[str]:
        """All lobbies of the table that are not over."""
        found: list[str] = await self._connection.call("ZRANGE", keys.timers(table), 0, -1)
        return found

    async def counts(self, table: str) -> LobbyCounts:
        """The lobbies of the table, counted."""
        running = await self._connection.call("ZCARD", keys.timers(table))
        forming = await self._connection.call("ZCARD", keys.active_lobbies(table))
        return LobbyCounts(forming, max(running - forming, 0))

    async def fullest(self, table: str, excluded: set[str]) -> str | None:
        """The forming lobby with a free seat in which most are taken, of equals the oldest; none of
        `excluded`, which loses those that have no free seat any more."""
        last = -1 if excluded else 0
        found = await self._connection.call("ZREVRANGE", keys.openings(table), 0, last)
        excluded.intersection_update(found)
        return next((lobby_id for lobby_id in found if lobby_id not in excluded), None)

    def unseated_check(self, table: str, alien_id: str) -> Check:
        """That the player holds no seat in any forming lobby of the table."""
        return Check(("EXISTS", keys.seats(table, alien_id)), "0")

    def none_open_check(self, table: str, excluded: set[str]) -> Check:
        """That no forming lobby of the table has a free seat, apart from as many as there are
        `excluded`."""
        return Check(("ZCARD", keys.openings(table)), str(len(excluded)))

    async def seated_in(self, table: str, alien_id: str) -> str | None:
        """The forming lobby in which the player has held a seat for longest."""
        seats = await self._connection.call("HGETALL", keys.seats(table, alien_id))
        return min(seats, key=lambda lobby_id: int(seats[lobby_id])) if seats else None
