"""Where the primary is now: looked up each time that a connection is made.

A *shard* is one primary with its replicas. `Connection`, `Subscription` and `StoreHealthCheck`
never hold an address: they ask their shard for a connection whenever they have none, and it has
them leave the old primary as soon as another one is known.

Behind a plain address, or named by sentinels, there is one shard. A cluster has several, each with
its own connection and subscription (`cluster_node`); which of them is asked follows from the slot
of the key. All keys of a table are in one slot, so a table never has more than one shard.
"""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError

from server.runtime.store_url import Address
from server.store.errors import LOST, StoreUnavailable
from server.store.timings import TIMINGS, StoreTimings

Kind = Literal["plain", "sentinel", "cluster"]

log = structlog.get_logger(__name__)


def open_redis(url: str, timings: StoreTimings = TIMINGS) -> Redis:
    """A client of the store that never waits longer than `timings.command_seconds` and never
    repeats a command by itself: only the caller knows whether that is safe."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=timings.command_seconds,
        socket_connect_timeout=timings.command_seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a primary may be: `name` is what its certificate has to be for, `at` the address of
    that name to be tried, or None for a path. `epoch`: how many fail-overs led there."""

    name: str
    at: Address | None = None
    epoch: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return self.name if self.at is None else str(self.at)


class Shard(ABC):
    """One primary, wherever it is. `url` is a plain one, for all but the address.

    `kind` is the topology's.
    """

    kind: Kind
    name = ""
    """Which of several it is; empty where there is one."""
    redirects = False
    """Whether it redirects whoever asks for what it has not: then no answer of that kind says that
    it is not the primary."""

    def __init__(self, url: str, timings: StoreTimings = TIMINGS) -> None:
        self.timings = timings
        self._redis = open_redis(url, timings)
        readers: Any = self._redis.response_callbacks
        self._readers: dict[str, Callable[[Any], Any]] = dict(readers)
        self._on_moved: list[Callable[[], None]] = []
        self._last: Place | None = None

    @property
    def at(self) -> str | None:
        """The address of the primary that was found last, for people; None before the first."""
        return self.name or (None if self._last is None else str(self._last))

    def understand(self, command: str, answer: Any) -> Any:
        """The answer to a command (in capitals) as redis-py gives it."""
        read = self._readers.get(command)
        return answer if read is None else read(answer)

    def on_moved(self, leave: Callable[[], None]) -> None:
        """Have `leave` called whenever the primary is known to be another one."""
        self._on_moved.append(leave)

    async def connect(self, within_seconds: float | None = None) -> Any:
        """A new connection (of redis-py, whose connections have no types) to the primary.

        The places where it may be are tried in turn, and share the time: `timings.command_seconds`
        unless said otherwise. Raises StoreUnavailable, or one of LOST.
        """
        loop = asyncio.get_running_loop()
        seconds = self.timings.command_seconds if within_seconds is None else within_seconds
        end_s = loop.time() + seconds
        async with asyncio.timeout(seconds):
            places = list(await self.places())
        failed: Exception = StoreUnavailable("nobody knows where the primary is")
        for tried, place in enumerate(places):  # which may grow meanwhile
            connection = self._made(place)
            try:
                async with asyncio.timeout((end_s - loop.time()) / (len(places) - tried)):
                    await connection.connect()
                    if await self._will_do(connection, places):
                        self._found(place)
                        return connection
                    places += [at for at in await self._elsewhere(connection) if at not in places]
                failed = StoreUnavailable(f"{place} is a replica")
                await connection.disconnect(nowait=True)
            except BaseException as error:
                await connection.disconnect(nowait=True)
                if not isinstance(error, LOST):
                    raise
                failed = error
        raise failed

    @abstractmethod
    async def places(self) -> Sequence[Place]:
        """Where the primary may be now, the likeliest first. Raises one of LOST."""

    async def check(self) -> None:  # noqa: B027 - a plain address leads to whatever is there
        """Raise WrongTopology if what is asked for the primary cannot know it."""

    def start(self) -> None:  # noqa: B027 - behind a plain address nothing is watched
        """Begin to find out by itself when the primary moves, if that can be."""

    async def stop(self) -> None:
        """End that, and close what was opened for it."""
        await self._redis.aclose()

    async def _will_do(self, connection: Any, places: Sequence[Place]) -> bool:
        """Whether what was connected to is the primary."""
        return len(places) == 1 or await is_primary(connection)

    async def _elsewhere(self, _replica: Any) -> Sequence[Place]:
        """Where else the primary may be, by what a replica says."""
        return []

    def _found(self, place: Place) -> None:
        before, self._last = self._last, place
        if before is not None and before != place:
            log.warning("primary_moved", before=str(before), now=str(place))
            for leave in self._on_moved:
                leave()

    def _made(self, place: Place) -> Any:
        pool: Any = self._redis.connection_pool
        if place.at is None:
            return pool.make_connection()
        kind, options = pool.connection_class, dict(pool.connection_kwargs)
        connection = kind(**options | {"host": place.name, "port": place.at.port})
        arguments = connection._connection_arguments() | {"host": place.at.host}
        if "ssl" in arguments:
            arguments["server_hostname"] = place.name
        connection._connection_arguments = lambda: arguments
        return connection


class PlainShard(Shard):
    """The primary at one address, which its keeper may move: a name is resolved again for each
    connection. Of several addresses the one of the primary is taken."""

    kind = "plain"

    async def places(self) -> Sequence[Place]:
        """Every address that the URL's name has."""
        pool: Any = self._redis.connection_pool
        options = pool.connection_kwargs
        if "path" in options:
            return [Place(options["path"])]
        name = options.get("host", "localhost")
        found = await resolved(name, options.get("port", 6379))
        return sorted(found, key=lambda place: place != self._last)


async def resolved(name: str, port: int, epoch: int = 0) -> Sequence[Place]:
    """All addresses of a name. Raises OSError if there is none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    addresses = dict.fromkeys(Address(*info[4][:2]) for info in found)
    return [Place(name, address, epoch) for address in addresses]


def abort(connection: Any) -> None:
    """End a connection at once, whatever is under way on it: whoever waits on it gets an error."""
    if connection._writer is not None:
        connection._writer.transport.abort()


async def primary_of(replica: Any) -> Address | None:
    """Whose replica it is that a connection leads to; None if it does not say."""
    await replica.send_command("ROLE")
    try:
        role, *about = await replica.read_response()
    except NoPermissionError:
        return None
    return Address(about[0], int(about[1])) if role == "slave" else None


async def is_primary(connection: Any) -> bool:
    """Whether the store at the other end says that it is one; true if it does not say."""
    await connection.send_command("ROLE")
    try:
        role, *_ = await connection.read_response()
    except NoPermissionError:
        return True
    return bool(role == "master")
