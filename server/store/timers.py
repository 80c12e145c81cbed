"""Timers: which lobbies are due, taken by one node at a time."""

from typing import Final

from server.store import keys
from server.store.connection import Connection, Script
from server.store.members import lobbies_of_table

AHEAD_MS: Final = 100
"""How long before it is due work is taken: at its time the store need not be asked first."""
LEASE_MS: Final = 500
"""How long a node that took a due lobby keeps it from the others, should it die meanwhile."""


class Timers:
    """The due times of all lobbies, by table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._script = Script("take_due")

    async def take_due(self, table: str, limit: int) -> tuple[dict[str, float], float | None]:
        """At most `limit` lobbies that are due within `AHEAD_MS` by their due times (Unix ms),
        taken until `LEASE_MS` after those; and the next due time of the table, None without any."""
        due, following = await self._connection.run_timed(
            self._script, [keys.timers(table)], [LEASE_MS, limit, AHEAD_MS]
        )
        taken = dict(zip(due[::2], map(float, due[1::2]), strict=True))
        lobbies = await lobbies_of_table(self._connection, table, keys.timers(table), taken)
        known = {lobby_id: taken[lobby_id] for lobby_id in lobbies}
        return known, float(following) if following else None

    async def later_than(self, table: str, at_ms: float) -> list[str]:
        """The lobbies that are due later than that (Unix ms)."""
        key = keys.timers(table)
        found = await self._connection.call("ZRANGEBYSCORE", key, f"({at_ms!r}", "+inf")
        return await lobbies_of_table(self._connection, table, key, found)
