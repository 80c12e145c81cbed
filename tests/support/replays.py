"""Replays every lobby of a store from its stream, which must lead to the hashes that are there."""

from redis.asyncio import Redis

from server.store import codec
from server.store.lobbies import Texts
from server.store.log import position_fields
from server.store.replay import Step, replay
from tests.support.game import Node
from tests.support.wait import TIMEOUT_SECONDS


def texts(step: Step) -> Texts:
    """The lobby after a step as this version writes it to the store, byte for byte."""
    lobby = step.lobby
    players = [codec.player_hash(player) for player in lobby.players.values()]
    called = [str(number) for number in lobby.called]
    return codec.lobby_hash(lobby) | position_fields(step.record.position), called, players


async def replay_all(store_url: str) -> list[str]:
    """Replay all lobbies; their ids. Fails at a broken log, and where the store's hashes are not,
    byte for byte, what the log leads to."""
    async with Redis.from_url(
        store_url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS
    ) as redis:
        streams = [key async for key in redis.scan_iter("lobby:*:events", count=1000)]
    lobby_ids = [key.split(":")[2] for key in streams]
    node = Node(store_url)
    try:
        for lobby_id in lobby_ids:
            kept, log = await node.store.texts_with_log(lobby_id)
            *_, end = replay(log, kept[0]["hash"])
            assert texts(end) == kept, lobby_id
    finally:
        await node.close()
    return lobby_ids
