"""What a node of a newer version writes: records of lobbies that this version need not know."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from redis.asyncio import Redis

from server.store import keys
from server.store.log import Record, Snapshot, read_position, record_hash
from tests.support.game import Node
from tests.support.store_content import command


@dataclass(slots=True)
class RecordingListener:
    """A listener to any lobbies: the versions that it is notified of, and the resets."""

    versions: dict[str, list[int]] = field(default_factory=dict)
    resets: dict[str, Snapshot] = field(default_factory=dict)

    def happened(self, lobby_id: str, _snapshot: Snapshot, records: Sequence[Record]) -> None:
        """See `ReplicaListener`."""
        self.versions.setdefault(lobby_id, []).extend(r.position.version for r in records)

    def invoice_changed(self, lobby_id: str, alien_id: str) -> None:
        """See `ReplicaListener`."""

    def reset(self, lobby_id: str, snapshot: Snapshot) -> None:
        """See `ReplicaListener`."""
        self.resets[lobby_id] = snapshot

    def gone(self, lobby_id: str) -> None:
        """See `ReplicaListener`."""


async def listen(node: Node, *lobby_ids: str) -> RecordingListener:
    """A listener to these lobbies on the node from now on."""
    listener = RecordingListener()
    node.replicas.listener = listener
    for lobby_id in lobby_ids:
        assert await node.replicas.acquire(lobby_id)
    return listener


async def append(
    redis: Redis, lobby_id: str, kind: str, data: dict[str, Any], **changes: str
) -> int:
    """Commit an event with this data, which changes these fields of the lobby's hash: the version
    of the lobby after it."""
    stored = read_position(await command(redis, "HGETALL", keys.lobby(lobby_id)))
    seq, version = stored.seq + 1, stored.version + 1
    entry = {
        "version": str(version),
        "at": repr(stored.at_ms),
        "type": kind,
        "data": orjson.dumps(data).decode(),
        "previous": stored.hash,
        "event": f"new_{kind}",
        "message": orjson.dumps({"seq": seq, "at": stored.at_ms, "new": True}).decode(),
        "a_new_field": "?",
    }
    hashed = record_hash(f"{seq}-0", entry)
    now = changes | {"version": str(version), "seq": str(seq), "minor": "0", "hash": hashed}
    message = f"{version} {hashed}\n{orjson.dumps([[f'{seq}-0', entry]]).decode()}"
    await command(redis, "XADD", keys.events(lobby_id), f"{seq}-0", *flat(entry))
    await command(redis, "HSET", keys.lobby(lobby_id), *flat(now))
    await command(redis, "SPUBLISH", keys.events(lobby_id), message)
    return version


def flat(fields: dict[str, str]) -> list[str]:
    """Names and values in turn."""
    return [part for pair in fields.items() for part in pair]
