"""The wire to one shard: made anew when there is none of use, and looked at before it is used."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from hiredis import pack_command
from redis import exceptions

from server.store.connection import Ask
from server.store.topology import Shard, abort
from server.store.wire import Wire

Look = Callable[[str, Ask], Awaitable[None]]


class ShardWire:
    """The wire that there is at the moment. Where it leads to is looked at by a `look`, as
    `Connection.look` says."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._redis_connection: Any = None  # of redis-py, whose connections have no types
        self._wire: Wire | None = None
        self._looked = False
        shard.on_moved(self._leave)

    def ready(self, look: Look | None) -> Wire | None:
        """The wire, if commands may go out on it as it is."""
        wire = self._wire
        if wire is None or not wire.is_usable or (look is not None and not self._looked):
            return None
        return wire

    async def connected(self, look: Look | None) -> Wire:
        """The wire, connected and looked at if need be."""
        # Without a request nothing comes on this connection but its end.
        if self._wire is not None and not self._wire.is_usable:
            await self.hang_up()
        if self._wire is None:
            self._redis_connection = await self._shard.connect()
            self._wire = Wire(self._redis_connection)
            self._looked = False
        if look is not None and not self._looked:
            await look(self._shard.name, partial(self._ask, self._wire))
            self._looked = True
        return self._wire

    def look_again(self) -> None:
        """Have it looked at before it is used next."""
        self._looked = False

    async def hang_up(self) -> None:
        """End the connection."""
        connection, self._redis_connection = self._redis_connection, None
        self._wire = None
        if connection is not None:
            await connection.disconnect(nowait=True)

    def _leave(self) -> None:
        """The primary is another one: what this one says no longer counts."""
        if self._redis_connection is not None:
            abort(self._redis_connection)

    async def _ask(self, wire: Wire, *commands: Sequence[Any]) -> list[Any]:
        packed = b"".join(pack_command(tuple(words)) for words in commands)
        replies = await wire.answers_to(packed, len(commands))
        asked = zip(commands, replies, strict=True)
        return [understood(self._shard, words[0], reply) for words, reply in asked]


def understood(shard: Shard, name: str, reply: Any) -> Any:
    """What that reply of a shard to the command of that name means: an answer, or an error that is
    its own. Raises what says that the shard is of no use now."""
    if not isinstance(reply, Exception):
        return shard.understand(name, reply)
    if not isinstance(reply, exceptions.ResponseError):
        raise reply  # such as LOADING, whatever else it says
    return reply
