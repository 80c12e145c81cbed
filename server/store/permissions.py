"""What a server's user at the store has to be permitted."""

from collections.abc import Iterable, Iterator
from typing import Final

from protocol import ids
from server.store import keys
from server.store.channels import Channels

Permission = tuple[str, ...]
"""A command that the user has to be allowed to run."""

_OF_ONE_KEY: Final = (
    *("DEL", "EXISTS", "PERSIST", "PEXPIRE", "PTTL", "GET", "SET"),
    *("HDEL", "HGET", "HGETALL", "HINCRBY", "HLEN", "HMGET", "HSET", "HSETNX"),
    *("LLEN", "LRANGE", "RPUSH", "XADD", "XLEN", "XRANGE", "XTRIM"),
    *("ZADD", "ZCARD", "ZMSCORE", "ZRANGE", "ZRANGEBYSCORE", "ZREM", "ZREVRANGE", "ZSCORE"),
    "ZREMRANGEBYSCORE",
)
_SOMEBODY: Final = "somebody"
_SHA: Final = "0" * 40


def permissions(
    tables: Iterable[str], channels: Channels, *, replicas: bool = False, cluster: bool = False
) -> Iterator[Permission]:
    """All that a server of these tables needs, by the example of one lobby each; with `replicas`
    it waits for them, in a `cluster` it asks where its slots are."""
    if cluster:
        yield from (("CLUSTER", "INFO"), ("CLUSTER", "SLOTS"), ("ASKING",))
    if replicas:
        yield ("WAIT", "1", "1")
    yield from (("TIME",), ("PING",), ("SCRIPT", "LOAD", "return"), ("EVALSHA", _SHA, "0"))
    for place, table in enumerate(tables):
        used = _keys(table)
        yield from (("EVALSHA", _SHA, "1", key) for key in used)
        if replicas:
            yield ("SET", keys.confirmation(table), "")
        if place == 0:
            yield from ((command, used[0]) for command in _OF_ONE_KEY)
        channels_of_table = (
            keys.events(_lobby_id(table)),
            keys.front_desk(table),
            keys.payouts(table),
        )
        for channel in (*channels_of_table, keys.reception(_SOMEBODY)):
            yield (channels.publish, channel, "")
            yield (channels.subscribe, channel)
            yield (channels.unsubscribe, channel)
    yield from (("HSET", keys.NODES), ("HDEL", keys.NODES), ("HGETALL", keys.NODES))
    yield from (("SADD", keys.TABLES), ("SMEMBERS", keys.TABLES), ("HSETNX", keys.UNMATCHED))
    yield from (("EVALSHA", _SHA, "1", keys.OPERATOR_LOG), ("XRANGE", keys.OPERATOR_LOG))
    yield from ((command, keys.MASTER_RESTRICTIONS) for command in ("HMGET", "HGETALL", "HSET"))
    yield from ((command, keys.LIMITED) for command in ("SADD", "SCARD", "SMISMEMBER"))
    for key in (keys.LIMITED, keys.limits(_SOMEBODY), keys.seating(_SOMEBODY)):
        yield ("EVALSHA", _SHA, "1", key)
    yield from ((command, keys.limits(_SOMEBODY)) for command in ("EXISTS", "HGETALL"))
    yield ("SET", keys.seating(_SOMEBODY))
    yield from ((command, keys.UNMATCHED) for command in ("HSCAN", "HDEL", "HGET"))


def _keys(table: str) -> list[str]:
    """A key of each kind, and the channels, which scripts name among their keys."""
    lobby_id = _lobby_id(table)
    return [
        keys.lobby(lobby_id),
        keys.player(lobby_id, _SOMEBODY),
        keys.numbers_called(lobby_id),
        keys.events(lobby_id),
        keys.proof(lobby_id),
        keys.active_lobbies(table),
        keys.openings(table),
        keys.timers(table),
        keys.seats(table, _SOMEBODY),
        keys.spent(table, _SOMEBODY),
        keys.invoice(ids.invoice_id(lobby_id, bytes(8))),
        keys.ledger(table),
        keys.settled(table),
        keys.checkpoint(table),
        keys.ended(table),
        keys.closed_invoices(table),
        keys.restrictions(table),
        keys.operator_outbox(table),
        keys.front_desk(table),
        keys.payouts(table),
    ]


def _lobby_id(table: str) -> str:
    return ids.lobby_id(table, bytes(6))
