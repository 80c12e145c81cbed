"""Finding lobbies: those that form, the one to join, and where a player sits already."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from server.store import keys
from server.store.commits import Check
from server.store.connection import Connection
from server.store.members import lobbies_of_table


@dataclass(frozen=True, slots=True)
class LobbyCounts:
    """How many lobbies of a table form, and how many are in play: arranging or active."""

    forming: int
    playing: int


@dataclass(frozen=True, slots=True, order=True)
class Seat:
    """A seat in a forming lobby: since when (Unix ms), and in which."""

    since_ms: int
    lobby_id: str


class Directory:
    """The indexes of a table's forming lobbies."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def forming(self, table: str) -> list[str]:
        """The forming lobbies, oldest first."""
        return await self._all(table, keys.active_lobbies(table))

    async def running(self, table: str) -> list[str]:
        """All lobbies of the table that are not over."""
        return await self._all(table, keys.timers(table))

    async def played_by(self, table: str, alien_id: str) -> list[str]:
        """The lobbies of the table that are not over and in which the player has a seat: for an
        operator, who may wait, since all of them are looked at."""
        running = await self.running(table)
        seated = await asyncio.gather(
            *(self._connection.call("HGET", keys.lobby(each), "players") for each in running)
        )
        quoted = orjson.dumps(alien_id).decode()
        return [
            each for each, names in zip(running, seated, strict=True) if quoted in (names or "")
        ]

    async def counts(self, table: str) -> LobbyCounts:
        """The lobbies of the table, counted."""
        running = await self._connection.call("ZCARD", keys.timers(table))
        forming = await self._connection.call("ZCARD", keys.active_lobbies(table))
        return LobbyCounts(forming, max(running - forming, 0))

    async def fullest(self, table: str, excluded: set[str]) -> str | None:
        """The forming lobby with a free seat in which most are taken, of equals the oldest; none of
        `excluded`, which loses those that have no free seat any more."""
        key = keys.openings(table)
        found: list[str] = []
        while not found:
            members = await self._connection.call("ZREVRANGE", key, 0, -1 if excluded else 0)
            found = await lobbies_of_table(self._connection, table, key, members)
            if len(found) == len(members):
                break
        excluded.intersection_update(found)
        return next((lobby_id for lobby_id in found if lobby_id not in excluded), None)

    def unseated_check(self, table: str, alien_id: str) -> Check:
        """That the player holds no seat in any forming lobby of the table."""
        return Check(("EXISTS", keys.seats(table, alien_id)), "0")

    def none_open_check(self, table: str, excluded: set[str]) -> Check:
        """That no forming lobby of the table has a free seat, apart from as many as there are
        `excluded`."""
        return Check(("ZCARD", keys.openings(table)), str(len(excluded)))

    async def seat(self, table: str, alien_id: str) -> Seat | None:
        """The seat that the player has held for longest of those in forming lobbies of a table."""
        seats = await self._connection.call("HGETALL", keys.seats(table, alien_id))
        return await self._held_for_longest(table, alien_id, seats)

    async def seats(self, table: str, alien_ids: Sequence[str]) -> Sequence[Seat | None]:
        """The same for each of several players, at once."""
        found = await asyncio.gather(
            *(self._connection.call("HGETALL", keys.seats(table, name)) for name in alien_ids)
        )
        return [
            await self._held_for_longest(table, alien_id, seats) if seats else None
            for alien_id, seats in zip(alien_ids, found, strict=True)
        ]

    async def _held_for_longest(
        self, table: str, alien_id: str, seats: Mapping[str, str]
    ) -> Seat | None:
        key = keys.seats(table, alien_id)
        lobbies = await lobbies_of_table(self._connection, table, key, seats, remove="HDEL")
        return min((Seat(_since(seats[name]), name) for name in lobbies), default=None)

    async def _all(self, table: str, key: str) -> list[str]:
        members = await self._connection.call("ZRANGE", key, 0, -1)
        return await lobbies_of_table(self._connection, table, key, members)


def _since(text: str) -> int:
    return int(text) if text.isdecimal() else 0
