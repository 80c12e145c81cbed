"""Whether the store is there, and what it can do."""

import asyncio
import contextvars
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis import ResponseError

from server.store.errors import LOST, StoreUnavailable
from server.store.topology import Kind, Shard, abort, is_primary

PING_SECONDS: Final = 0.8
_SHARDED_SINCE: Final = 7


@dataclass(frozen=True, slots=True)
class ShardState:
    """How one shard is: where its primary was found last, if it was, and how long it takes to
    answer; None if it does not."""

    address: str | None
    round_trip_ms: float | None


class StoreHealthCheck(ABC):
    """Asks the store how it is."""

    kind: Kind

    async def ping(self) -> float:
        """How long the quickest shard takes to answer, in ms. Raises StoreUnavailable if none does
        within `PING_SECONDS`."""
        states = await self.states()
        return min(_answered(states))

    @abstractmethod
    async def states(self) -> Sequence[ShardState]:
        """How each shard is, within little more than `PING_SECONDS`."""

    @abstractmethod
    async def has_sharded_channels(self) -> bool:
        """Whether the store has sharded channels. Raises StoreUnavailable."""

    @abstractmethod
    async def close(self) -> None:
        """Close what was opened for it."""


def _answered(states: Sequence[ShardState]) -> list[float]:
    answered = [state.round_trip_ms for state in states if state.round_trip_ms is not None]
    if not answered:
        raise StoreUnavailable("no primary answers")
    return answered


class ShardHealthCheck(StoreHealthCheck):
    """Asks one shard, on a connection of its own."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self.kind = shard.kind
        shard.on_moved(self._leave)
        self._connection: Any = None
        self._pinging: asyncio.Task[float] | None = None

    async def ping(self) -> float:
        """How long the store takes to answer, in ms. All who ask at the same time share one
        answer. Raises StoreUnavailable if no primary gives one within `PING_SECONDS`."""
        if self._pinging is None:
            # Whoever began it may go away, and the others get the result all the same.
            self._pinging = asyncio.create_task(self._ping(), context=contextvars.Context())
            self._pinging.add_done_callback(self._pinged)
        return await asyncio.shield(self._pinging)

    async def states(self) -> Sequence[ShardState]:
        """See `StoreHealthCheck.states`."""
        try:
            round_trip_ms = await self.ping()
        except StoreUnavailable:
            return [ShardState(self._shard.at, None)]
        return [ShardState(self._shard.at, round_trip_ms)]

    def _pinged(self, pinging: "asyncio.Task[float]") -> None:
        self._pinging = None
        if not pinging.cancelled():
            pinging.exception()  # retrieved, even if all who asked are gone

    async def _ping(self) -> float:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(PING_SECONDS):
                was_connected = self._connection is not None
                try:
                    primary = await self._is_primary()
                except LOST:
                    if not was_connected:
                        raise
                    primary = False
                if not primary and not (was_connected and await self._is_primary()):
                    raise StoreUnavailable("the store is a replica")
        except LOST as error:
            raise StoreUnavailable(str(error)) from error
        return (time.perf_counter() - started) * 1000

    async def _is_primary(self) -> bool:
        """Whether the connection, a new one if there is none, leads to a primary; it stays only
        then."""
        try:
            if self._connection is None:
                self._connection = await self._shard.connect(PING_SECONDS)
            primary = await is_primary(self._connection)
        except BaseException:
            await self._hang_up()
            raise
        if not primary:
            await self._hang_up()  # it may have moved
        return primary

    def _leave(self) -> None:
        if self._connection is not None:
            abort(self._connection)

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def has_sharded_channels(self) -> bool:
        """Whether the store has sharded channels. Raises StoreUnavailable."""
        try:
            connection = await self._shard.connect()
            try:
                await connection.send_command("INFO", "server")
                about = self._shard.understand("INFO", await connection.read_response())
            finally:
                await connection.disconnect(nowait=True)
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
        await self._hang_up()
