"""The connection to the store: commands that are issued together travel together."""

import asyncio
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib.resources import files
from typing import Any, Final

import structlog
from hiredis import pack_command
from redis import exceptions

from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.shared_timeout import SharedTimeout
from server.store.errors import Redirected, StoreUnavailable
from server.store.replica_wait import NO_WAIT, ReplicaWait
from server.store.timings import TIMINGS, StoreTimings
from server.store.topology import Shard, abort

_BATCH: Final = 512

_UNAVAILABLE = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.NoPermissionError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
    OSError,
)
# What a store says when it is there but cannot take the write now, and redis-py has no class for.
# Redis 6 puts what a script's command was refused with into a text of the script's own.
_REFUSING: Final = re.compile("^ACL failure in script|(?:^|-)(?:MISCONF|NOREPLICAS|BUSY|OOM) ")
_ELSEWHERE: Final = (
    exceptions.ReadOnlyError,
    exceptions.MasterDownError,
    exceptions.ClusterDownError,
    exceptions.BusyLoadingError,
    exceptions.AskError,  # of which MOVED is one
)
_REDIRECTIONS: Final = (exceptions.AskError, exceptions.TryAgainError)  # MOVED is an AskError
# What a script says that reads more than the keys that it was given, when some are moving.
_MOVING: Final = re.compile("attempted to access a non local key")
_ASKING: Final = "ASKING"
_ELSEWHERE_IN_SCRIPT: Final = re.compile("-(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|MOVED|ASK) ")

log = structlog.get_logger(__name__)

_Command = tuple[str, bytes, "asyncio.Future[Any]"]
"""The name of a command, the packed whole, and who waits for its answer."""

Ask = Callable[..., Awaitable[list[Any]]]
"""`await ask(command, ...)`: the answers to commands, of which some may be errors; each command is
a sequence of its words. All go out in one write."""


class Script:
    """One Lua script, by the name of its file."""

    def __init__(self, name: str) -> None:
        self.source = files("server.store").joinpath("lua", f"{name}.lua").read_text()
        self.sha: str | None = None


class Connection(ABC):
    """The store, for commands of one table each: whoever uses it need not know where that is."""

    look: Callable[[str, Ask], Awaitable[None]] | None = None
    """Awaited with the name of the shard whenever a connection was made anew, before any command
    goes out on it: whatever it asks is answered by the store that they will reach. If it raises,
    the connection is given up."""

    def __init__(self, clock: StoreClock, metrics: Metrics) -> None:
        self._clock = clock
        self.metrics = metrics

    @abstractmethod
    async def call(self, *command: Any) -> Any:
        """The store's answer to one command.

        Raises StoreUnavailable after `timings.command` (and the wait) at most, or
        redis.ResponseError if the command itself is wrong.
        """

    @abstractmethod
    async def look_again(self) -> None:
        """Have the store looked at as if it were a new one. Raises StoreUnavailable."""

    @property
    @abstractmethod
    def shards(self) -> Sequence[str]:
        """The names of the shards that there are."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Commands that wait to be sent."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what was sent and close."""

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """The answer of a script; it must not have written before it can fail."""
        if script.sha is None:
            script.sha = await self.call("SCRIPT", "LOAD", script.source)
        try:
            return await self.call("EVALSHA", script.sha, len(keys), *keys, *args)
        except exceptions.NoScriptError:
            return await self.call("EVAL", script.source, len(keys), *keys, *args)

    async def run_timed(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Like `run`, for a script whose answer ends with the store's time, which sets the clock.
        Returns the answer without it."""
        sent_ms = self._clock.monotonic_ms()
        *answer, seconds, microseconds = await self.run(script, keys, args)
        self._observe(seconds, microseconds, sent_ms)
        return answer

    async def set_clock(self) -> None:
        """Set the clock, which is this machine's until the store's time was seen once."""
        sent_ms = self._clock.monotonic_ms()
        seconds, microseconds = await self.call("TIME")
        self._observe(seconds, microseconds, sent_ms)

    def _observe(self, seconds: Any, microseconds: Any, sent_ms: float) -> None:
        store_ms = int(seconds) * 1000 + int(microseconds) / 1000
        self._clock.observe(store_ms, sent_ms, self._clock.monotonic_ms())


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
            if not isinstance(error, (StoreUnavailable, RuntimeError, *_UNAVAILABLE)):  # see LOST
                log.exception("store_exchange_failed")
            answers = [StoreUnavailable(repr(error))] * len(batch)
        for (*_, future), answer in zip(batch, answers, strict=True):
            _settle(future, answer)
        said = (answer for answer in answers if isinstance(answer, Exception))
        if self._shard.redirects:
            said = (answer for answer in said if not _is_redirection(answer))
        if any(map(_says_elsewhere, said)):
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
        # Nothing comes unasked on this connection but its end.
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
    elif _is_redirection(answer):
        future.set_exception(Redirected(answer))
    elif _is_unavailable(answer):
        future.set_exception(StoreUnavailable(str(answer)))
    else:
        future.set_exception(answer)


def _is_redirection(error: Exception) -> bool:
    return isinstance(error, _REDIRECTIONS) or _MOVING.search(str(error)) is not None


def _is_unavailable(error: Exception) -> bool:
    if isinstance(error, (StoreUnavailable, *_UNAVAILABLE)) or _says_elsewhere(error):
        return True
    return _REFUSING.search(str(error)) is not None


def _says_elsewhere(error: Exception) -> bool:
    """Whether this says that the store is not, or not yet, the primary of what was asked for."""
    return isinstance(error, _ELSEWHERE) or _ELSEWHERE_IN_SCRIPT.search(str(error)) is not None
