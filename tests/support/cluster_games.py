"""Games on a cluster, while a part of it is down."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from server.store.errors import StoreUnavailable
from tests.support.cluster import Member, StoreCluster
from tests.support.game import BRISK, Node

DUEL = replace(BRISK, max_players=2, call_interval_ms=60)


async def games(node: Node, count: int) -> list[str]:
    """Seat and pay for twice as many players as lobbies of two are wanted. Returns those lobbies
    that are full: joins go to several tables, so some may have one player."""
    seats = await asyncio.gather(*(node.sit(f"player-{number}") for number in range(2 * count)))
    await asyncio.gather(*map(node.pay, seats))
    seated_in = Counter(seated.lobby.lobby_id for seated in seats)
    return [lobby_id for lobby_id, players in seated_in.items() if players == 2]


async def all_are_over(node: Node, lobby_ids: Sequence[str]) -> bool:
    """Whether these games have finished, as far as the cluster can say now."""
    try:
        found = await asyncio.gather(*map(node.store.load, lobby_ids))
    except StoreUnavailable:
        return False
    return all(each.lobby is not None and each.lobby.status == "finished" for each in found)


@contextmanager
def away(cluster: StoreCluster, primary: Member) -> Iterator[None]:
    """Kill a primary and its replica."""
    cluster.replica_of(primary).kill()
    primary.kill()
    yield


def has_slots(member: Member) -> bool:
    return any(address[1] == member.port for _, _, address, *_ in member.ask("CLUSTER", "SLOTS"))
