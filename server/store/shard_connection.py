"""The connection to one shard: commands that are issued together travel together."""

import asyncio
import time
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from hiredis import pack_command

from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.shared_timeout import SharedTimeout
from server.store.answers import UNAVAILABLE, is_redirection, is_unavailable, says_elsewhere
from server.store.connection import Connection
from server.store.errors import Redirected, StoreUnavailable
from server.store.replica_wait import NO_WAIT, ReplicaWait
from server.store.shard_wire import ShardWire, understood
from server.store.timings import TIMINGS, StoreTimings
from server.store.topology import Shard
from server.store.wire import Wire

_BATCH: Final = 512

log = structlog.get_logger(__name__)

_Command = tuple[str, bytes, bool, "asyncio.Future[Any]"]
"""The name of a command, the packed whole, whether ASKING goes before it and has an answer of its
own, and who waits for the command's."""


@dataclass(slots=True, eq=False)
class _Batch:
    """Commands that travel together, from this instant on, over that wire."""

    commands: Sequence[_Command]
    started_s: float
    wire: Wire | None = None


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
        self._wire = ShardWire(shard)
        self._waiting: list[_Command] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._mending: asyncio.Task[None] | None = None
        self._answer_timeout = SharedTimeout(self._answer_seconds, _give_up)
        self._batch_timeout = SharedTimeout(self._answer_seconds, _give_up_batch)

    def call(self, *command: Any) -> "asyncio.Future[Any]":
        """See `Connection.call`."""
        return self._answer(command[0], pack_command(command), is_asking=False)

    def call_asking(self, *command: Any) -> "asyncio.Future[Any]":
        """Like `call`, at a node that is about to take over what is asked for."""
        packed = pack_command(("ASKING",)) + pack_command(command)
        return self._answer(command[0], packed, is_asking=True)

    def _answer(self, name: str, packed: bytes, *, is_asking: bool) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((name, packed, is_asking, answer))
        if self._idle.is_set():
            self._idle.clear()
            # With what others ask for in the same pass; and with no context, since what is logged
            # of a connection is not of who happens to ask first.
            loop.call_soon(self._send_waiting, context=Context())
        self._answer_timeout.start(answer)
        return answer

    async def look_again(self) -> None:
        """Have the connection looked at as if it were a new one. Raises StoreUnavailable."""
        self._wire.look_again()
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
        await self._idle.wait()
        await self._wire.hang_up()

    def _send_waiting(self) -> None:
        """Send what waits, in one batch; what comes meanwhile goes out after its answers."""
        commands: list[_Command] = []
        while self._waiting and not commands:
            commands, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            commands = _wanted(commands)
        if not commands:
            self._idle.set()
            return
        batch, wire = _Batch(commands, time.perf_counter()), self._wire.ready(self.look)
        if wire is None:
            self._mending = asyncio.create_task(self._connect_and_send(batch))
        else:
            self._send(batch, wire)

    async def _connect_and_send(self, batch: _Batch) -> None:
        try:
            async with asyncio.timeout(self._answer_seconds):
                wire = await self._wire.connected(self.look)
        except BaseException as error:
            await self._fail(batch, error)
            if not isinstance(error, Exception):
                raise
        else:
            batch.commands = _wanted(batch.commands)
            if batch.commands:
                self._send(batch, wire)
            else:
                self._send_waiting()

    def _send(self, batch: _Batch, wire: Wire) -> None:
        batch.wire = wire
        self._batch_timeout.start(batch)
        packed = b"".join([packed for _, packed, _, _ in batch.commands])
        answers = len(batch.commands) + sum(is_asking for _, _, is_asking, _ in batch.commands)
        if self._wait:
            # In the same write: whatever answers both is one and the same primary.
            packed, answers = packed + self._wait.command, answers + 1
        wire.exchange(packed, answers, partial(self._take_replies, batch))

    def _take_replies(self, batch: _Batch, replies: list[Any] | Exception) -> None:
        self._batch_timeout.cancel(batch)
        if isinstance(replies, Exception):
            self._mending = asyncio.create_task(self._fail(batch, replies))
            return
        try:
            answers = self._answers(batch.commands, replies)
        except Exception as error:  # noqa: BLE001 - raised to each of them
            self._mending = asyncio.create_task(self._fail(batch, error))
            return
        self._observe_round_trip(batch)
        errors = []
        for (*_, future), answer in zip(batch.commands, answers, strict=True):
            self._answer_timeout.cancel(future)
            if isinstance(answer, Exception):
                errors.append(answer)
                _settle_by(future, answer)
            elif not future.done():
                future.set_result(answer)
        if errors and self._says_elsewhere(errors):
            log.warning("store_is_not_the_primary")
            self._mending = asyncio.create_task(self._look_elsewhere())
        else:
            self._send_waiting()

    async def _fail(self, batch: _Batch, error: BaseException) -> None:
        """Tell all of a batch that it is not known what became of it."""
        foreseen = (StoreUnavailable, RuntimeError, *UNAVAILABLE)  # see LOST
        if isinstance(error, Exception) and not isinstance(error, foreseen):
            log.error("store_exchange_failed", exc_info=error)
        why = str(error) or type(error).__name__  # a time-out has no words of its own
        try:
            await self._wire.hang_up()  # what it says now could be taken for another answer
        finally:
            self._observe_round_trip(batch)
            for *_, future in batch.commands:
                self._answer_timeout.cancel(future)
                _settle_by(future, StoreUnavailable(why))
            self._send_waiting()

    async def _look_elsewhere(self) -> None:
        try:
            await self._wire.hang_up()  # and look for the primary again
        finally:
            self._send_waiting()

    def _observe_round_trip(self, batch: _Batch) -> None:
        self.metrics.store_round_trip.observe(time.perf_counter() - batch.started_s)

    def _says_elsewhere(self, errors: Sequence[Exception]) -> bool:
        if self._shard.redirects:
            errors = [error for error in errors if not is_redirection(error)]
        return any(map(says_elsewhere, errors))

    def _answers(self, commands: Sequence[_Command], received: Sequence[Any]) -> list[Any]:
        """The answers to the commands, of which some may be errors."""
        replies = iter(received)
        answers = []
        for name, _, is_asking, _ in commands:
            if is_asking:
                next(replies)
            answers.append(understood(self._shard, name, next(replies)))
        if self._wait and (missing := self._wait.missing(confirmed := next(replies))):
            self.metrics.waits_unmet.inc()
            log.warning("replicas_did_not_confirm", why=missing)
            if isinstance(confirmed, Exception):
                raise StoreUnavailable(missing)  # it is no primary any more: it is left
            return [StoreUnavailable(missing)] * len(commands)
        return answers


def _wanted(commands: Sequence[_Command]) -> list[_Command]:
    """Those that somebody still waits for: whoever has given up must not have the command carried
    out behind their back."""
    return [command for command in commands if not command[-1].done()]


def _give_up(answer: "asyncio.Future[Any]") -> None:
    if not answer.done():
        answer.set_exception(StoreUnavailable("no answer in time"))


def _give_up_batch(batch: _Batch) -> None:
    if batch.wire is not None:
        batch.wire.give_up(StoreUnavailable("no answer in time"))


def _settle_by(future: "asyncio.Future[Any]", error: Exception) -> None:
    if future.done():
        return
    if is_redirection(error):
        future.set_exception(Redirected(error))
    elif is_unavailable(error):
        future.set_exception(StoreUnavailable(str(error)))
    else:
        future.set_exception(error)
