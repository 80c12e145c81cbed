"""Whether the store is there, and what it can do."""

import asyncio
import contextvars
import time
from typing import Any, Final

from redis import ResponseError
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from server.store.errors import LOST, StoreUnavailable

PING_SECONDS: Final = 0.8
_SHARDED_SINCE: Final = 7


class StoreHealth:
    """Asks the store how it is, on a connection of its own."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._pinging: asyncio.Task[float] | None = None

    async def ping(self) -> float:
        """How long the store takes to answer, in ms. All who ask at the same time share one
        answer. Raises StoreUnavailable if no primary gives one within `PING_SECONDS`."""
        if self._pinging is None:
            # Whoever began it may go away, and the others hear all the same.
            self._pinging = asyncio.create_task(self._ping(), context=contextvars.Context())
            self._pinging.add_done_callback(self._pinged)
        return await asyncio.shield(self._pinging)

    def _pinged(self, pinging: "asyncio.Task[float]") -> None:
        self._pinging = None
        if not pinging.cancelled():
            pinging.exception()  # heard, even if all who asked are gone

    async def _ping(self) -> float:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(PING_SECONDS):
                if not await self._is_primary():
                    await self._redis.connection_pool.disconnect()  # it may have moved
                    if not await self._is_primary():
                        raise StoreUnavailable("the store is a replica")
        except LOST as error:
            await self._redis.connection_pool.disconnect()
            raise StoreUnavailable(str(error)) from error
        return (time.perf_counter() - started) * 1000

    async def _is_primary(self) -> bool:
        try:
            role, *_ = await self._redis.role()
        except NoPermissionError:
            return bool(await self._redis.ping())  # it answers, and does not say
        return bool(role == "master")

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
        if self._pinging is not None:
            await asyncio.wait([self._pinging])
        await self._redis.aclose()
