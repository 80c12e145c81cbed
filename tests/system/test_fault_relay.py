"""What a node receives from the store: its own lobbies and no others."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from redis.asyncio import Redis

from server.services.lobbies import Changed
from server.services.seats import Seated
from server.store.log import Record, Snapshot
from tests.support.game import BUY_IN, CLASSIC, Node, starting_nodes
from tests.support.wait import until

TIERS = {
    BUY_IN: replace(CLASSIC, max_players=2, seat_ms=3_600_000)
}  # nobody's seat lapses meanwhile
MANY, FEW = 30, 5
CHANGES = 20


class VersionListener:
    """What a node receives of its lobbies: the versions that they come to."""

    def __init__(self, node: Node) -> None:
        self.versions: defaultdict[str, list[int]] = defaultdict(list)
        node.replicas.listener = self

    def happened(self, lobby_id: str, _snapshot: Snapshot, records: Sequence[Record]) -> None:
        self.versions[lobby_id] += [record.position.version for record in records]

    def reset(self, lobby_id: str, _snapshot: Snapshot) -> None:
        raise AssertionError(f"the store has lost nothing of {lobby_id}")

    def gone(self, lobby_id: str) -> None:
        raise AssertionError(f"the store has lost {lobby_id}")

    def invoice_changed(self, lobby_id: str, alien_id: str) -> None:
        raise AssertionError(f"nobody pays in {lobby_id}")


async def test_a_node_receives_the_commits_of_the_lobbies_that_it_has_replicas_of_and_no_others(
    store_url: str,
) -> None:
    async with starting_nodes() as start, Redis.from_url(store_url) as redis:
        writer, busy, idle = [await start(store_url, tiers=TIERS) for _ in range(3)]
        heard_by_busy, heard_by_idle = VersionListener(busy), VersionListener(idle)
        lobbies = [await full_lobby(writer, number) for number in range(MANY + FEW)]
        theirs, others = lobbies[:MANY], lobbies[MANY:]
        await acquire(busy, theirs)
        await acquire(idle, others)

        before = await bytes_sent(redis)
        for lobby_id in theirs:
            await change(writer, lobby_id, CHANGES)
        await until(lambda: len(heard_by_busy.versions[theirs[-1]]) == CHANGES)
        after = await bytes_sent(redis)
        assert set(heard_by_busy.versions) == set(theirs)
        assert not heard_by_idle.versions
        # What it was sent is what the store says to its pings.
        assert after[FEW] - before[FEW] < (after[MANY] - before[MANY]) / 50

        await change(writer, others[0], CHANGES)
        await until(lambda: len(heard_by_idle.versions[others[0]]) == CHANGES)
        assert set(heard_by_idle.versions) == {others[0]}


async def full_lobby(node: Node, number: int) -> str:
    """A lobby of two, both of whom have yet to pay."""
    await node.sit(f"first-{number}")
    return (await node.sit(f"second-{number}")).lobby.lobby_id


async def acquire(node: Node, lobbies: Sequence[str]) -> None:
    """Have the replicas that the room of each lobby would have."""
    assert all(await asyncio.gather(*map(node.replicas.acquire, lobbies)))


async def change(node: Node, lobby_id: str, times: int) -> None:
    """Change a lobby by so many events: its second player leaves and comes back."""
    lobby = (await node.store.load(lobby_id)).lobby
    assert lobby is not None
    player = [*lobby.players][1]
    for _ in range(times // 2):
        assert isinstance(await node.seats.leave(player, lobby_id), Changed)
        assert isinstance(await node.seats.take(player, BUY_IN, lobby_id), Seated)


async def bytes_sent(redis: Redis) -> dict[int, int]:
    """What the store has sent over each connection that listens, by its number of channels."""
    clients = await redis.client_list(_type="pubsub")
    return {int(client["ssub"]): int(client["tot-net-out"]) for client in clients}
