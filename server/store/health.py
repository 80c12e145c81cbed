"""Whether the store is there, and whether it keeps what it is told."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from redis import ResponseError
from redis.asyncio import Redis

from server.store.errors import LOST, StoreUnavailable

PING_SECONDS: Final = 0.8
_SHARDED_SINCE: Final = 7


@dataclass(frozen=True, slots=True)
class Durability:
    """How the store writes to disk; None where it does not say."""

    appendonly: str
    appendfsync: str

    @property
    def strong(self) -> bool:
        """Whether what the store acknowledged survives a power cut."""
        return self.appendonly == "yes" and self.appendfsync == "always"


class StoreHealth:
    """Asks the store how it is, on a connection of its own."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def ping(self) -> None:
        """Raises StoreUnavailable if the store does not answer within `PING_SECONDS`."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._redis.ping()
        except LOST as error:
            raise StoreUnavailable(str(error)) from error

    async def durability(self) -> Durability | None:
        """How the store is set up; None if it hides that. Raises StoreUnavailable."""
        try:
            found = await self._redis.config_get("append*")
        except ResponseError:
            return None
        except LOST as error:
            raise StoreUnavailable(str(error)) from error
        appendonly, appendfsync = found.get("appendonly"), found.get("appendfsync")
        if appendonly is None or appendfsync is None:
            return None
        return Durability(appendonly, appendfsync)

    async def has_sharded_channels(self) -> bool:
        """Whether the store has sharded channels. Raises StoreUnavailable."""
        try:
            about: Any = await self._redis.info("server")
        except ResponseError:
            return False
        except LOST as error:
            raise StoreUnavailable(str(error)) from error
        major, _, _ = str(about["redis_version"]).partition(".")  # Valkey says 7 as well
        return int(major) >= _SHARDED_SINCE

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()
