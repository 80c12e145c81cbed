"""The shards that a URL of the store names."""

from server.runtime.store_url import read_store_url
from server.store.sentinel import SentinelShard
from server.store.timings import TIMINGS, StoreTimings
from server.store.topology import PlainShard, Shard


def open_shard(
    url: str, sentinel_password: str | None = None, timings: StoreTimings = TIMINGS
) -> Shard:
    """The one shard of a URL that is plain or names sentinels."""
    parts = read_store_url(url)
    if parts.kind == "plain":
        return PlainShard(url, timings)
    return SentinelShard(parts.template, parts.nodes, parts.name, sentinel_password, timings)
