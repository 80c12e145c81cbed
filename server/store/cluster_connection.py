"""Commands of a cluster: each goes to the primary of its key's slot."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from redis.exceptions import AskError, MovedError

from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.store_url import Address
from server.store.cluster_map import ClusterMap, slot_of
from server.store.cluster_node import NodeShard
from server.store.connection import Ask, Connection
from server.store.errors import Redirected, StoreUnavailable
from server.store.shard_connection import ShardConnection
from server.store.timings import TIMINGS, StoreTimings

_OF_A_SCRIPT: Final = ("EVALSHA", "EVAL")
_OF_NO_KEY: Final = ("SCRIPT", "TIME", "PING")
_FIRST_PAUSE_SECONDS: Final = 0.005
_LONGEST_PAUSE_SECONDS: Final = 0.1

Make = Callable[[NodeShard], ShardConnection]


class ClusterConnection(Connection):
    """One connection to each primary of a cluster, made by `make` when it is needed.

    A command that is redirected was not carried out, so it is repeated where it belongs; one whose
    keys are on their way to another node, when they have arrived.
    """

    def __init__(
        self,
        cluster: ClusterMap,
        make: Make,
        clock: StoreClock,
        metrics: Metrics,
        timings: StoreTimings = TIMINGS,
    ) -> None:
        super().__init__(clock, metrics)
        self._cluster = cluster
        self._make = make
        self._patience_seconds = timings.command_seconds
        self._connections: dict[Address, ShardConnection] = {}

    def call(self, *command: Any) -> "asyncio.Task[Any]":
        """See `Connection.call`."""
        return asyncio.create_task(self._answer(command))

    async def _answer(self, command: tuple[Any, ...]) -> Any:
        key = _key(command)
        if key is None:
            return await self._call_any(command)
        slot = slot_of(key)
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._patience_seconds
        pause_seconds = 0.0
        while True:
            try:
                return await self._call(slot, command)
            except Redirected:
                if loop.time() + pause_seconds > until_s:
                    raise
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds or _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)

    async def _call(self, slot: int, command: tuple[Any, ...]) -> Any:
        connection = self._to(await self._cluster.primary(slot))
        try:
            return await connection.call(*command)
        except Redirected as redirected:
            match redirected.answer:
                case MovedError(host=host, port=port):
                    self._cluster.moved(slot, Address(host, port))
                case AskError(host=host, port=port):
                    there = self._to(self._cluster.node(Address(host, port)))
                    return await there.call_asking(*command)
            raise
        except StoreUnavailable:
            self._cluster.hint()  # another one may be the primary by now
            raise

    async def look_again(self) -> None:
        """See `Connection.look_again`. One primary that answers is enough."""
        await self._cluster.look()
        connections = [self._to(node) for node in self._cluster.primaries]
        looks = (connection.look_again() for connection in connections)
        errors = await asyncio.gather(*looks, return_exceptions=True)
        for error in errors:
            if error is not None and not isinstance(error, StoreUnavailable):
                raise error
        if None not in errors:
            raise StoreUnavailable("no primary answers")

    @property
    def shards(self) -> Sequence[str]:
        """See `Connection.shards`."""
        return [node.name for node in self._cluster.primaries]

    @property
    def waiting(self) -> int:
        """See `Connection.waiting`."""
        return sum(connection.waiting for connection in self._connections.values())

    async def close(self) -> None:
        """See `Connection.close`."""
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))

    def _to(self, node: NodeShard) -> ShardConnection:
        connection = self._connections.get(node.address)
        if connection is None:
            connection = self._connections[node.address] = self._make(node)
            connection.look = self._look
        return connection

    async def _look(self, shard: str, ask: Ask) -> None:
        if self.look is not None:
            await self.look(shard, ask)

    async def _call_any(self, command: tuple[Any, ...]) -> Any:
        """The answer of whichever primary gives one."""
        if not self._cluster.primaries:
            await self._cluster.look()
        failed = StoreUnavailable("no primary is known")
        for node in self._cluster.primaries:
            try:
                return await self._to(node).call(*command)
            except StoreUnavailable as error:
                failed = error
        self._cluster.hint()
        raise failed


def _key(command: tuple[Any, ...]) -> str | None:
    """The first key of a command, or its channel: all of one command are in one slot."""
    if command[0] in _OF_NO_KEY:
        return None
    place = 3 if command[0] in _OF_A_SCRIPT else 1
    return str(command[place])
