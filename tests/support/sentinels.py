"""Three sentinels as processes, with the primary and the replica that they watch."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import redis as sync_redis
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.dev.ports import free_port
from server.dev.store import EmbeddedStore
from server.dev.store_binary import find_store_binary
from server.runtime.die_with_parent import die_with_parent
from tests.support.replication import address, has_role, is_in_sync, replica_of
from tests.support.store_content import command
from tests.support.wait import until

NAME = "games"
DOWN_MS = 2_000
"""After so long without an answer a sentinel takes a store for down."""


class Sentinel:
    """One sentinel; `lines` are further ones of its configuration."""

    def __init__(self, directory: Path, primary_url: str, quorum: int, *lines: str) -> None:
        self.port = free_port()
        directory.mkdir(parents=True)
        self._configuration = directory / "sentinel.conf"
        host, port = address(primary_url)
        own = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {directory}",
            f"sentinel monitor {NAME} {host} {port} {quorum}",
            f"sentinel down-after-milliseconds {NAME} {DOWN_MS}",
            f"sentinel failover-timeout {NAME} 5000",
        ]
        self._configuration.write_text("\n".join([*own, *lines, ""]))
        self._log = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start its process."""
        binary = find_store_binary()
        assert binary is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                die_with_parent([str(binary), str(self._configuration), "--sentinel"]),
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """End it with SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    @property
    def output(self) -> str:
        """What it logged."""
        return self._log.read_text(errors="replace")


class Sentinels:
    """A primary, a replica, and three sentinels that watch them. Their roles change with each
    fail-over, so they are asked for them."""

    def __init__(self, stores: list[EmbeddedStore], sentinels: list[Sentinel]) -> None:
        self.stores = stores
        self.sentinels = sentinels

    @property
    def url(self) -> str:
        """What `REDIS_URL` is to be."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{NAME}"

    async def primary(self) -> EmbeddedStore:
        """The store that says that it is the primary, as soon as exactly one does."""
        found: list[EmbeddedStore] = []

        async def is_one() -> bool:
            found[:] = [store for store in self.stores if await has_role(store, "master")]
            return len(found) == 1

        await until(is_one)
        return found[0]

    async def replica(self) -> EmbeddedStore:
        """The other one, as soon as it is in sync with the primary."""
        primary = await self.primary()
        (other,) = (store for store in self.stores if store is not primary)
        await until(lambda: is_in_sync(other))
        return other

    async def agree(self) -> None:
        """Return when the sentinels know each other and the replica, and name the primary that
        there is."""
        await self.replica()
        await until(self._agree)

    async def _agree(self) -> bool:
        port = str(address((await self.primary()).url)[1])
        for sentinel in self.sentinels:
            try:
                async with Redis(port=sentinel.port, decode_responses=True) as redis:
                    about: Any = await redis.sentinel_master(NAME)
            except (sync_redis.RedisError, OSError):
                return False
            known = (str(about["num-other-sentinels"]), str(about["num-slaves"]))
            if known != ("2", "1") or str(about["port"]) != port:
                return False
        return True


@contextmanager
def sentinels(directory: Path, *lines: str, options: tuple[str, ...] = ()) -> Iterator[Sentinels]:
    """A primary with a replica, both with `options`, and three sentinels with `lines`."""
    with ExitStack() as stack:
        primary = EmbeddedStore(directory / "one")
        primary.options = [*options]
        stack.enter_context(primary)
        replica = stack.enter_context(replica_of(primary, directory / "two", *options))
        watching = [Sentinel(directory / f"sentinel-{n}", primary.url, 2, *lines) for n in range(3)]
        for sentinel in watching:
            stack.callback(sentinel.kill)
            sentinel.start()
        yield Sentinels([primary, replica], watching)


async def fail_over(found: Sentinels) -> None:
    """Have a sentinel promote the replica, as an operator would; return when that is done."""
    before = await found.primary()
    async with Redis(port=found.sentinels[0].port) as redis:

        async def is_begun() -> bool:
            with suppress(ResponseError):  # it has yet to hear of the replica, or is at it
                await command(redis, "SENTINEL", "FAILOVER", NAME)
            return await _another_leads(found, before)

        await until(is_begun)


async def _another_leads(found: Sentinels, before: EmbeddedStore) -> bool:
    return any([await has_role(s, "master") for s in found.stores if s is not before])
