"""The primary that sentinels name."""

import asyncio
import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from redis.exceptions import AuthenticationError, ResponseError

from server.runtime.store_url import Address
from server.runtime.tasks import end
from server.store.errors import LOST, StoreUnavailable, WrongTopology
from server.store.first_answers import first_answers
from server.store.timings import TIMINGS, StoreTimings
from server.store.topology import Place, Shard, is_primary, open_redis, primary_of, resolved

ASK_SECONDS: Final = 1.0
"""From one question to the next."""
LISTEN_SECONDS: Final = 60.0
"""A sentinel that has sent nothing for so long is connected to anew: it may be dead."""
CANCEL_AGAIN_SECONDS: Final = 0.1
HINTS: Final = ("+switch-master", "+promoted-slave")
"""What a sentinel publishes when a primary moved, or is about to."""

_NO_SENTINEL: Final = "unknown command"
"""The error of a store, where a sentinel is expected."""

log = structlog.get_logger(__name__)

Credentials = tuple[str | None, str | None]
"""A user and a password."""


@dataclass(frozen=True, slots=True)
class Named:
    """The answer of a sentinel: the address of the primary, and how many fail-overs led to it."""

    address: Address
    epoch: int


class Sentinel:
    """One sentinel, and one connection to it on which it is asked. `credentials` are tried in
    turn, those first that it took before. `url` is a plain one, for all but the address."""

    def __init__(
        self,
        url: str,
        address: Address,
        name: str,
        credentials: Iterable[Credentials],
        timings: StoreTimings = TIMINGS,
    ) -> None:
        self.address = address
        self._redis = open_redis(url, timings)
        self._name = name
        self._credentials = list(credentials)
        self._ask_seconds = timings.ask_seconds
        self._connection: Any = None
        self._asking = asyncio.Lock()

    async def connect(self) -> Any:
        """A new connection. Raises one of LOST."""
        *others, last = self._credentials
        for credentials in others:
            with suppress(AuthenticationError):
                return await self._connect(credentials)
        return await self._connect(last)

    async def ask(self) -> Named:
        """What it says now. Raises StoreUnavailable, or one of LOST."""
        async with self._asking:
            try:
                async with asyncio.timeout(self._ask_seconds):
                    if self._connection is None:
                        self._connection = await self.connect()
                    return await self._ask(self._connection)
            except BaseException:
                await self.close()  # what it says later would be taken for another answer
                raise

    async def close(self) -> None:
        """Close the connection on which it is asked."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _connect(self, credentials: Credentials) -> Any:
        pool: Any = self._redis.connection_pool
        host, port = self.address.host, self.address.port
        user, password = credentials
        own = {"host": host, "port": port, "username": user, "password": password, "db": 0}
        connection = pool.connection_class(**pool.connection_kwargs | own)
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._credentials.remove(credentials)
        self._credentials.insert(0, credentials)
        return connection

    async def _ask(self, connection: Any) -> Named:
        await connection.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)
        try:
            at = await connection.read_response()
        except ResponseError as error:
            if _NO_SENTINEL not in str(error):
                raise
            raise WrongTopology(f"{self.address} is no sentinel") from None
        if at is None:
            raise StoreUnavailable(f"the sentinel {self.address} knows no primary of that name")
        await connection.send_command("SENTINEL", "MASTER", self._name)
        flat = await connection.read_response()
        about = dict(zip(flat[::2], flat[1::2], strict=True))
        return Named(Address(at[0], int(at[1])), int(about["config-epoch"]))


class SentinelShard(Shard):
    """The primary that the sentinels at `addresses` call `name`.

    All are asked at the same time, so that it does not matter which are away. Of two that differ
    the one counts that knows of more fail-overs, and none is believed that names a replica. They
    are asked every second, and listened to as well: one that knows says so at once.
    """

    kind = "sentinel"

    def __init__(
        self,
        url: str,
        addresses: Sequence[Address],
        name: str,
        sentinel_password: str | None = None,
        timings: StoreTimings = TIMINGS,
    ) -> None:
        super().__init__(url, timings)
        options = self._redis.connection_pool.connection_kwargs
        user, password = options.get("username"), options.get("password")
        # The store's password may be theirs, and one who has none may be asked without.
        guesses = [(user, password), (None, None)]
        if sentinel_password is not None:
            guesses = [(user, sentinel_password), (None, sentinel_password)]
        credentials = dict.fromkeys(guesses)
        self._sentinels = [Sentinel(url, at, name, credentials, timings) for at in addresses]
        self._tasks: list[asyncio.Task[None]] = []
        self._hint = asyncio.Event()

    async def places(self) -> Sequence[Place]:
        """What the sentinels name: every address of each, the latest first."""
        found: dict[Place, None] = {}
        for named in await self._named():
            with suppress(OSError):
                at = await resolved(named.address.host, named.address.port, named.epoch)
                found.update(dict.fromkeys(at))
        return list(found)

    async def check(self) -> None:
        """See `Shard.check`."""
        await self._named()

    def start(self) -> None:
        """Ask and listen from now on."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._keep_asking())]
            self._tasks += [asyncio.create_task(self._listen(each)) for each in self._sentinels]

    async def stop(self) -> None:
        """End that, and close all connections to sentinels."""
        # Again and again: redis-py may forget it.
        await end(*self._tasks, again_seconds=CANCEL_AGAIN_SECONDS)
        for sentinel in self._sentinels:
            await sentinel.close()
        await super().stop()

    async def _will_do(self, connection: Any, places: Sequence[Place]) -> bool:
        return await is_primary(connection)

    async def _elsewhere(self, replica: Any) -> Sequence[Place]:
        """After a fail-over that they were not asked for, the sentinels name for a while what has
        become a replica: it knows of whom."""
        leads = await primary_of(replica)
        return [] if leads is None else await resolved(leads.host, leads.port)

    async def _named(self) -> Sequence[Named]:
        """The answers of those sentinels that answer, the latest first. Raises StoreUnavailable
        when none does, WrongTopology when those that do are none."""
        asked = {f"the sentinel {each.address}": each.ask() for each in self._sentinels}
        return sorted(await first_answers(asked), key=lambda named: -named.epoch)

    async def _keep_asking(self) -> None:
        while True:
            self._hint.clear()
            try:
                await self._look()
            except (StoreUnavailable, *LOST) as error:
                log.info("primary_not_known", error=str(error))
            except Exception:
                log.exception("sentinels_failed")  # a later look may do better
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK_SECONDS):
                    await self._hint.wait()

    async def _look(self) -> None:
        """Leave the primary if the sentinels name another one, and it is one."""
        places, last = await self.places(), self._last
        # One that was away meanwhile may still name the old one.
        if last is None or not places or places[0].epoch < last.epoch:
            return
        if places[0] == last:
            self._last = places[0]
            return
        connection = await self.connect()
        await connection.disconnect(nowait=True)

    async def _listen(self, sentinel: Sentinel) -> None:
        while True:
            connection: Any = None
            try:
                connection = await sentinel.connect()
                await connection.send_command("SUBSCRIBE", *HINTS)
                while True:
                    async with asyncio.timeout(LISTEN_SECONDS):
                        kind, *_ = await connection.read_response(timeout=math.inf)
                    if kind == "message":
                        self._hint.set()
            except LOST:  # it is asked as well
                await asyncio.sleep(ASK_SECONDS)
            except Exception:
                log.exception("sentinels_failed")
                await asyncio.sleep(ASK_SECONDS)
            finally:
                if connection is not None:
                    await connection.disconnect(nowait=True)
