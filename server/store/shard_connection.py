"""The connection to one shard: commands that are issued together travel together."""

import asyncio
import time
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
from server.store.wire import Wire

_BATCH: Final = 512

log = structlog.get_logger(__name__)

_Command = tuple[str, bytes, bool, "asyncio.Future[Any]"]
"""The name of a command, the packed whole, whether ASKING goes before it and has an answer of its
own, and who waits for the command's."""


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
        self._answer_seconds = timings.command_seconds + (wait.seconds if wait else 0)
        shard.on_moved(self._leave)
        self._redis_connection: Any = None  # of redis-py, whose connections have no types
        self._wire: Wire | None = None
        self._waiting: list[_Command] = []
        self._sender: asyncio.Task[None] | None = None
        self._patience = SharedTimeout(self._answer_seconds, _give_up)
        self._batch_patience = SharedTimeout(self._answer_seconds, _give_up)
        self._looked = False

    async def call(self, *command: Any) -> Any:
        """See `Connection.call`."""
        return await self._answer(command[0], pack_command(command), is_asking=False)

    async def call_asking(self, *command: Any) -> Any:
        """Like `call`, at a node that is about to take over what is asked for."""
        packed = pack_command(("ASKING",)) + pack_command(command)
        return await self._answer(command[0], packed, is_asking=True)

    async def _answer(self, name: str, packed: bytes, *, is_asking: bool) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((name, packed, is_asking, answer))
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
        sent_s = time.perf_counter()
        try:
            answers = await self._exchange(batch)
        except BaseException as error:
            await self._hang_up()  # what it says now could be taken for another answer
            if not isinstance(error, Exception):
                raise
            if not isinstance(error, (StoreUnavailable, RuntimeError, *UNAVAILABLE)):  # see LOST
                log.exception("store_exchange_failed")
            why = str(error) if isinstance(error, StoreUnavailable) else repr(error)
            answers = [StoreUnavailable(why)] * len(batch)
        finally:
            self.metrics.store_round_trip.observe(time.perf_counter() - sent_s)
        errors = []
        for (*_, future), answer in zip(batch, answers, strict=True):
            if isinstance(answer, Exception):
                errors.append(answer)
                _settle_by(future, answer)
            elif not future.done():
                future.set_result(answer)
        if errors:
            await self._hear(errors)

    async def _hear(self, errors: Sequence[Exception]) -> None:
        if self._shard.redirects:
            errors = [error for error in errors if not is_redirection(error)]
        if any(map(says_elsewhere, errors)):
            log.warning("store_is_not_the_primary")
            await self._hang_up()  # and look for the primary again

    async def _exchange(self, batch: list[_Command]) -> list[Any]:
        """The answers to the commands, of which some may be errors."""
        wire = self._wire
        if wire is None or self._is_to_be_looked_at or not wire.is_usable:
            async with asyncio.timeout(self._answer_seconds):
                wire = await self._connected()
        packed = b"".join([packed for _, packed, _, _ in batch])
        said = await self._replies(
            # In the same write: whatever answers both is one and the same primary.
            wire.exchange(packed + self._wait.command, _replies_to(batch) + 1)
            if self._wait
            else wire.exchange(packed, _replies_to(batch))
        )
        replies = iter(said)
        answers = []
        for name, _, is_asking, _ in batch:
            if is_asking:
                next(replies)
            answers.append(self._understood(name, next(replies)))
        if self._wait and (missing := self._wait.missing(confirmed := next(replies))):
            self.metrics.waits_unmet.inc()
            log.warning("replicas_did_not_confirm", why=missing)
            if isinstance(confirmed, Exception):
                raise StoreUnavailable(missing)  # it is no primary any more: it is left
            return [StoreUnavailable(missing)] * len(batch)
        return answers

    async def _replies(self, sent: "asyncio.Future[list[Any]]") -> list[Any]:
        self._batch_patience.start(sent)
        try:
            return await sent
        finally:
            self._batch_patience.cancel(sent)

    async def _ask(self, wire: Wire, *commands: Sequence[Any]) -> list[Any]:
        packed = b"".join(pack_command(tuple(words)) for words in commands)
        replies = await wire.exchange(packed, len(commands))
        asked = zip(commands, replies, strict=True)
        return [self._understood(words[0], reply) for words, reply in asked]

    def _understood(self, name: str, reply: Any) -> Any:
        if not isinstance(reply, Exception):
            return self._shard.understand(name, reply)
        if not isinstance(reply, exceptions.ResponseError):
            raise reply  # such as LOADING: it is of no use now, whatever else it says
        return reply

    async def _connected(self) -> Wire:
        # Without a request nothing comes on this connection but its end.
        if self._wire is not None and not self._wire.is_usable:
            await self._hang_up()
        if self._wire is None:
            self._redis_connection = await self._shard.connect()
            self._wire = Wire(self._redis_connection)
            self._looked = False
        if self.look is not None and not self._looked:
            await self.look(self._shard.name, partial(self._ask, self._wire))
            self._looked = True
        return self._wire

    @property
    def _is_to_be_looked_at(self) -> bool:
        return self.look is not None and not self._looked

    def _leave(self) -> None:
        """The primary is another one: what this one says no longer counts."""
        if self._redis_connection is not None:
            abort(self._redis_connection)

    async def _hang_up(self) -> None:
        connection, self._redis_connection = self._redis_connection, None
        self._wire = None
        if connection is not None:
            await connection.disconnect(nowait=True)


def _give_up(answer: "asyncio.Future[Any]") -> None:
    if not answer.done():
        answer.set_exception(StoreUnavailable("no answer in time"))


def _settle_by(future: "asyncio.Future[Any]", error: Exception) -> None:
    if future.done():
        return
    if is_redirection(error):
        future.set_exception(Redirected(error))
    elif is_unavailable(error):
        future.set_exception(StoreUnavailable(str(error)))
    else:
        future.set_exception(error)


def _replies_to(batch: Sequence[_Command]) -> int:
    return len(batch) + sum(is_asking for _, _, is_asking, _ in batch)
