"""The ledger as it stands in the store."""

from typing import Any

from redis.asyncio import Redis

from tests.system.game_server import GameServer

LEDGER = "ledger:{3500}"

Entry = dict[str, str]


class StoredLedger:
    """The ledger's stream, which is read and tampered with without the server."""

    def __init__(self, redis: Redis) -> None:
        self.redis: Any = redis  # its types would have every answer be anything

    async def entries(self) -> list[tuple[str, Entry]]:
        """All entries with their stream ids, oldest first."""
        return list(await self.redis.xrange(LEDGER))

    async def of(self, lobby_id: str) -> list[tuple[str, Entry]]:
        """The entries of one lobby."""
        return [found for found in await self.entries() if found[1]["lobby_id"] == lobby_id]

    async def owed(self) -> str:
        """The `ENTRY` of the only entry that is owed, as commands take it."""
        (stream_id,) = [i for i, entry in await self.entries() if entry["kind"].endswith("owed")]
        return f"3500:{stream_id}"

    async def append(self, **entry: str) -> None:
        """Write an entry."""
        await self.redis.xadd(LEDGER, {"at": "1.0", "event": "tampered", **entry})

    async def forget(self, stream_id: str) -> None:
        """Remove an entry."""
        await self.redis.xdel(LEDGER, stream_id)


async def pay_and_leave(server: GameServer) -> None:
    """alice pays and leaves: her buy-in is owed back."""
    lobby_id = await server.seat("alice")
    await server.leave(lobby_id, "alice")
