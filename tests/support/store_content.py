"""All that is in a store, read key by key: for tests only, a server never looks at the whole."""

from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

Content = Mapping[str, Any]


async def store_content(redis: Redis) -> Content:
    """Every key with its value, and for those that expire also whether they do; but for what the
    nodes write about themselves and their tables."""
    found: dict[str, Any] = {}
    async for key in redis.scan_iter(count=1_000):
        found[key] = (await _value(redis, key), await redis.pttl(key) >= 0)
    for kind in ("nodes", "tables"):
        found.pop(kind, None)
    return found


async def command(redis: Redis, *words: Any) -> Any:
    """The store's answer to any command."""
    return await redis.execute_command(*words)  # type: ignore[no-untyped-call]


async def _value(redis: Redis, key: str) -> Any:
    match await redis.type(key):
        case "hash":
            return await redis.hgetall(key)
        case "list":
            return await redis.lrange(key, 0, -1)
        case "set":
            return await redis.smembers(key)
        case "zset":
            return await redis.zrange(key, 0, -1, withscores=True)
        case "stream":
            return await redis.xrange(key)
        case "string":
            return await redis.get(key)
        case other:
            raise AssertionError(f"{key} is a {other!r}")


async def ledger(redis: Redis, table: str) -> list[dict[str, str]]:
    """The entries of a table's ledger, oldest first."""
    return [entry for _, entry in await command(redis, "XRANGE", f"ledger:{{{table}}}", "-", "+")]


async def backup(url: str) -> dict[Any, Any]:
    """All that is in the store, as it keeps it itself."""
    async with Redis.from_url(url) as redis:
        return {key: await redis.dump(key) for key in await redis.keys()}


async def restore(url: str, content: dict[Any, Any]) -> None:
    """Put a backup in the place of all that is in the store."""
    async with Redis.from_url(url) as redis:
        await redis.flushall()
        for key, value in content.items():
            await redis.restore(key, 0, value, replace=True)
