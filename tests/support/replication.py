"""A primary and its replicas: their roles, and how tests change them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import redis as sync_redis
from redis import RedisError
from redis.asyncio import Redis

from server.dev.store import EmbeddedStore
from tests.support.store_content import command
from tests.support.wait import until


def address(url: str) -> tuple[str, int]:
    """Host and port."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@contextmanager
def replica_of(primary: EmbeddedStore, directory: Path, *options: str) -> Iterator[EmbeddedStore]:
    """A store that begins as a replica of another one, with further options."""
    host, port = address(primary.url)
    with sync_redis.Redis.from_url(primary.url) as redis:
        redis.config_set(
            "repl-diskless-sync-delay", 0
        )  # a synchronisation waits for no other replica
    store = EmbeddedStore(directory)
    store.options = ["--replicaof", f"{host} {port}", *options]
    with store:
        yield store


async def ask(store: EmbeddedStore, *words: object) -> object:
    """The store's answer to a command, on a connection of its own."""
    async with Redis.from_url(store.url, decode_responses=True) as redis:
        return await command(redis, *words)


async def has_role(store: EmbeddedStore, role: str) -> bool:
    """Whether it is a `master` or a `slave`, as the store has it; false if it does not say."""
    try:
        answer = await ask(store, "ROLE")
    except (RedisError, OSError):
        return False
    return isinstance(answer, list) and answer[0] == role


async def is_in_sync(replica: EmbeddedStore) -> bool:
    """Whether its link to the primary is up, which it is after the first synchronisation."""
    try:
        async with Redis.from_url(replica.url) as redis:
            return bool((await redis.info("replication")).get("master_link_status") == "up")
    except (RedisError, OSError):
        return False


async def switch_over(
    primary: EmbeddedStore, replica: EmbeddedStore, move: Callable[[], None]
) -> None:
    """Switch over by hand, step by step as the operator's guide says: writes are paused until the
    replica has all of them, and both change their roles. `move` has the address lead to it."""
    async with (
        Redis.from_url(primary.url, decode_responses=True) as old,
        Redis.from_url(replica.url, decode_responses=True) as new,
    ):
        await command(old, "CLIENT", "PAUSE", 2_000, "WRITE")
        wanted = (await old.info("replication"))["master_repl_offset"]

        async def has_all() -> bool:
            return bool((await new.info("replication"))["slave_repl_offset"] >= wanted)

        await until(has_all)
        await command(new, "REPLICAOF", "NO", "ONE")
        move()
        await command(old, "REPLICAOF", *address(replica.url))
        await command(old, "CLIENT", "UNPAUSE")


def pause(store: EmbeddedStore) -> None:
    """Make it hang (SIGSTOP)."""
    os.kill(store.pid, signal.SIGSTOP)


def resume(store: EmbeddedStore) -> None:
    """Let it go on (SIGCONT)."""
    os.kill(store.pid, signal.SIGCONT)
