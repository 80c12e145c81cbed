"""The connection to one shard: commands that are issued together travel together."""

import asyncio
import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import structlog
from hiredis import pack_command
from redis import exceptions

from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.shared_timeout import SharedTimeout
from server.store.answers import UNAVAILABLE, is_redirection, is_unavailable, says_elsewhere
from server.store.connection import Connection
from server.store.errors import Redirected, StoreUnavailable
from server.store.replica_wait import NO_WAIT, ReplicaWait
from server.store.timings import TIMINGS, StoreTimings
from server.store.topology import Shard, abort

_BATCH: Final = 512
_ASKING: Final = "ASKING"

log = structlog.get_logger(__name__)

_Command = tuple[str, bytes, "asyncio.Future[Any]"]
"""The name of a command, the packed whole, and who waits for its answer."""


class ShardConnection(Connection):
    """One connection to one shard for all commands of a process.

    Commands that are waiting when the connection is free go out in one write, so a busy server
    pays one round trip for many. A command that cannot be answered raises StoreUnavailable.

    With a `wait` nothing is answered before so many replicas have all that was written until then;
    if they have not in time, every command of the batch raises StoreUnavailable.
    """

    def __init__(
        self,
        shard: Shard,
        clock: StoreClock,
        metrics: Metrics,
        timings: StoreTimings = TIMINGS,
        wait: ReplicaWait = NO_WAIT,
    ) -> None:
        super().__init__(clock, metrics)
        self._shard = shard
        self._wait = wait
        self._answer_seconds = timings.command + (wait.seconds if wait else 0)
        shard.on_moved(self._leave)
        self._redis_connection: Any = None  # of redis-py, whose connections have no types
        self._waiting: list[_Command] = []
        self._sender: asyncio.Task[None] | None = None
        self._patience = SharedTimeout(self._answer_seconds, _give_up)
        self._looked = False

    async def call(self, *command: Any) -> Any:
        """See `Connection.call`."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((command[0], pack_command(command), answer))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_waiting())
        self._patience.start(answer)
        try:
            return await answer
        finally:
            self._patience.cancel(answer)

    async def call_asking(self, *command: Any) -> Any:
        """Like `call`, at a node that is about to take over what is asked for."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        packed = pack_command(("ASKING",)) + pack_command(command)
        self._waiting.append((f"{_ASKING} {command[0]}", packed, answer))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_waiting())
        self._patience.start(answer)
        try:
            return await answer
        finally:
            self._patience.cancel(answer)

    async def look_again(self) -> None:
        """Have the connection looked at as if it were a new one. Raises StoreUnavailable."""
        self._looked = False
        await self.call("PING")

    @property
    def shards(self) -> Sequence[str]:
        """See `Connection.shards`."""
        return [self._shard.name]

    @property
    def waiting(self) -> int:
        """Commands that wait for the connection to be free."""
        return len(self._waiting)

    async def close(self) -> None:
        """Finish what was sent and close the connection."""
        if self._sender is not None:
            await asyncio.wait([self._sender])
        await self._hang_up()

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                # Whoever has given up must not have the command carried out behind their back.
                batch = [command for command in batch if not command[-1].done()]
                if batch:
                    await self._send(batch)
        finally:
            self._sender = None

    async def _send(self, batch: list[_Command]) -> None:
        try:
            with self.metrics.store_round_trip.time():
                async with asyncio.timeout(self._answer_seconds):
                    answers = await self._exchange(batch)
        except BaseException as error:
            await self._hang_up()  # what it says now could be taken for another answer
            if not isinstance(error, Exception):
                raise
            if not isinstance(error, (StoreUnavailable, RuntimeError, *UNAVAILABLE)):  # see LOST
                log.exception("store_exchange_failed")
            answers = [StoreUnavailable(repr(error))] * len(batch)
        for (*_, future), answer in zip(batch, answers, strict=True):
            _settle(future, answer)
        errors = (answer for answer in answers if isinstance(answer, Exception))
        if self._shard.redirects:
            errors = (answer for answer in errors if not is_redirection(answer))
        if any(map(says_elsewhere, errors)):
            log.warning("store_is_not_the_primary")
            await self._hang_up()  # and look for the primary again

    async def _exchange(self, batch: list[_Command]) -> list[Any]:
        """The answers to the commands, of which some may be errors."""
        # As redis-py's pipeline does it, at a third of the cost: no pool, no retries, no traces.
        connection = await self._connected()
        packed = b"".join(packed for _, packed, _ in batch)
        if not self._wait:
            await connection.send_packed_command(packed)
            return [await self._read(connection, name) for name, *_ in batch]
        # In the same write: whatever answers both is one and the same primary.
        await connection.send_packed_command(packed + self._wait.command)
        answers = [await self._read(connection, name) for name, *_ in batch]
        confirmed = await self._read(connection, "WAIT")
        if missing := self._wait.missing(confirmed):
            self.metrics.waits_unmet.inc()
            log.warning("replicas_did_not_confirm", why=missing)
            if isinstance(confirmed, Exception):
                raise StoreUnavailable(missing)  # it is no primary any more: it is left
            return [StoreUnavailable(missing)] * len(batch)
        return answers

    async def _ask(self, connection: Any, *commands: Sequence[Any]) -> list[Any]:
        await connection.send_packed_command(
            b"".join(pack_command(tuple(words)) for words in commands)
        )
        return [await self._read(connection, words[0]) for words in commands]

    async def _read(self, connection: Any, name: str) -> Any:
        try:
            if name.startswith(_ASKING):
                await connection.read_response(timeout=math.inf)
                name = name.removeprefix(f"{_ASKING} ")
            answer = await connection.read_response(timeout=math.inf)
        except exceptions.ResponseError as error:
            return error
        return self._shard.understand(name, answer)

    async def _connected(self) -> Any:
        # Without a request nothing comes on this connection but its end.
        if self._redis_connection is not None and await self._redis_connection.can_read():
            await self._hang_up()
        if self._redis_connection is None:
            self._redis_connection = await self._shard.connect()
            self._redis_connection.socket_timeout = None  # the batch as a whole has one
            self._looked = False
        if self.look is not None and not self._looked:
            await self.look(self._shard.name, partial(self._ask, self._redis_connection))
            self._looked = True
        return self._redis_connection

    def _leave(self) -> None:
        """The primary is another one: what this one says no longer counts."""
        if self._redis_connection is not None:
            abort(self._redis_connection)

    async def _hang_up(self) -> None:
        connection, self._redis_connection = self._redis_connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


def _give_up(answer: "asyncio.Future[Any]") -> None:
    if not answer.done():
        answer.set_exception(StoreUnavailable("no answer in time"))


def _settle(future: "asyncio.Future[Any]", answer: Any) -> None:
    if future.done():
        return
    if not isinstance(answer, Exception):
        future.set_result(answer)
    elif is_redirection(answer):
        future.set_exception(Redirected(answer))
    elif is_unavailable(answer):
        future.set_exception(StoreUnavailable(str(answer)))
    else:
        future.set_exception(answer)
